"""How far the score falls one grid step away from the tuned cell."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.cross_fitting import held_out_cells, held_out_estimate
from analysis.statistics.scores.selection import NONE, scored_at


@dataclass(frozen=True, kw_only=True)
class LocalDrop:
    """Drop of the score after one grid step. An axis of one value has no step and no drop."""

    mean: Estimate  # over all neighbours
    axes: tuple[Estimate, ...]  # over the neighbours along each axis
    at_edge: float  # share of held-out choices that lie on the edge of an axis with more than one value


def local_drop(test: np.ndarray, validation: np.ndarray, *, span: float = 1.0, note: str = "") -> LocalDrop:
    """Tuned score less the mean score one step away, on a grid `(A1, ..., Ak, S)`.

    `m(c*) - mean_(c next to c*) m(c)`. Neighbours differ by one step along one axis; at an edge there is one
    neighbour less. Validation on one half of the seeds picks c*, and the other half scores all cells, so that the
    luck of the best cell does not inflate the drop. Intervals are as in `cross_fitting.held_out_estimate` and need
    two seeds. A seed without a needed trial is left out.
    """
    shape, seeds = test.shape[:-1], test.shape[-1]
    chosen = held_out_cells(validation.reshape(-1, seeds))
    places = np.array(np.unravel_index(np.maximum(chosen, 0), shape))  # (k, S)
    tuned = scored_at(test.reshape(-1, seeds), chosen)
    steps = np.stack(
        [_after_step(test, places, axis, step) for axis in range(len(shape)) for step in (-1, 1)]
    )
    exists = np.stack([_inside(places, shape, axis, step) for axis in range(len(shape)) for step in (-1, 1)])

    def estimate(drops: np.ndarray, there: np.ndarray) -> Estimate:
        count = there.sum(axis=0)
        drop = np.where(there, drops, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
        lacking = note or ("" if count.any() else "no neighbour")
        return held_out_estimate(drop, bounds=(-span, span), note=lacking)

    drops = tuned - steps
    # a choice lies on an edge if it has only one neighbour along an axis of several values
    pairs = exists.reshape(len(shape), 2, seeds).sum(axis=1)
    edge = (pairs == 1).any(axis=0)[chosen != NONE]
    return LocalDrop(
        mean=estimate(drops, exists),
        axes=tuple(estimate(drops[2 * k : 2 * k + 2], exists[2 * k : 2 * k + 2]) for k in range(len(shape))),
        at_edge=float(edge.mean()) if len(edge) else float("nan"),
    )


def _inside(places: np.ndarray, shape: tuple[int, ...], axis: int, step: int) -> np.ndarray:
    """Whether a step along an axis stays on the grid, `(S,)`."""
    return (places[axis] + step >= 0) & (places[axis] + step < shape[axis])


def _after_step(test: np.ndarray, places: np.ndarray, axis: int, step: int) -> np.ndarray:
    """Scores `(S,)` one step along an axis from the places `(k, S)`, each at its seed.

    Where the step leaves the grid, the value has no meaning.
    """
    moved = places.copy()
    moved[axis] = np.clip(moved[axis] + step, 0, test.shape[axis] - 1)
    return test[(*moved, np.arange(test.shape[-1]))]
