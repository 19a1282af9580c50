"""Chooses cells on one half of the seeds and scores them on the other, for arrays of any leading shape.

If the same seeds choose and score, the best of many cells looks better, and the worst looks worse, than it is
(winner's curse). Every score here that picks a cell therefore picks it with the other half of the seeds.

Why halves, and not all other seeds: suppose that several cells are equally good, as for a robust loss. Choices that
share all but one seed either agree, and then report the mean by which they were chosen, or they disagree. The
variance of the mean of such scores is 2 to 5 times what their spread shows. Intervals made for 95 %, with the
correction of Nadeau and Bengio, miss the truth in 7 to 12 % of cases at 5 seeds, 13 to 20 % at 10 and 18 to 31 % at
20 (5 to 200 equal cells with independent noise). Choices on halves share no seed. The scores of the two halves are
correlated by at most 0.32 (two equal cells), and intervals widened by `half_widening` miss in 1 to 6 % at 2 to 20
seeds. The disadvantage is that the score is that of tuning on half of the seeds.
"""

import math

import numpy as np

from analysis.statistics.intervals.jackknife import TOO_FEW
from analysis.statistics.intervals.student import LEVEL, Estimate, student_estimate
from analysis.statistics.scores.selection import DECIMALS, NONE

#: Note on two choices whose scores cannot differ.
SAME = "same configuration chosen"


def choosing_seeds(seeds: int) -> np.ndarray:
    """Which seeds choose for each seed, `(S, S)`, one row for each seed: those at positions of the other parity."""
    place = np.arange(seeds) % 2
    return place[:, None] != place[None, :]


def means_of_other_half(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each seed, the mean over the other half of the seeds and the count of finite scores, `(..., C, S)` each."""
    known = np.isfinite(scores)
    choosing = choosing_seeds(scores.shape[-1]).T.astype(float)
    count = known @ choosing
    mean = np.divide(
        np.where(known, scores, 0.0) @ choosing, count, out=np.full(scores.shape, np.nan), where=count > 0
    )
    return np.round(mean, DECIMALS), count


def held_out_cells(validation: np.ndarray, *, worst: bool = False) -> np.ndarray:
    """For each seed, the best (or worst) cell by the mean over the other half: `(..., C, S)` to `(..., S)`.

    Only cells with the largest number of scores in that half take part, so that an unfinished cell cannot win by
    luck. Among equal cells the first is taken. `NONE` where the other half has no scores.
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
    """Student's interval of held-out values `(S,)`, one at each seed, widened by `half_widening`; needs two seeds."""
    known = np.isfinite(by_seed)
    if not known.any():
        note = note or (TOO_FEW if len(by_seed) < 2 else "no complete seed")
    widen = half_widening(int(known.sum()))
    return student_estimate(by_seed, level=level, bounds=bounds, note=note, widen=widen)


def half_widening(seeds: int) -> float:
    """Factor on the standard error of the mean of held-out values: `max(sqrt(3 / 2), S / (S - 1))`.

    The scores of the halves are correlated, because each half chooses by the values that score the other half's
    choice. For C equal cells with normal noise the correlation is `E[max of C]^2 / (C - 1)`: 0.32 for two cells, and
    less for more. With fewer than three seeds in a half, the estimate of the spread loses more, and the second term
    is the larger one.
    """
    return max(math.sqrt(1.5), seeds / (seeds - 1)) if seeds > 1 else 1.0
