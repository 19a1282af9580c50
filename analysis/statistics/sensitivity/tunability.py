"""What tuning each hyperparameter gains, and what a bad value costs, exactly on a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.cross_fitting import SAME, held_out_cells, held_out_estimate
from analysis.statistics.scores.selection import NONE, scored_at


@dataclass(frozen=True, kw_only=True)
class AxisTunability:
    """One hyperparameter, with the others at their defaults."""

    axis: int
    gain: Estimate  # of its best value above the default
    harm: Estimate  # of its worst value below the default
    risk: Estimate  # loss of keeping its default while all others are tuned


@dataclass(frozen=True, kw_only=True)
class Tunability:
    """Every hyperparameter of a grid, and all together."""

    axes: tuple[AxisTunability, ...]
    gain: Estimate  # of the best configuration above the default one
    harm: Estimate  # of the worst configuration below the default one


def tunability(
    test: np.ndarray,
    validation: np.ndarray,
    default: Sequence[int],
    *,
    span: float = 1.0,
    note: str = "",
) -> Tunability:
    """Gains and harms on a grid `(A1, ..., Ak, S)` around the cell `default`, one index on each axis.

    With m the mean over seeds, d the default and d[j = v] the default but for axis j:
    gain_j = `max_v m(d[j = v]) - m(d)`, the tunability of one hyperparameter, and `max_c m(c) - m(d)`, that of all
    (Probst, Boulesteix and Bischl 2019, "Tunability", JMLR 20(53), their d_i and d, with scores in place of risks);
    harm_j = `m(d) - min_v m(d[j = v])`, the same for a bad value;
    risk_j = `max_c m(c) - max_(c: c_j = d_j) m(c)`, the tuning risk of Weerts, Mueller and Vanschoren (2020).

    Validation on one half of the seeds picks maxima and minima, and the other half scores them. So the gain of a
    hyperparameter without effect is 0 on average, where the plain maximum is above 0, and a gain may be negative.
    Intervals are as in `cross_fitting.held_out_estimate` and need two seeds. `span` is the width of the outcome's
    bounds.

    Raises `ValueError` for a default outside of the grid.
    """
    shape, seeds = test.shape[:-1], test.shape[-1]
    if len(default) != len(shape) or any(not 0 <= at < size for at, size in zip(default, shape, strict=True)):
        raise ValueError(f"default: got {tuple(default)}; one index an axis of the grid {shape} is needed")
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    flat, at_default = test.reshape(-1, seeds), np.full(seeds, numbers[tuple(default)])

    def picked(part: tuple[int | slice, ...], *, worst: bool = False) -> np.ndarray:
        """For each seed, the number of the cell in `part` that the other half picks, or `NONE`."""
        cells = held_out_cells(validation[part].reshape(-1, seeds), worst=worst)
        return np.where(cells == NONE, NONE, numbers[part].ravel()[cells])

    def estimate(better: np.ndarray, worse: np.ndarray) -> Estimate:
        same = SAME if seeds > 1 and np.array_equal(better, worse) else ""
        difference = scored_at(flat, better) - scored_at(flat, worse)
        return held_out_estimate(difference, bounds=(-span, span), note=note or same)

    def of_axis(axis: int) -> AxisTunability:
        line = tuple(slice(None) if k == axis else at for k, at in enumerate(default))
        plane = tuple(at if k == axis else slice(None) for k, at in enumerate(default))
        return AxisTunability(
            axis=axis,
            gain=estimate(picked(line), at_default),
            harm=estimate(at_default, picked(line, worst=True)),
            risk=estimate(best, picked(plane)),
        )

    everywhere = (slice(None),) * len(shape)
    best = picked(everywhere)
    return Tunability(
        axes=tuple(of_axis(axis) for axis in range(len(shape))),
        gain=estimate(best, at_default),
        harm=estimate(at_default, picked(everywhere, worst=True)),
    )
