"""What each hyperparameter is worth tuning, and what setting it badly costs, exactly on a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.cross_fitting import SAME, held_out_cells, held_out_estimate
from analysis.statistics.intervals import Estimate
from analysis.statistics.selection import NONE, scored_at


@dataclass(frozen=True, kw_only=True)
class AxisTunability:
    """One hyperparameter, the others at their defaults."""

    axis: int
    gain: Estimate  # of its best value over the default
    harm: Estimate  # of its worst value against the default
    risk: Estimate  # loss of leaving it at the default where all others are tuned


@dataclass(frozen=True, kw_only=True)
class Tunability:
    """Every hyperparameter of a grid, and all together."""

    axes: tuple[AxisTunability, ...]
    gain: Estimate  # of the best configuration over the default one
    harm: Estimate  # of the worst configuration against the default one


def tunability(
    test: np.ndarray,
    validation: np.ndarray,
    default: Sequence[int],
    *,
    span: float = 1.0,
    note: str = "",
) -> Tunability:
    """Gains and harms on a grid `(A1, ..., Ak, S)` about the cell `default`, an index an axis.

    With m the mean over seeds, d the default and d[j = v] the default but for axis j:
    gain_j = `max_v m(d[j = v]) - m(d)`, the tunability of one hyperparameter, and `max_c m(c) - m(d)`, that of all
    (Probst, Boulesteix and Bischl 2019, "Tunability", JMLR 20(53), their d_i and d, with scores for risks);
    harm_j = `m(d) - min_v m(d[j = v])`, its counterpart for a bad setting;
    risk_j = `max_c m(c) - max_(c: c_j = d_j) m(c)`, the tuning risk of Weerts, Mueller and Vanschoren (2020).

    Maxima and minima are picked by validation on one half of the seeds and scored on the other, so that the gain of a
    hyperparameter without effect is 0 on average, where the plain maximum is above 0; a gain may come out negative.
    Intervals as in `cross_fitting.held_out_estimate`; two seeds. `span` is the width of the outcome's bounds.

    Raises `ValueError` for a default outside of the grid.
    """
    shape, seeds = test.shape[:-1], test.shape[-1]
    if len(default) != len(shape) or any(not 0 <= at < size for at, size in zip(default, shape, strict=True)):
        raise ValueError(f"default: got {tuple(default)}; one index an axis of the grid {shape} is needed")
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    flat, at_default = test.reshape(-1, seeds), np.full(seeds, numbers[tuple(default)])

    def picked(part: tuple[int | slice, ...], *, worst: bool = False) -> np.ndarray:
        """For each seed the number of the cell of that part which the other half picks, or `NONE`."""
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
