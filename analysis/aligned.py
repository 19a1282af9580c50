"""Configurations that several environments share, for statistics that compare environments.

Environments are data sets of one loss, values of one axis such as batch size, or losses with the same axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cells import Axis, Cells
from analysis.wording import number

#: A configuration: one value for each axis.
_Place = tuple[float | str, ...]


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
    """The configurations that cells with the same axes share. Raises `ValueError` where axes differ.

    Numbers that agree in 9 digits are equal, so that ranges that were computed in two places match.
    """
    axes = next(iter(parts.values())).axes
    names = [axis.name for axis in axes]
    for label, cells in parts.items():
        if sorted(axis.name for axis in cells.axes) != sorted(names):
            raise ValueError(f"parts: {label} has the axes {[axis.name for axis in cells.axes]}, not {names}")
    every = {label: np.ones(len(cells.codes), dtype=bool) for label, cells in parts.items()}
    return _aligned(parts, every, axes)


def align_along(cells: Cells, name: str) -> Aligned:
    """The values of one axis as environments, over the other axes.

    Raises `KeyError` for an unknown axis.
    """
    at = cells.values(name)
    chosen = {number(value): at == value for value in np.unique(at).tolist()}
    return _aligned(dict.fromkeys(chosen, cells), chosen, [axis for axis in cells.axes if axis.name != name])


def _aligned(parts: Mapping[str, Cells], chosen: Mapping[str, np.ndarray], axes: Sequence[Axis]) -> Aligned:
    """The chosen `(C,)` cells of every part, matched by their values of `axes`."""
    found = {label: _places(cells, chosen[label], axes) for label, cells in parts.items()}
    shared = sorted(set.intersection(*(set(places) for places in found.values())))
    seeds = _shared_seeds(list(parts.values()))
    at = {label: [places[place] for place in shared] for label, places in found.items()}
    over = {label: np.isin(cells.seeds, seeds) for label, cells in parts.items()}
    columns = list(zip(*shared, strict=True)) if shared else [()] * len(axes)
    coded = [np.unique(np.array(column), return_inverse=True) for column in columns]
    return Aligned(
        environments=tuple(parts),
        axes=tuple(
            Axis(info=axis.info, values=values) for axis, (values, _) in zip(axes, coded, strict=True)
        ),
        codes=np.stack([codes for _, codes in coded], axis=1) if coded else np.zeros((len(shared), 0), int),
        seeds=seeds,
        test=np.stack([cells.test[at[label]][:, over[label]] for label, cells in parts.items()]),
        validation=np.stack([cells.validation[at[label]][:, over[label]] for label, cells in parts.items()]),
        left_out=len(set().union(*found.values())) - len(shared),
        complete=not any(cells.missing[at[label]][:, over[label]].any() for label, cells in parts.items()),
    )


def _places(cells: Cells, chosen: np.ndarray, axes: Sequence[Axis]) -> dict[_Place, int]:
    """The cell of each planned configuration among the chosen ones."""
    columns = [cells.values(axis.name).tolist() for axis in axes]
    planned = np.flatnonzero(cells.planned.any(axis=-1) & chosen)
    return {tuple(_rounded(column[cell]) for column in columns): int(cell) for cell in planned}


def _rounded(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(f"{value:.9g}")


def _shared_seeds(parts: Sequence[Cells]) -> np.ndarray:
    seeds = parts[0].seeds
    for cells in parts[1:]:
        seeds = np.intersect1d(seeds, cells.seeds)
    return seeds
