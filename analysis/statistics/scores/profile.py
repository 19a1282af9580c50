"""The performance profile: how much of the space scores at least a threshold, and the area under that curve."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW
from analysis.statistics.intervals.student import Estimate, mean_and_spread, student_estimate
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

    This is the performance profile of Dolan and More (2002), with configurations in place of problems, and of Agarwal
    et al. (2021), "Deep RL at the edge of the statistical precipice". Simultaneous intervals of the cells `(C, S)`
    (`bands_moderated`) give a band of the whole curve: the profiles of their lower and upper ends. The band is
    conservative and needs 5 seeds. NaN without trials.
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


def profile_area(
    scores: np.ndarray, weights: np.ndarray, *, low: float = 0.0, high: float = 1.0, note: str = ""
) -> Estimate:
    """Area under the profile between two thresholds, as a share of the largest possible area.

    `1 / (b - a) integral_a^b P(t) dt = sum_c w_c (clip(m_c, a, b) - a) / (b - a)` of `(C, S)`. Between the bounds of
    the outcome it is the mean over the space, on the scale of the bounds. The interval is Student's for the linear
    part of the score, over the seeds with a score in every cell, after a few missing trials are imputed
    (`imputation`). A cell with a mean outside of [a, b] does not enter the linear part. Needs two seeds.
    """
    known, shares = known_cells(scores, weights)
    mean = mean_and_spread(scores[known])[0]
    free = (mean >= low - _ROUNDING) & (mean <= high + _ROUNDING)
    value = (shares * (np.clip(mean, low, high) - low)).sum() if known.any() else np.nan
    filled = fill_gaps(scores[known], shares)
    by_seed = value + (shares * free) @ (filled.scores - mean[:, None])
    found = student_estimate(by_seed / (high - low), bounds=(0.0, 1.0), note=note, widen=filled.widen)
    if found.seeds:
        return found
    return Estimate(
        value=float(value / (high - low)), note=note or ("no complete seed" if known.any() else "no trials")
    )


def _share_above(means: np.ndarray, shares: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """`sum_c w_c [m_c >= t]` for every t, computed with one sort."""
    order = np.argsort(means, kind="stable")
    above = np.append(np.cumsum(shares[order][::-1])[::-1], 0.0)
    return np.minimum(above[np.searchsorted(means[order], thresholds - _ROUNDING, side="left")], 1.0)
