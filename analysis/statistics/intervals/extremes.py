"""Intervals of scores that are a maximum or a minimum over cells, whose plain estimates are biased."""

from collections.abc import Callable

import numpy as np

from analysis.statistics.intervals.student import NO_SPREAD, Estimate, mean_and_spread, student_interval
from analysis.statistics.scores.cross_fitting import means_of_other_half

#: Least number of seeds for an interval of such a score.
MIN_SEEDS_EXTREMES = 5
METHOD = "Student, between choice by all seeds and by the other half, conservative"

#: Maps cell means `(C,)` to shares `(C,)` with sum 1, over which the score averages, such as all on the best cell.
Choose = Callable[[np.ndarray], np.ndarray]


def bracketed_estimate(
    scores: np.ndarray,
    choose: Choose,
    *,
    largest: bool,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    note: str = "",
) -> Estimate:
    """`max_q sum_c q_c m_c` (or the minimum) of cell means `m`, over the shares q that `choose` can return.

    The plain value `sum_c q_c(x) x_c` of the cells `(C, S)` errs outwards on average, because q follows the noise
    that also scores it. If one half of the seeds chooses and the other half scores, the value errs inwards, because a
    choice made in noise is never better than the best one. The interval reaches from Student's outer end of one value
    to Student's outer end of the other. It is nominal where the choice is clear, and conservative where it is not.
    The inner end is widened by `sqrt(1 + k / 2)`, with k the distance in total variation between the choices of the
    halves. At k = 1 this is `statistics.cross_fitting.half_widening`. Every cell needs a known trial. A missing trial
    counts as the mean of its cell plus the shift of its seed. The interval needs 5 seeds.

    Source: the bracket between held-out and plain optima in Mak, Morton and Wood (1999), "Monte Carlo bounding
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
    others = np.where(np.isfinite(others), others, mean[:, None])  # for a cell unknown to the other half
    chosen = np.stack([choose(column) for column in others.T], axis=1)
    held_out = _by_seed(scores, chosen, others)
    outer = student_interval(plain, bounds=bounds)
    inner = student_interval(held_out, bounds=bounds, widen=_widening(chosen))
    ends = (inner[1], outer[2]) if largest else (outer[1], inner[2])
    low, high = min(float(ends[0]), value), max(float(ends[1]), value)
    note = NO_SPREAD if low == high else ""
    return Estimate(value=value, low=low, high=high, seeds=known, method=METHOD, note=note)


def _by_seed(scores: np.ndarray, shares: np.ndarray, means: np.ndarray) -> np.ndarray:
    """`sum_c q_cs x_cs` `(S,)`, missing trials imputed from `means` `(C, S)`; NaN if all chosen cells are missing."""
    known = np.isfinite(scores) & (shares > 0)
    weight = np.where(known, shares, 0.0).sum(axis=0)
    shift = np.where(known, shares * (scores - means), 0.0).sum(axis=0)
    level = np.where(shares > 0, shares * means, 0.0).sum(axis=0)
    return np.where(weight > 0, level + shift / np.where(weight > 0, weight, 1.0), np.nan)


def _widening(shares: np.ndarray) -> float:
    """Factor on the standard error of held-out values, from the choices for each seed `(C, S)`."""
    apart = np.abs(shares[:, 0] - shares[:, 1]).sum() / 2  # seeds at positions of equal parity share a choice
    return float(np.sqrt(1 + apart / 2))
