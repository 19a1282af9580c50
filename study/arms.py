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
    loss = _loss_name(where, label, table)
    space = SPACES.get(loss)
    axes = {key: axis_values(axis) for key, axis in table.items() if key not in (_LOSS_KEY, _LR_KEY)}
    if space and space.main_axis not in axes:
        if not space.range_scope.covers(axes):
            raise StudyError(
                f"{where}.{space.main_axis}: is missing; the default range is for {space.range_scope} only"
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


def _loss_name(where: str, label: str, table: Mapping[str, Any]) -> str:
    names = axis_values(table.get(_LOSS_KEY, (label,)))
    if len(names) != 1 or not isinstance(names[0], str):
        raise StudyError(f"{where}.loss: got {list(names)}, must be the name or import path of one loss")
    return names[0]


def _main_axis(space: LossSpace | None, axes: AxisValues) -> str | None:
    if space and len(axes[space.main_axis]) > 1:
        return space.main_axis
    varying = [
        name for name, values in axes.items() if len(values) > 1 and not isinstance(values[0], (str, bool))
    ]
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
    if not space.rate_scope.covers(axes):
        raise StudyError(f"{where}.lr: is missing; the default rate is for {space.rate_scope} only")
    return (space.base_lr,)
