"""Where in the space one loss beats another: paired differences by cell, and where the ranking is reversed."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals.bands_moderated import (
    moderated_bands,
    moderated_errors,
    moderated_interval,
)
from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW
from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread
from analysis.statistics.scores.tolerance import conservative_estimate, known_cells


@dataclass(frozen=True, kw_only=True)
class DifferenceSurface:
    """`a - b` of every cell, paired by seed."""

    mean: np.ndarray  # (C,)
    low: np.ndarray  # (C,), interval of each cell alone; NaN below two seeds
    high: np.ndarray  # (C,)
    p: np.ndarray  # (C,), NaN where there is no test
    p_adjusted: np.ndarray  # (C,), after Benjamini and Yekutieli
    better: np.ndarray  # (C,) of bool: a significantly above b
    worse: np.ndarray  # (C,)
    overall: float  # mean over the space
    share_better: float  # of the space
    share_worse: float
    share_reversed: Estimate  # of the space where the difference has the opposite sign of `overall`
    seeds: int


def difference_surface(
    a: np.ndarray,
    b: np.ndarray,
    weights: np.ndarray,
    *,
    failed: np.ndarray | None = None,
    alpha: float = 1 - LEVEL,
    note: str = "",
) -> DifferenceSurface:
    """Paired t tests over seeds in every cell of `(C, S)` and `(C, S)`, corrected over all cells.

    From three seeds on, the deviations of the cells' differences are moderated, so that cells with few seeds share
    what they know about the noise (`intervals.bands_moderated.moderated_errors`). Cells with a failed trial, which
    `failed` `(C,)` names, keep their own.

    The correction is that of Benjamini and Yekutieli (2001, "The control of the false discovery rate in multiple
    testing under dependency"). A map asks which part of the space differs. So the share of wrong cells among the
    coloured ones must stay below `alpha`. The dependence between cells of one seed is unknown; this correction allows
    any dependence, and that of Benjamini and Hochberg does not. Decisions on losses use simultaneous intervals
    (`comparisons.decisions`).

    `share_reversed = sum_c w_c [sign(d_c) = -sign(sum_c w_c d_c)]`. Its conservative interval comes from simultaneous
    intervals of all cells (`bands_moderated`): a cell is surely reversed if its interval lies on the other side of 0
    (at least 5 seeds). The overall sign is taken as observed. Differences of 0 count for neither side.
    """
    difference = a - b
    alike = None if failed is None else ~failed
    known, shares = known_cells(difference, weights)
    mean, low, high = moderated_interval(difference, alike=alike)
    p = paired_tests(difference, alike)
    adjusted = benjamini_yekutieli(p)
    significant = np.nan_to_num(adjusted, nan=1.0) < alpha
    better, worse = significant & (mean > 0), significant & (mean < 0)
    overall = float(shares @ mean[known]) if known.any() else float("nan")
    return DifferenceSurface(
        mean=mean,
        low=low,
        high=high,
        p=p,
        p_adjusted=adjusted,
        better=better,
        worse=worse,
        overall=overall,
        share_better=_share(better[known], shares),
        share_worse=_share(worse[known], shares),
        share_reversed=_reversed(difference[known], shares, overall, note),
        seeds=int(np.isfinite(difference).any(axis=0).sum()),
    )


def paired_tests(differences: np.ndarray, alike: np.ndarray | None = None) -> np.ndarray:
    """Two-sided p `(C,)` for a mean over the seeds of `(C, S)` equal to 0, by `moderated_errors`.

    1 where all differences are 0. NaN below two seeds, and for equal differences other than 0, which give no error
    estimate.
    """
    mean, error, freedom = moderated_errors(differences, alike)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / error
    p = 2 * stats.t.sf(t, np.where(np.isfinite(freedom), freedom, 1.0))
    return np.where(error > 0, p, np.where((error == 0) & (mean == 0), 1.0, np.nan))


def benjamini_yekutieli(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values `(K,)`. A NaN stays NaN but counts among the K tests."""
    if not len(p):
        return p
    adjusted = stats.false_discovery_control(np.nan_to_num(p, nan=1.0), method="by")
    return np.where(np.isnan(p), np.nan, adjusted)


def _share(cells: np.ndarray, shares: np.ndarray) -> float:
    return float(shares[cells].sum()) if len(shares) else float("nan")


def _reversed(difference: np.ndarray, shares: np.ndarray, overall: float, note: str) -> Estimate:
    if not len(shares):
        return Estimate(value=float("nan"), note=note or "no trials")
    seeds = int(np.isfinite(difference).any(axis=0).sum())
    if overall == 0:
        return Estimate(value=0.0, seeds=seeds, note=note or "no difference")
    against = -np.sign(overall) * difference  # above 0 where the ranking is reversed
    value = float(shares[mean_and_spread(against)[0] > 0].sum())
    if note or seeds < LEAST_SEEDS:
        return Estimate(value=value, seeds=seeds, note=note or TOO_FEW)
    low, high = moderated_bands(against)
    surely, possibly = low > 0, ~(high <= 0)
    return conservative_estimate(value, shares[surely].sum(), shares[possibly].sum(), seeds)
