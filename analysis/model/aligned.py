"""Configurations that several environments share, for statistics that compare environments.

Environments are data sets of one loss, values of one axis such as batch size, or losses with the same axes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from analysis.model.axis_values import category, numeric_text
from analysis.model.cells import Axis, Cells
from analysis.wording import number

#: A configuration: one text for each axis. Numbers that agree in 9 digits have the same text.
_Place = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """C configurations that all E environments have, in the order of their values, over the S shared seeds."""

    environments: tuple[str, ...]
    axes: tuple[Axis, ...]  # with the shared values
    codes: np.ndarray  # (C, k) of int, indices into the axes' values
    seeds: np.ndarray  # (S,) increasing
    test: np.ndarray  # (E, C, S) scores
    validation: np.ndarray  # (E, C, S) scores
    left_out: int  # number of configurations that only some environments have
    complete: bool  # whether none of their trials is missing

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The grid's shape over the axes; None where the configurations are not the full product."""
        shape = tuple(len(axis.values) for axis in self.axes)
        return shape if len(self.codes) == np.prod(shape) else None

    @property
    def note(self) -> str:
        """Why scores are provisional or unknown, or empty."""
        if len(self.codes) < 2:
            return "under two shared configurations"
        if not len(self.seeds):
            return "no shared seeds"
        return "" if self.complete else "provisional"


def align_cells(parts: Mapping[str, Cells]) -> Aligned:
    """The configurations that cells with the same axes share.

    Raises `ValueError` where axes differ in name or in meaning, such as the scale `t` of two kernels.

    Numbers that agree in 9 digits are equal, so that ranges that were computed in two places match.
    """
    axes = next(iter(parts.values())).axes
    names = [axis.name for axis in axes]
    for label, cells in parts.items():
        if sorted(axis.name for axis in cells.axes) != sorted(names):
            raise ValueError(f"parts: {label} has the axes {[axis.name for axis in cells.axes]}, not {names}")
        if same_axes(cells) != same_axes(next(iter(parts.values()))):
            raise ValueError(f"parts: {label} has axes of these names with another meaning")
    every = {label: np.ones(len(cells.codes), dtype=bool) for label, cells in parts.items()}
    return _aligned(parts, every, axes)


def same_axes(cells: Cells) -> frozenset[tuple[object, ...]]:
    """What cells must have in common to be aligned: the names of their axes and the meanings of the values."""
    return frozenset((axis.name, *axis.info.meaning.same_as) for axis in cells.axes)


def align_along(cells: Cells, name: str) -> Aligned:
    """The values of one axis as environments, over the other axes.

    Raises `KeyError` for an unknown axis.
    """
    at = {axis.name: index for index, axis in enumerate(cells.axes)}[name]
    axis = cells.axes[at]
    texts = [number(value) for value in axis.values.tolist()]
    if len(set(texts)) < len(texts):  # values that agree in three digits
        texts = [category(value) or number("") for value in axis.values.tolist()]
    chosen = {text: cells.codes[:, at] == code for code, text in enumerate(texts)}
    chosen = {text: mask for text, mask in chosen.items() if mask.any()}
    return _aligned(dict.fromkeys(chosen, cells), chosen, [item for item in cells.axes if item.name != name])


def _aligned(parts: Mapping[str, Cells], chosen: Mapping[str, np.ndarray], axes: Sequence[Axis]) -> Aligned:
    """The chosen `(C,)` cells of every part, matched by their values of `axes`."""
    found = {label: places(cells, chosen[label], axes) for label, cells in parts.items()}
    common = set.intersection(*(set(places) for places in found.values()))
    kept, coded = _shared_axes(axes, common)
    shared = sorted(common, key=lambda place: [codes[text] for codes, text in zip(coded, place, strict=True)])
    seeds = common_seeds(parts.values())
    at = {label: [places[place] for place in shared] for label, places in found.items()}
    over = {label: np.isin(cells.seeds, seeds) for label, cells in parts.items()}
    codes = [[of_axis[text] for of_axis, text in zip(coded, place, strict=True)] for place in shared]
    return Aligned(
        environments=tuple(parts),
        axes=kept,
        codes=np.array(codes, dtype=int).reshape(len(shared), len(axes)),
        seeds=seeds,
        test=np.stack([cells.test[at[label]][:, over[label]] for label, cells in parts.items()]),
        validation=np.stack([cells.validation[at[label]][:, over[label]] for label, cells in parts.items()]),
        left_out=len(set().union(*found.values())) - len(shared),
        complete=not any(cells.missing[at[label]][:, over[label]].any() for label, cells in parts.items()),
    )


def _shared_axes(
    axes: Sequence[Axis], shared: Collection[_Place]
) -> tuple[tuple[Axis, ...], list[dict[str, int]]]:
    """The axes with the values that occur among the shared places, and the index of each value by its text."""
    kept, coded = [], []
    for place, axis in enumerate(axes):
        used = {texts[place] for texts in shared}
        texts = [value_text(value) for value in axis.values.tolist()]
        first = [at for at, text in enumerate(texts) if text in used and text not in texts[:at]]
        kept.append(Axis(info=axis.info, values=axis.values[first]))
        coded.append({texts[at]: code for code, at in enumerate(first)})
    return tuple(kept), coded


def places(cells: Cells, chosen: np.ndarray, axes: Sequence[Axis]) -> dict[_Place, int]:
    """The cell of each planned configuration among the chosen ones."""
    at = {axis.name: index for index, axis in enumerate(cells.axes)}
    texts = [[value_text(value) for value in cells.axes[at[axis.name]].values.tolist()] for axis in axes]
    codes = cells.codes[:, [at[axis.name] for axis in axes]].tolist()
    planned = np.flatnonzero(cells.planned.any(axis=-1) & chosen)
    return {
        tuple(of_axis[code] for of_axis, code in zip(texts, codes[cell], strict=True)): int(cell)
        for cell in planned.tolist()
    }


def value_text(value: float | str) -> str:
    """The text of a value of an axis. Numbers that agree in 9 digits have the same text."""
    found = numeric_text(value) if isinstance(value, str) else value
    return f"{found:.9g}" if isinstance(found, float) else category(value)


def common_seeds(parts: Iterable[Cells]) -> np.ndarray:
    """The seeds `(S,)` that all parts have, increasing. There must be at least one part."""
    return reduce(np.intersect1d, [cells.seeds for cells in parts])
