"""Tuned scores of adaptive searches against a reference, paired by seed, with Holm's correction over all of them.

An adaptive search has nothing but tuned scores. Other studies have decisions (`comparisons.decisions`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.statistics.intervals.pairs import filled_pairs, pair_error, pair_estimate
from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread
from analysis.statistics.scores.pairs_of_seeds import shared_pairs
from analysis.statistics.scores.robustness import RobustnessSummary

BETTER, WORSE, UNDECIDED, IDENTICAL = "better", "worse", "undecided", "identical"
INCOMPLETE, TOO_FEW = "incomplete", "too few seeds"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The tuned score of one arm minus that of another, over the seeds that both arms have.

    Tuned scores average over ordered pairs of seeds, of which one selects the configuration and the other one reports
    its score (`intervals.pairs`).
    """

    arm: str
    reference: str
    difference: (
        Estimate  # in the metric's raw unit; its interval is that of one comparison, without correction
    )
    deviation: float  # standard error of the difference times sqrt(S); NaN below two seeds
    p: float  # two-sided paired t test, NaN where there is none
    p_holm: float  # after Holm's correction over all comparisons, NaN where there is none
    verdict: str  # better | worse | undecided | identical | incomplete | too few seeds


def compare_arms(
    summaries: Sequence[RobustnessSummary], reference: str, *, span: float = 1.0
) -> list[Comparison]:
    """Compares the tuned score of every other arm with that of `reference`. Differences lie within `span` of 0.

    The test is the paired t test over seeds, with the error of `intervals.pairs`. Differences without spread are
    special: "identical" if all are zero, and "undecided" if all are equal but not zero, because no spread gives no
    error estimate.
    """
    (rival,) = (summary for summary in summaries if summary.arm == reference)
    raw = [_compare(summary, rival, span) for summary in summaries if summary is not rival]
    adjusted = holm(np.array([item.p for item in raw]))
    return [
        replace(item, p_holm=float(p), verdict=item.verdict or _verdict(item, p))
        for item, p in zip(raw, adjusted, strict=True)
    ]


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


def _compare(arm: RobustnessSummary, reference: RobustnessSummary, span: float) -> Comparison:
    incomplete = not (arm.complete and reference.complete)
    shared = np.intersect1d(arm.tuned.seeds, reference.tuned.seeds)
    values = shared_pairs(arm.tuned.pairs, arm.tuned.seeds, shared) - shared_pairs(
        reference.tuned.pairs, reference.tuned.seeds, shared
    )
    paired = np.isfinite(values).any()
    note = "" if paired else "no paired seed"
    difference = pair_estimate(
        values, bounds=(-span, span), step=arm.step, note="provisional" if incomplete and paired else note
    )
    pairs = filled_pairs(values)
    deviation = float(pair_error(pairs.values)[1]) * pairs.widen * math.sqrt(len(pairs.values))
    return Comparison(
        arm=arm.arm,
        reference=reference.arm,
        difference=difference,
        deviation=deviation,
        p=_p(difference, deviation),
        p_holm=math.nan,
        verdict=INCOMPLETE if incomplete else "",
    )


def _p(difference: Estimate, deviation: float) -> float:
    """Two-sided p of Student's test; 1 for equal values of 0, NaN without a spread or below two seeds."""
    if not deviation > 0:
        return 1.0 if deviation == 0 and difference.value == 0 else math.nan
    error = deviation / math.sqrt(difference.seeds)
    return float(2 * stats.t.sf(abs(difference.value) / error, difference.seeds - 1))


def _verdict(item: Comparison, p_holm: float) -> str:
    if item.difference.seeds < 2:
        return TOO_FEW
    if item.deviation == 0:
        return IDENTICAL if item.difference.value == 0 else UNDECIDED
    if p_holm >= 1 - LEVEL:
        return UNDECIDED
    return BETTER if item.difference.value > 0 else WORSE
