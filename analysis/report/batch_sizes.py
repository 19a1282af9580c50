"""The batch sizes of a study, and the part of its configurations at one of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.model.cells import Cells
from analysis.model.info import StudyInfo
from analysis.model.variants import Variant
from analysis.tables.usual_names import BATCH_SIZES, plain

#: Relative difference up to which batch sizes are equal.
CLOSE = 1e-6


def batch_axis(cells: Cells) -> str:
    """The column of the batch size among the axes of numbers of a variant; "" without one."""
    return next((axis.name for axis in cells.axes if axis.numeric and _is_batch_size(axis.name)), "")


def batch_sizes(losses: Mapping[str, Sequence[Variant]]) -> list[float]:
    """All batch sizes of the variants of all losses, sorted."""
    found: set[float] = set()
    for variant in (variant for variants in losses.values() for variant in variants):
        if name := batch_axis(variant.cells):
            planned = variant.cells.planned.any(axis=1)
            found.update(variant.cells.values(name)[planned].tolist())
    return sorted(found)


def only_batch_size(info: StudyInfo) -> float | None:
    """The one batch size of all trials, where it is a setting and no axis; None where it is not known."""
    told = [item for item in info.settings if _is_batch_size(item.column or item.name)]
    values = {value for item in told for found in item.values.values() for value in found}
    only = next(iter(values)) if len(values) == 1 else None
    return float(only) if isinstance(only, (int, float)) and not isinstance(only, bool) else None


def nearest(swept: Sequence[float], value: float) -> list[float]:
    """The swept values next to `value` on both sides, or the one at the end of the range."""
    below, above = [x for x in swept if x < value], [x for x in swept if x > value]
    return [*below[-1:], *above[:1]]


def at_batch_size(
    losses: Mapping[str, Sequence[Variant]], value: float | None
) -> dict[str, tuple[Variant, ...]]:
    """The variants of each loss at a batch size; losses and variants without it are left out."""
    if value is None:
        return {loss: tuple(variants) for loss, variants in losses.items()}
    found = {loss: tuple(_at(variants, value)) for loss, variants in losses.items()}
    return {loss: variants for loss, variants in found.items() if variants}


def _at(variants: Sequence[Variant], value: float) -> Iterable[Variant]:
    for variant in variants:
        cells = variant.cells
        if name := batch_axis(cells):
            rows = np.isclose(cells.values(name), value, rtol=CLOSE, atol=0.0) & cells.planned.any(axis=1)
            if rows.any():
                yield replace(variant, cells=cells.on_cells(rows))


def _is_batch_size(column: str) -> bool:
    return plain(column.removeprefix("hp_")) in BATCH_SIZES
