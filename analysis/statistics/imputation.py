"""What a few missing trials would have scored, so that a mean over the space need not leave out their seeds.

One missing trial in thirty leaves hardly a seed that knows every configuration; averages over the space, and all
comparisons paired by seed, would then rest on one or two of five seeds, or on none.
"""

from dataclasses import dataclass

import numpy as np

from analysis.wording import counted

#: Share of the measure that a seed must know to enter.
LEAST_KNOWN = 0.8


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Scores with gaps filled in."""

    scores: np.ndarray  # (C, S), NaN for seeds that do not enter
    count: int  # trials filled in
    widen: float  # factor on the standard error of means over the space

    def told(self, note: str) -> str:
        """A note on a score, with how many trials were filled in for it."""
        return "; ".join(
            filter(None, [note, f"{counted(self.count, 'trial')} filled in" if self.count else ""])
        )


def fill_gaps(scores: np.ndarray, weights: np.ndarray) -> Filled:
    """Missing trials of `(C, S)` from an additive fit of cell and seed, `x_cs = m_c + b_s + e_cs`.

    Least squares over the known trials (two-way layout with unequal numbers, Yates 1933): what a seed shifts alike in
    all cells is known from its other trials; the rest is noise, whose mean is 0. It takes trials to be missing for
    reasons that have nothing to do with their score. Seeds that know less than `LEAST_KNOWN` of the measure do not
    enter, as those that still run. Nothing is filled in unless more than half of the others know each cell: two seeds
    never fill each other. Cells without a share play no part.

    A filled trial has no noise of its own, so means over the space of filled seeds spread less than those of whole
    ones, and less is known of each cell: with a share f of the trials' measure filled in, both times some f of the
    variance. Their standard error is therefore taken `1 / (1 - f)` times as large.
    """
    known = np.isfinite(scores) & (weights > 0)[:, None]
    enters = weights @ known >= LEAST_KNOWN - 1e-9
    gaps = ~known & (weights > 0)[:, None] & enters
    often = (known & enters).sum(axis=1) > enters.sum() / 2
    kept = np.where(enters, scores, np.nan)
    if not gaps.any() or not often[weights > 0].all():
        return Filled(scores=scores, count=0, widen=1.0)
    share = float((weights @ gaps).sum() / enters.sum())
    fitted = _additive_fit(scores, known & enters)
    return Filled(scores=np.where(gaps, fitted, kept), count=int(gaps.sum()), widen=1 / (1 - share))


def _additive_fit(scores: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`m_c + b_s` `(C, S)`: the normal equations with the cells eliminated, `S x S`; the shifts b sum to 0."""
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    values = np.where(known, scores, 0.0)
    mean = values.sum(axis=1, keepdims=True) / count
    rest = np.where(known, scores - mean, 0.0).sum(axis=0)
    seen = known.astype(float)
    shift = np.linalg.lstsq(np.diag(seen.sum(axis=0)) - seen.T @ (seen / count), rest, rcond=None)[0]
    level = np.where(known, scores - shift, 0.0).sum(axis=1, keepdims=True) / count
    return level + shift
