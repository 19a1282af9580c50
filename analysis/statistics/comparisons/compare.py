"""Comparisons of arms with a reference, paired by seed, with Holm's correction over all comparisons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.statistics.comparisons.power import detectable_effect
from analysis.statistics.intervals.student import (
    LEVEL,
    Estimate,
    mean_and_spread,
    paired_differences,
    student_estimate,
)
from analysis.statistics.scores.robustness import RobustnessSummary

BETTER, WORSE, UNDECIDED, IDENTICAL = "better", "worse", "undecided", "identical"
INCOMPLETE, TOO_FEW = "incomplete", "too few seeds"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One score of one arm minus that of another, over the seeds that both arms have.

    Tuned scores are cross-fitted: no seed both chooses a configuration and reports its score. Their standard error is
    widened (`statistics.cross_fitting.half_widening`). So is the standard error of means with imputed trials
    (`statistics.imputation`).
    """

    arm: str
    reference: str
    score: str  # "tuned" | "mean"
    difference: (
        Estimate  # in the metric's raw unit; its interval is that of one comparison, without correction
    )
    deviation: float  # of the paired differences, times `widen`; NaN below two seeds
    p: float  # two-sided paired t test, NaN where there is none
    p_holm: float  # after Holm's correction over all comparisons, NaN where there is none
    detectable: float  # smallest difference found with power 0.8 at the corrected level, inf below two seeds
    verdict: str  # better | worse | undecided | identical | incomplete | too few seeds


def compare_arms(
    summaries: Sequence[RobustnessSummary],
    pairs: Sequence[tuple[str, str]],
    *,
    scores: Sequence[str] = ("tuned", "mean"),
    span: float = 1.0,
) -> list[Comparison]:
    """Compares every pair (arm, reference) in every score. Differences lie within `span` of 0.

    The test is the paired t test over seeds. Differences without spread are special: "identical" if all are zero, and
    "undecided" if all are equal but not zero, because no spread gives no error estimate.
    """
    by_arm = {summary.arm: summary for summary in summaries}
    raw = [
        _compare(by_arm[arm], by_arm[reference], score, span) for score in scores for arm, reference in pairs
    ]
    adjusted = holm(np.array([item.p for item in raw]))
    return [_decided(item, p, len(raw)) for item, p in zip(raw, adjusted, strict=True)]


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values `(K,)` (Holm 1979). A NaN stays NaN but counts among the K tests."""
    order = np.argsort(np.where(np.isnan(p), np.inf, p), kind="stable")
    factors = len(p) - np.arange(len(p))
    stepped = np.fmax.accumulate(np.minimum(p[order] * factors, 1.0)) if len(p) else p
    adjusted = np.empty_like(p)
    adjusted[order] = np.where(np.isnan(p[order]), np.nan, stepped)
    return adjusted


def paired_p(differences: np.ndarray, *, widen: float = 1.0) -> float:
    """Two-sided p for a mean of `(P,)` equal to 0. 1 if all are zero, NaN without spread or below two values.

    `widen` multiplies the standard error.
    """
    known = differences[np.isfinite(differences)]
    if len(known) < 2:
        return math.nan
    mean, deviation, count = mean_and_spread(known)
    if deviation == 0:
        return 1.0 if mean == 0 else math.nan
    return float(2 * stats.t.sf(abs(mean) / (widen * deviation) * math.sqrt(count), count - 1))


def _compare(arm: RobustnessSummary, reference: RobustnessSummary, score: str, span: float) -> Comparison:
    differences, _ = paired_differences(
        _by_seed(arm, score), arm.tuned.seeds, _by_seed(reference, score), reference.tuned.seeds
    )
    widen = max(_widen(arm, score), _widen(reference, score))
    incomplete = not (arm.complete and reference.complete)
    paired = np.isfinite(differences).any()
    return Comparison(
        arm=arm.arm,
        reference=reference.arm,
        score=score,
        difference=student_estimate(
            differences,
            bounds=(-span, span),
            note="provisional" if incomplete and paired else "",
            widen=widen,
            empty="no paired seed",
        ),
        deviation=widen * float(mean_and_spread(differences)[1]),
        p=paired_p(differences, widen=widen),
        p_holm=math.nan,
        detectable=math.inf,
        verdict=INCOMPLETE if incomplete else "",
    )


def _widen(summary: RobustnessSummary, score: str) -> float:
    return summary.tuned.widen if score == "tuned" else summary.mean_widen


def _by_seed(summary: RobustnessSummary, score: str) -> np.ndarray:
    return summary.tuned.scores if score == "tuned" else summary.mean_by_seed


def _decided(item: Comparison, p_holm: float, family: int) -> Comparison:
    seeds = item.difference.seeds
    # at the first and strictest step of Holm's correction, so that the number holds for every comparison
    effect = detectable_effect(seeds=seeds, alpha=(1 - LEVEL) / family) if item.deviation > 0 else math.nan
    verdict = item.verdict or _verdict(item, p_holm)
    detectable = math.inf if seeds < 2 else item.deviation * effect
    return replace(item, p_holm=float(p_holm), detectable=detectable, verdict=verdict)


def _verdict(item: Comparison, p_holm: float) -> str:
    if item.difference.seeds < 2:
        return TOO_FEW
    if item.deviation == 0:
        return IDENTICAL if item.difference.value == 0 else UNDECIDED
    if p_holm >= 1 - LEVEL:
        return UNDECIDED
    return BETTER if item.difference.value > 0 else WORSE
