"""The performance profile: how much of the space scores at least a threshold."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW
from analysis.statistics.intervals.student import mean_and_spread
from analysis.statistics.scores.tolerance import CONSERVATIVE, known_cells

_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Share of the space at or above each threshold. The band holds for all thresholds at once."""

    thresholds: np.ndarray  # (T,) increasing
    share: np.ndarray  # (T,), falling
    low: np.ndarray  # (T,), NaN where there is no band
    high: np.ndarray  # (T,)
    seeds: int
    method: str = ""
    note: str = ""


def profile(
    scores: np.ndarray,
    weights: np.ndarray,
    thresholds: np.ndarray,
    *,
    note: str = "",
) -> Profile:
    """`P(t) = sum_c w_c [ m_c >= t ]`, the share of the measure whose mean over seeds is at least t.

    Its shape is that of the score distributions of Agarwal et al. (2021), "Deep RL at the edge of the statistical
    precipice", section 4.2. They count single runs, where luck spreads the curve; here a configuration counts once,
    by its mean over seeds, because the question is how much of the space is good. Simultaneous intervals of the cells
    `(C, S)` over seeds (`bands_moderated`) give a band of the whole curve: the profiles of their lower and upper
    ends. The band is over seeds, with these configurations given, is conservative, and needs 5 seeds. NaN without
    trials.
    """
    thresholds = np.sort(np.asarray(thresholds, dtype=float))
    known, shares = known_cells(scores, weights)
    cells = scores[known]
    seeds = int(np.isfinite(cells).any(axis=0).sum()) if len(cells) else 0
    empty = np.full(len(thresholds), np.nan)
    if not len(cells):
        return Profile(
            thresholds=thresholds, share=empty, low=empty, high=empty, seeds=0, note=note or "no trials"
        )
    share = _share_above(mean_and_spread(cells)[0], shares, thresholds)
    if note or seeds < LEAST_SEEDS:
        note = note or TOO_FEW
        return Profile(thresholds=thresholds, share=share, low=empty, high=empty, seeds=seeds, note=note)
    low, high = moderated_bands(cells)
    # a cell with one known seed has no interval, so its mean may be anything
    return Profile(
        thresholds=thresholds,
        share=share,
        low=_share_above(np.nan_to_num(low, nan=-np.inf), shares, thresholds),
        high=_share_above(np.nan_to_num(high, nan=np.inf), shares, thresholds),
        seeds=seeds,
        method=CONSERVATIVE,
    )


def _share_above(means: np.ndarray, shares: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """`sum_c w_c [m_c >= t]` for every t, computed with one sort."""
    order = np.argsort(means, kind="stable")
    above = np.append(np.cumsum(shares[order][::-1])[::-1], 0.0)
    return np.minimum(above[np.searchsorted(means[order], thresholds - _ROUNDING, side="left")], 1.0)
