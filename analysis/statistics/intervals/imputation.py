"""Imputes a few missing trials, so that a mean over the space need not leave out their seeds.

With one missing trial in thirty, hardly any seed has every configuration. Means over the space, and all comparisons
paired by seed, would then use one or two of five seeds, or none.
"""

from dataclasses import dataclass

import numpy as np

from analysis.wording import counted

#: Least share of the measure with known scores for a seed to be used.
LEAST_KNOWN = 0.8


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Scores with imputed trials."""

    scores: np.ndarray  # (C, S), NaN for seeds that are not used
    count: int  # number of imputed trials
    widen: float  # factor on the standard error of means over the space

    def with_count(self, note: str) -> str:
        """The note of a score, with the number of imputed trials added."""
        return "; ".join(
            filter(None, [note, f"{counted(self.count, 'trial')} filled in" if self.count else ""])
        )


def fill_gaps(scores: np.ndarray, weights: np.ndarray) -> Filled:
    """Imputes missing trials of `(C, S)` by an additive fit of cell and seed, `x_cs = m_c + b_s + e_cs`.

    The fit is least squares over the known trials (two-way layout with unequal numbers, Yates 1933). The shift that a
    seed gives to all cells is known from its other trials; the rest is noise with mean 0. The fit assumes that trials
    are missing for reasons that do not depend on their score. Seeds with less than `LEAST_KNOWN` of the measure known
    are not used, for example seeds that still run. Nothing is imputed unless more than half of the used seeds know
    each cell, so two seeds never fill each other's gaps. Cells of zero weight play no part.

    An imputed trial has no noise of its own. So means over the space of imputed seeds spread less than those of
    complete seeds, and less is known of each cell. With a share f of the trials' measure imputed, each of the two
    effects is about f of the variance. The standard error of the means is therefore multiplied by `1 / (1 - f)`.
    """
    known = np.isfinite(scores) & (weights > 0)[:, None]
    enters = weights @ known >= LEAST_KNOWN - 1e-9
    gaps = ~known & (weights > 0)[:, None] & enters
    often = (known & enters).sum(axis=1) > enters.sum() / 2
    kept = np.where(enters, scores, np.nan)
    if not gaps.any() or not often[weights > 0].all():
        return Filled(scores=scores, count=0, widen=1.0)
    share = float((weights @ gaps).sum() / enters.sum())
    fitted = additive_fit(scores, known & enters)
    return Filled(scores=np.where(gaps, fitted, kept), count=int(gaps.sum()), widen=1 / (1 - share))


def additive_fit(scores: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`m_c + b_s` `(C, S)`, least squares over the known scores, by the normal equations with the cells eliminated.

    The shifts b sum to 0.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    values = np.where(known, scores, 0.0)
    mean = values.sum(axis=1, keepdims=True) / count
    rest = np.where(known, scores - mean, 0.0).sum(axis=0)
    seen = known.astype(float)
    shift = np.linalg.lstsq(np.diag(seen.sum(axis=0)) - seen.T @ (seen / count), rest, rcond=None)[0]
    level = np.where(known, scores - shift, 0.0).sum(axis=1, keepdims=True) / count
    return level + shift
