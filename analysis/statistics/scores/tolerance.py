"""How much of the space lies within a tolerance of the best cell, of the arm or of all losses."""

import numpy as np

from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW
from analysis.statistics.intervals.moderated import gaps_to_best
from analysis.statistics.intervals.student import Estimate, mean_and_spread

CONSERVATIVE = "simultaneous intervals of all cells, conservative"

#: Why such an interval has no width.
NO_DOUBT = "no configuration in doubt"

#: A cell exactly `eps` below the best is inside. Rounding of its mean must not exclude it.
_ROUNDING = 1e-12


def tolerance_volume(
    scores: np.ndarray,
    weights: np.ndarray,
    *,
    eps: float,
    rivals: np.ndarray | None = None,
    alive: np.ndarray | None = None,
    note: str = "",
) -> Estimate:
    """Share of the space whose mean over seeds is within `eps` of the best cell, of the arm or of all losses.

    `sum_c w_c [ m_c >= max_b m_b - eps ]`, with b over the cells of `scores` `(C, S)` and of `rivals` `(R, S)`, the
    cells of the other losses at the same seeds. Without rivals the best cell is the arm's. A cell in which no trial
    finished (`alive` `(C,)` false) is outside. After the performance profiles of Dolan and More (2002), "Benchmarking
    optimization software with performance profiles", with configurations in place of problems.

    The best of noisy cells is biased upwards, so the interval is conservative. Its lower end counts the cells whose
    distance to the best is surely within eps, its upper end those for which it may be, for all cells at once
    (`intervals_moderated.gaps_to_best`). The arm's best cell is always inside. So the share is at least the smallest
    share of the cells that may be the best. The interval needs 5 seeds.
    """
    known, shares = known_cells(scores, weights)
    if not known.any():
        return Estimate(value=float("nan"), note=note or "no trials")
    inside_allowed = np.ones(int(known.sum()), dtype=bool) if alive is None else alive[known]
    pool = scores[known] if rivals is None else np.concatenate([scores[known], _any_known(rivals)])
    mean = mean_and_spread(pool)[0]
    cells = len(shares)
    value = float(shares[(mean[:cells] >= mean.max() - eps - _ROUNDING) & inside_allowed].sum())
    seeds = int(np.isfinite(pool).any(axis=0).sum())
    if note or seeds < LEAST_SEEDS:
        return Estimate(value=value, seeds=seeds, note=note or TOO_FEW)
    low, high = (end[:cells] for end in gaps_to_best(pool))
    inside, outside = (low >= -eps) & inside_allowed, (high < -eps) | ~inside_allowed
    least = max(shares[inside].sum(), _least_best(high, shares * inside_allowed) if rivals is None else 0.0)
    return conservative_estimate(value, least, 1 - shares[outside].sum(), seeds)


def _least_best(high: np.ndarray, shares: np.ndarray) -> float:
    """The smallest share among the cells whose distance to the best `(C,)` may be 0; one of them is the best."""
    may_be_best = shares[~(high < 0)]
    return float(may_be_best.min()) if len(may_be_best) else 0.0


def conservative_estimate(value: float, low: float, high: float, seeds: int) -> Estimate:
    """An estimate whose ends are sums of shares, clipped to [0, 1].

    Rounding may put an end past the value by an ulp, so the ends are clipped at the value too.
    """
    low, high = min(max(float(low), 0.0), value), max(min(float(high), 1.0), value)
    return Estimate(
        value=value,
        low=low,
        high=high,
        seeds=seeds,
        method=CONSERVATIVE,
        note=NO_DOUBT if low == high else "",
    )


def known_cells(scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cells `(C,)` of `(C, S)` have nonzero weight and a known trial, and their shares, with sum 1."""
    known = np.isfinite(scores).any(axis=-1) & (weights > 0)
    return known, weights[known] / max(weights[known].sum(), np.finfo(float).tiny)


def _any_known(scores: np.ndarray) -> np.ndarray:
    return scores[np.isfinite(scores).any(axis=-1)]
