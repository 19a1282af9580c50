"""Intervals of scores built on a maximum or a minimum over cells, which their plain estimates miss to one side."""

from collections.abc import Callable

import numpy as np

from analysis.statistics.cross_fitting import means_of_other_half
from analysis.statistics.intervals import NO_SPREAD, Estimate, mean_and_spread, student_interval

#: Least number of seeds for an interval of such a score.
MIN_SEEDS_EXTREMES = 5
METHOD = "Student, between choice by all seeds and by the other half, conservative"

#: Cell means `(C,)` to shares `(C,)`, summing to 1: what the score averages over, such as the best cell alone.
Choose = Callable[[np.ndarray], np.ndarray]


def bracketed_estimate(
    scores: np.ndarray,
    choose: Choose,
    *,
    largest: bool,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    note: str = "",
) -> Estimate:
    """`max_q sum_c q_c m_c` (or the minimum) of cell means `m` over those shares q that `choose` chooses from.

    The plain value `sum_c q_c(x) x_c` of the cells `(C, S)` errs outwards on average, since q follows the noise that
    it is scored with. Chosen on one half of the seeds and scored on the other, each in turn, it errs inwards, since a
    choice made in noise is never better than the best one. The interval reaches from Student's outer end of the one
    to Student's outer end of the other: nominal where the choice is clear, conservative where it is not. The inner
    end is widened as the halves' choices differ, by `sqrt(1 + k / 2)` with k their distance in total variation,
    which is `statistics.cross_fitting.half_widening` at k = 1. Every cell needs a known trial; a missing trial counts
    as its cell's mean plus what its seed shifts. Needs 5 seeds.

    Source: the bracket of held-out against plain optima in Mak, Morton and Wood (1999), "Monte Carlo bounding
    techniques for determining solution quality in stochastic programs".
    """
    seeds = scores.shape[-1]
    mean, _, _ = mean_and_spread(scores)
    shares = choose(mean)
    value = float(shares @ mean)
    plain = _by_seed(
        scores, np.repeat(shares[:, None], seeds, axis=1), np.repeat(mean[:, None], seeds, axis=1)
    )
    known = int(np.isfinite(plain).sum())
    if note or known < MIN_SEEDS_EXTREMES:
        return Estimate(value=value, seeds=known, note=note or "too few seeds")
    others, _ = means_of_other_half(scores)
    others = np.where(np.isfinite(others), others, mean[:, None])  # a cell that the other half does not know
    chosen = np.stack([choose(column) for column in others.T], axis=1)
    held_out = _by_seed(scores, chosen, others)
    outer = student_interval(plain, bounds=bounds)
    inner = student_interval(held_out, bounds=bounds, widen=_widening(chosen))
    ends = (inner[1], outer[2]) if largest else (outer[1], inner[2])
    low, high = min(float(ends[0]), value), max(float(ends[1]), value)
    note = NO_SPREAD if low == high else ""
    return Estimate(value=value, low=low, high=high, seeds=known, method=METHOD, note=note)


def _by_seed(scores: np.ndarray, shares: np.ndarray, means: np.ndarray) -> np.ndarray:
    """`sum_c q_cs x_cs` `(S,)`, missing trials filled in from `means` `(C, S)`; NaN where all chosen are missing."""
    known = np.isfinite(scores) & (shares > 0)
    weight = np.where(known, shares, 0.0).sum(axis=0)
    shift = np.where(known, shares * (scores - means), 0.0).sum(axis=0)
    level = np.where(shares > 0, shares * means, 0.0).sum(axis=0)
    return np.where(weight > 0, level + shift / np.where(weight > 0, weight, 1.0), np.nan)


def _widening(shares: np.ndarray) -> float:
    """Factor on the standard error of held-out values from the seeds' choices `(C, S)`."""
    apart = np.abs(shares[:, 0] - shares[:, 1]).sum() / 2  # seeds at either parity of place share a choice
    return float(np.sqrt(1 + apart / 2))
