"""Whether two losses are equal as far as it matters: two one-sided tests, paired over seeds."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals import LEVEL, Estimate, mean_and_spread, student_interval

EQUIVALENT, NOT_SHOWN, NOT_TESTED = "equivalent", "not shown", "too few seeds"


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Outcome of the test that a difference lies within -+ `margin`."""

    margin: float
    p: float  # NaN where there is no test
    difference: Estimate  # with the interval of level 1 - 2 alpha: within the margin where equivalent
    verdict: str  # equivalent | not shown | too few seeds


def equivalence_test(
    differences: np.ndarray, margin: float, *, alpha: float = 1 - LEVEL, widen: float = 1.0
) -> Equivalence:
    """TOST of Schuirmann (1987) on the paired differences `(S,)` of a score.

    `p = max( P(T > (D + margin) / se), P(T < (D - margin) / se) )`, T Student's with S - 1 degrees of freedom,
    `se = widen sd / sqrt(S)`; equivalent where p < alpha, that is where the interval of level 1 - 2 alpha lies within
    the margin. Not significantly different is not the same: that may mean too few seeds. Differences without spread
    are certain: p is 0 within the margin, 1 outside. `widen` is that of cross-fitted scores. Needs two seeds.

    Raises `ValueError` for a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"margin: got {margin}; a number above 0 is needed")
    values = np.asarray(differences, dtype=float)
    mean, deviation, count = (item.item() for item in mean_and_spread(values))
    if count < 2:
        difference = Estimate(value=mean, seeds=int(count), note=NOT_TESTED if count else "no trials")
        return Equivalence(margin=margin, p=math.nan, difference=difference, verdict=NOT_TESTED)
    _, low, high = student_interval(values, level=1 - 2 * alpha, widen=widen)
    p = _tost_p(mean, widen * deviation / math.sqrt(count), int(count), margin)
    difference = Estimate(
        value=mean,
        low=float(low),
        high=float(high),
        seeds=int(count),
        method=f"Student, level {1 - 2 * alpha:.3g}",
    )
    return Equivalence(
        margin=margin, p=p, difference=difference, verdict=EQUIVALENT if p < alpha else NOT_SHOWN
    )


def _tost_p(mean: float, error: float, count: int, margin: float) -> float:
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return float(stats.t.sf((margin - abs(mean)) / error, count - 1))
