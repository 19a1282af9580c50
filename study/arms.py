"""The arms of a study: each entry of `[losses]` is a loss with fixed values and axes, completed by its space."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.axes import axis_values
from search_spaces.grid import grid
from search_spaces.loss_params import check_loss_name, check_params
from search_spaces.spaces import SPACES, LossSpace
from study.errors import StudyError
from trainables.config import Scalar

#: Keys of a loss's table that are no fields of the loss.
_LOSS_KEY, _LR_KEY = "loss", "lr"

AxisValues = dict[str, tuple[Scalar, ...]]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One entry of `[losses]`, resolved."""

    label: str
    loss: str
    axes: AxisValues  # fields of the loss
    lr: tuple[Scalar, ...] | None  # base rates, None where `[axes]` sweeps them
    main_axis: str | None  # the field that surfaces show, None where nothing of the loss varies


def resolve_arm(label: str, table: Mapping[str, Any], rates_are_shared: bool) -> Arm:
    """An arm from its table; `rates_are_shared` where `[axes]` sweeps the learning rate.

    Raises `StudyError` for an unknown loss or field, a value that the loss refuses, and a missing range or rate.
    """
    where = f"losses.{label}"
    loss = str(table.get(_LOSS_KEY, label))
    space = SPACES.get(loss)
    axes = {key: axis_values(axis) for key, axis in table.items() if key not in (_LOSS_KEY, _LR_KEY)}
    if space and space.main_axis not in axes:
        if not space.covers(axes):
            made_for = ", ".join(f"{name} = {value}" for name, value in space.holds_for.items())
            raise StudyError(
                f"{where}.{space.main_axis}: is missing; its default range is for {made_for} only"
            )
        axes[space.main_axis] = axis_values(space.range())
    _check_loss(where, loss, axes)
    return Arm(
        label=label,
        loss=loss,
        axes=axes,
        lr=_base_rates(where, table, axes, space, rates_are_shared),
        main_axis=_main_axis(space, axes),
    )


def _main_axis(space: LossSpace | None, axes: AxisValues) -> str | None:
    if space and len(axes[space.main_axis]) > 1:
        return space.main_axis
    varying = [name for name, values in axes.items() if len(values) > 1]
    return varying[0] if varying else (space.main_axis if space else None)


def _check_loss(where: str, loss: str, axes: AxisValues) -> None:
    """Every value of every field, before anything runs."""
    try:
        check_loss_name(loss)
        for params in grid(axes):
            check_params(loss, params)
    except ValueError as error:
        raise StudyError(f"{where}: {error}") from error


def _base_rates(
    where: str, table: Mapping[str, Any], axes: AxisValues, space: LossSpace | None, shared: bool
) -> tuple[Scalar, ...] | None:
    if _LR_KEY in table:
        if shared:
            raise StudyError(f"{where}.lr: [axes] sweeps lr already; give it in one place")
        return axis_values(table[_LR_KEY])
    if shared:
        return None
    if space is None:
        raise StudyError(f"{where}.lr: is missing; only losses with a search space have a default rate")
    if not space.covers(axes):
        raise StudyError(f"{where}.lr: is missing; the default rate is for {space.scope} only")
    return (space.base_lr,)
