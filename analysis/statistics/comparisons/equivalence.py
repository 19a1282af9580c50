"""Tests of equivalence of two losses within a margin: two one-sided tests, paired over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.statistics.comparisons.compare import holm
from analysis.statistics.intervals.student import (
    LEVEL,
    Estimate,
    mean_and_spread,
    paired_differences,
    student_interval,
)
from analysis.statistics.scores.robustness import RobustnessSummary

EQUIVALENT, NOT_SHOWN, NOT_TESTED = "equivalent", "not shown", "too few seeds"
#: Verdict where trials are missing, because they may change the result.
INCOMPLETE = "incomplete"


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Result of the test that a difference lies within -+ `margin`."""

    margin: float
    p: float  # NaN where there is no test
    p_holm: float  # after Holm's correction over all losses tested (`corrected`); p itself before
    difference: Estimate  # with this test's interval of level 1 - 2 alpha: inside the margin where p < alpha
    verdict: str  # equivalent | not shown | too few seeds | incomplete


def equivalence_test(
    differences: np.ndarray,
    margin: float,
    *,
    alpha: float = 1 - LEVEL,
    widen: float = 1.0,
    note: str = "",
) -> Equivalence:
    """TOST of Schuirmann (1987) on the paired differences `(S,)` of a score.

    `p = max( P(T > (D + margin) / se), P(T < (D - margin) / se) )` with T Student's with S - 1 degrees of freedom and
    `se = widen sd / sqrt(S)`. The losses are equivalent where p < alpha, that is, where the interval of level 1 - 2
    alpha lies within the margin. "Not significantly different" is a weaker statement, which may only mean too few
    seeds. Differences without spread are certain: p is 0 within the margin and 1 outside. `widen` is the factor for
    cross-fitted scores. The test needs two seeds. With a `note` that the scores are provisional, nothing is tested.
    For tests of several losses use `corrected`.

    Raises `ValueError` for a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"margin: got {margin}; a number above 0 is needed")
    values = np.asarray(differences, dtype=float)
    mean, deviation, count = (item.item() for item in mean_and_spread(values))
    if count < 2 or note:
        lacking = note or (NOT_TESTED if count else "no trials")
        return Equivalence(
            margin=margin,
            p=math.nan,
            p_holm=math.nan,
            difference=Estimate(value=mean, seeds=int(count), note=lacking),
            verdict=INCOMPLETE if note else NOT_TESTED,
        )
    _, low, high = student_interval(values, level=1 - 2 * alpha, widen=widen)
    p = _tost_p(mean, widen * deviation / math.sqrt(count), int(count), margin)
    difference = Estimate(
        value=mean,
        low=float(low),
        high=float(high),
        seeds=int(count),
        method=f"Student, level {1 - 2 * alpha:.3g}",
    )
    return Equivalence(margin=margin, p=p, p_holm=p, difference=difference, verdict=_verdict(p, alpha))


def equivalence_of_arms(
    summaries: Sequence[RobustnessSummary], reference: str, margin: float
) -> dict[str, Equivalence]:
    """Tests the mean over the space of every arm against the reference's, paired by seed.

    The tests are corrected as one family.
    """
    by_arm = {summary.arm: summary for summary in summaries}
    rival = by_arm.pop(reference)
    tests = []
    for item in by_arm.values():
        differences, _ = paired_differences(
            item.mean_by_seed, item.tuned.seeds, rival.mean_by_seed, rival.tuned.seeds
        )
        note = "" if item.complete and rival.complete else "trials missing"
        widen = max(item.mean_widen, rival.mean_widen)
        # a margin of 0 accepts equal scores only
        tests.append(equivalence_test(differences, margin or 1e-12, widen=widen, note=note))
    return dict(zip(by_arm, corrected(tests), strict=True))


def corrected(tests: Sequence[Equivalence], *, alpha: float = 1 - LEVEL) -> list[Equivalence]:
    """The tests of all losses of a study as one family: verdicts by Holm's adjusted p.

    The chance that any loss is falsely called equivalent then stays below `alpha`. Without the correction, that
    chance is 17 to 25 % for five losses whose difference equals the margin.
    """
    adjusted = holm(np.array([item.p for item in tests]))
    return [
        item if math.isnan(item.p) else replace(item, p_holm=float(p), verdict=_verdict(p, alpha))
        for item, p in zip(tests, adjusted, strict=True)
    ]


def _verdict(p: float, alpha: float) -> str:
    return EQUIVALENT if p < alpha else NOT_SHOWN


def _tost_p(mean: float, error: float, count: int, margin: float) -> float:
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return float(stats.t.sf((margin - abs(mean)) / error, count - 1))
