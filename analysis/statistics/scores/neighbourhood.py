"""How far the score falls one grid step away from the tuned cell."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import choice_chances, scored


@dataclass(frozen=True, kw_only=True)
class LocalDrop:
    """Drop of the score after one grid step. An axis of one value has no step and no drop."""

    mean: Estimate  # over all neighbours
    axes: tuple[Estimate, ...]  # over the neighbours along each axis
    at_edge: (
        float  # share of the choices of single seeds that lie on the edge of an axis with more than one value
    )


def local_drop(
    test: np.ndarray, validation: np.ndarray, *, span: float = 1.0, step: float = 0.0, note: str = ""
) -> LocalDrop:
    """Tuned score less the mean score one step away, on a grid `(A1, ..., Ak, S)`.

    `m(c*) - mean_(c next to c*) m(c)`. Neighbours differ by one step along one axis; at an edge there is one
    neighbour less. Validation of one seed picks c*, and another seed scores all cells, so that the luck of the best
    cell does not inflate the drop. Estimates and intervals are means over ordered pairs of seeds
    (`intervals.pairs`).
    """
    shape, seeds = test.shape[:-1], test.shape[-1]
    chances = choice_chances(validation.reshape(-1, seeds))
    near = [_neighbours(test, axis) for axis in range(len(shape))]

    def estimate(parts: list[tuple[np.ndarray, np.ndarray]]) -> Estimate:
        total, count = (sum(part[k] for part in parts) for k in range(2))
        there = np.broadcast_to(count > 0, test.shape)
        mean = np.where(there, total / np.where(count > 0, count, 1), np.nan)
        pairs = scored((test - mean).reshape(-1, seeds), chances)
        lacking = note or ("" if there.any() else "no neighbour")
        return pair_estimate(pairs, bounds=(-span, span), step=step, note=lacking)

    # a choice lies on an edge if it has only one neighbour along an axis of several values
    edge = np.zeros((*shape, 1), dtype=bool)
    for _, count in near:
        edge = edge | (count == 1)
    selecting = chances.sum(axis=0) > 0
    at_edge = (chances * edge.reshape(-1, 1)).sum(axis=0)[selecting]
    return LocalDrop(
        mean=estimate(near),
        axes=tuple(estimate([part]) for part in near),
        at_edge=float(at_edge.mean()) if len(at_edge) else float("nan"),
    )


def _neighbours(test: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the scores one step along an axis `(A1, ..., Ak, S)`, and how many steps stay on the grid."""
    size = test.shape[axis]
    place = np.arange(size).reshape([-1 if k == axis else 1 for k in range(test.ndim)])
    total, count = np.zeros(test.shape), np.zeros(place.shape, dtype=int)
    for step in (-1, 1):
        inside = (place + step >= 0) & (place + step < size)
        moved = np.take(test, np.clip(np.arange(size) + step, 0, size - 1), axis=axis)
        total, count = total + np.where(inside, moved, 0.0), count + inside
    return total, count
