"""Joins the parts into which an arm was split, over all of its axes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.model.axis_values import category
from analysis.model.cells import UNPLANNED, Axis, Cells, axis_of, axis_with
from analysis.model.info import ArmInfo


def join_cells(parts: Sequence[Cells], arm: ArmInfo, fixed: Sequence[Mapping[str, object]]) -> Cells:
    """Parts of one arm as one: over their axes and the columns whose `fixed` values distinguish the parts.

    Within each part, the shares of its cells stay in proportion. The shares of the parts follow from the measure of
    the columns that distinguish them; a combination that does not occur has none.
    """
    extra = list(dict.fromkeys(name for values in fixed for name in values))
    axes = [_joined_axis(parts, index) for index in range(len(parts[0].axes))]
    rows = pd.DataFrame([{name: values.get(name) for name in extra} for values in fixed])
    further = [axis_of(rows, arm.axis(name)) for name in extra]
    seeds = np.unique(np.concatenate([part.seeds for part in parts]))
    codes, shares = [], []
    for index, part in enumerate(parts):
        own = [axis.index_of(part.axes[k].values)[part.codes[:, k]] for k, axis in enumerate(axes)]
        set_apart = [np.full(len(part.codes), at[index]) for _, at in further]
        codes.append(np.stack([*own, *set_apart], axis=1))
        shares.append(part.weights * np.prod([axis.weights[at[index]] for axis, at in further]))
    weights = np.concatenate(shares)
    joined_axes = (*axes, *(axis for axis, _ in further))
    joined = np.concatenate(codes)
    order = np.lexsort(joined.T[::-1])
    return Cells(
        arm=arm.label,
        metric=parts[0].metric,
        axes=joined_axes,
        codes=joined[order],
        seeds=seeds,
        status=np.concatenate([_spread(part.status, part.seeds, seeds, UNPLANNED) for part in parts])[order],
        raw={
            column: np.concatenate([_spread_raw(part, column, seeds) for part in parts])[order]
            for column in dict.fromkeys(name for part in parts for name in part.raw)
        },
        weights=(weights / weights.sum() if weights.sum() > 0 else weights)[order],
    )


def _joined_axis(parts: Sequence[Cells], index: int) -> Axis:
    """The values of all parts; categories where they are categories in any part."""
    found = [part.axes[index] for part in parts]
    if all(axis.numeric for axis in found):
        return axis_with(found[0].info, np.concatenate([axis.values for axis in found]))
    texts = [category(value) for axis in found for value in axis.values.tolist()]
    return axis_with(found[0].info, np.array(texts, dtype=str))


def _spread(array: np.ndarray, seeds: np.ndarray, wanted: np.ndarray, empty: object) -> np.ndarray:
    """An array `(C, S)` with its columns moved to the positions of its seeds among the `wanted` ones."""
    spread = np.full((len(array), len(wanted)), empty, dtype=array.dtype)
    spread[:, np.searchsorted(wanted, seeds)] = array
    return spread


def _spread_raw(part: Cells, column: str, seeds: np.ndarray) -> np.ndarray:
    """A part's column `(C, S)`; all NaN for a part that lacks the column because none of its trials has run."""
    return _spread(part.raw.get(column, np.full(part.status.shape, np.nan)), part.seeds, seeds, np.nan)
