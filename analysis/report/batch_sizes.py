"""The batch sizes of a study, and the part of its configurations at one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.model.cells import Cells
from analysis.model.info import ArmInfo
from analysis.tables.usual_names import BATCH_SIZES, plain


def batch_axis(cells: Cells, arm: ArmInfo) -> str:
    """The column of the batch size among the axes and the fixed values of a variant; "" without one."""
    columns = [axis.name for axis in cells.axes] + list(arm.fixed)
    return next((name for name in columns if plain(name.removeprefix("hp_")) in BATCH_SIZES), "")


def batch_sizes(losses: Mapping[str, Sequence[Cells]], arms: Mapping[str, Sequence[ArmInfo]]) -> list[float]:
    """All batch sizes of the variants of all losses, sorted."""
    found: set[float] = set()
    for loss, variants in losses.items():
        for cells, arm in zip(variants, arms[loss], strict=True):
            name = batch_axis(cells, arm)
            values = [arm.fixed[name]] if name in arm.fixed else cells.values(name).tolist() if name else []
            found.update(float(value) for value in values if isinstance(value, (int, float)))
    return sorted(found)


def nearest(swept: Sequence[float], value: float) -> list[float]:
    """The swept values next to `value` on both sides, or the one at the end of the range."""
    below, above = [x for x in swept if x < value], [x for x in swept if x > value]
    return [*below[-1:], *above[:1]]


def at_batch_size(
    losses: Mapping[str, Sequence[Cells]], arms: Mapping[str, Sequence[ArmInfo]], value: float | None
) -> tuple[dict[str, list[Cells]], dict[str, list[ArmInfo]]]:
    """The variants of each loss at a batch size; losses and variants without it are left out."""
    if value is None:
        return {loss: list(each) for loss, each in losses.items()}, {k: list(v) for k, v in arms.items()}
    kept: dict[str, list[Cells]] = {}
    kept_arms: dict[str, list[ArmInfo]] = {}
    for loss, variants in losses.items():
        for cells, arm in zip(variants, arms[loss], strict=True):
            name = batch_axis(cells, arm)
            if not name:
                continue
            here = np.full(len(cells.codes), arm.fixed.get(name)) if name in arm.fixed else cells.values(name)
            if here.dtype.kind not in "iuf":
                continue
            rows = np.isclose(here.astype(float), value) & cells.planned.any(axis=1)
            if rows.any():
                kept.setdefault(loss, []).append(_rows(cells, rows))
                kept_arms.setdefault(loss, []).append(arm)
    return kept, kept_arms


def _rows(cells: Cells, rows: np.ndarray) -> Cells:
    weights = cells.weights[rows]
    return replace(
        cells,
        codes=cells.codes[rows],
        status=cells.status[rows],
        raw={name: values[rows] for name, values in cells.raw.items()},
        weights=weights / weights.sum() if weights.sum() > 0 else weights,
    )
