"""Cells chosen on one half of the seeds and scored on the other, each half in turn, for arrays of any leading shape.

Chosen and scored on the same seeds, the best of many cells looks better, and the worst looks worse, than it is
(winner's curse). Every score that picks a cell here lets the seeds of the other half pick.

Why halves, and not all the other seeds but one: where several cells are equally good, as for a robust loss, choices
that share all but one seed either agree, and then report the very mean that they were chosen by, or they do not.
The variance of the mean of such scores is 2 to 5 times what their spread shows: of intervals made for 95 %, with
Nadeau and Bengio's correction, 7 to 12 % miss the truth at 5 seeds, 13 to 20 % at 10 and 18 to 31 % at 20 (equal
cells of independent noise, 5 to 200 of them). Choices on halves share nothing; the two halves' scores are
correlated by 0.32 at most (two equal cells), and intervals widened as below miss 1 to 6 % at 2 to 20 seeds. The
price: the score is that of tuning on half of the seeds.
"""

import math

import numpy as np

from analysis.statistics.intervals import LEVEL, Estimate, student_estimate
from analysis.statistics.jackknife import TOO_FEW
from analysis.statistics.selection import DECIMALS, NONE

#: Why scores of two choices do not differ.
SAME = "same configuration chosen"


def choosing_seeds(seeds: int) -> np.ndarray:
    """Which seeds `(S, S)` choose for each seed, in rows: those at the other parity of place."""
    place = np.arange(seeds) % 2
    return place[:, None] != place[None, :]


def means_of_other_half(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each seed, the mean over the other half of the seeds and the number known there, `(..., C, S)` each."""
    known = np.isfinite(scores)
    choosing = choosing_seeds(scores.shape[-1]).T.astype(float)
    count = known @ choosing
    mean = np.divide(
        np.where(known, scores, 0.0) @ choosing, count, out=np.full(scores.shape, np.nan), where=count > 0
    )
    return np.round(mean, DECIMALS), count


def held_out_cells(validation: np.ndarray, *, worst: bool = False) -> np.ndarray:
    """For each seed the best (or worst) cell by the mean over the other half: `(..., C, S)` to `(..., S)`.

    Only cells with the most seeds known there take part, so that a half-run cell cannot win by luck; the first of
    equals, `NONE` where the other half knows nothing.
    """
    mean, count = means_of_other_half(validation)
    most = count.max(axis=-2, keepdims=True, initial=0)
    if not validation.shape[-2]:
        return np.full(most[..., 0, :].shape, NONE)
    signed = np.where((count == most) & (count > 0), -mean if worst else mean, -np.inf)
    return np.where(most[..., 0, :] > 0, signed.argmax(axis=-2), NONE)


def held_out_estimate(
    by_seed: np.ndarray,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    note: str = "",
) -> Estimate:
    """Student's interval of held-out values `(S,)`, one a seed, `half_widening` as wide; needs two seeds."""
    known = np.isfinite(by_seed)
    if not known.any():
        note = note or (TOO_FEW if len(by_seed) < 2 else "no complete seed")
    widen = half_widening(int(known.sum()))
    return student_estimate(by_seed, level=level, bounds=bounds, note=note, widen=widen)


def half_widening(seeds: int) -> float:
    """Factor on the standard error of the mean of held-out values: `max(sqrt(3 / 2), S / (S - 1))`.

    The halves' scores are correlated: each half chooses by what the other is scored with. For C equal cells of normal
    noise that correlation is `E[max of C]^2 / (C - 1)`, 0.32 for two cells and falling; under three half seeds more
    is lost in estimating the spread.
    """
    return max(math.sqrt(1.5), seeds / (seeds - 1)) if seeds > 1 else 1.0
