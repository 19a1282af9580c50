"""Intervals of the differences between losses and a reference that all hold at once, over all questions of a study.

The chance of error is divided equally over all comparisons and questions (Bonferroni's inequality), which holds for
any dependence between them. All functions allow leading batch axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.comparisons.blocks import block_errors
from analysis.statistics.comparisons.loss_values import AVERAGE, BAD_LUCK, LossValues
from analysis.statistics.intervals.student import LEVEL

#: Why an interval is withheld, by code. 0 is for intervals that stand.
REASONS = (
    "",
    "trials are missing",
    "two seeds are needed at least",
    "three seeds are needed: one to choose, and two to show the noise of the score",
    "two losses at two seeds show too little noise: a third seed is needed",
    "trials failed at one of two seeds only: a third seed is needed",
    "one loss varies more between its two seeds than the others: a third seed is needed",
    "trials failed at some seeds only: five seeds are needed for the worst tenth",
    "more than 20 seeds after an earlier look: no chance of error is left to use",
    "the scores do not vary between seeds",
)
_MISSING, _ONE_SEED, _NO_PAIRS, _TWO_LOSSES, _FAILED, _UNLIKE, _FAILED_WORST, _NO_ERROR, _NO_SPREAD = range(
    1, len(REASONS)
)

#: Seeds from which on the worst tenth is compared where configurations fail at some seeds only.
_SEEDS_OF_FAILURES = 5
#: Part of a score's value below which an error is rounding.
_ROUNDING = 1e-11


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Differences of L losses from the reference in one question; the reference's own row is 0."""

    value: np.ndarray  # (..., L), NaN where trials are missing
    half: np.ndarray  # (..., L), half-width of the simultaneous interval; NaN where it is withheld
    alone: np.ndarray  # (..., L), half-width of the interval of level `LEVEL` of this comparison alone
    reason: np.ndarray  # (..., L) of int, place in `REASONS`
    own: np.ndarray  # (..., L) of bool, whether the error is of the comparison's own pairs and not pooled
    freedom: np.ndarray  # (...,), degrees of freedom of the pooled error


def simultaneous_intervals(
    losses: Sequence[LossValues], reference: int, question: str, error: float, comparisons: int
) -> Intervals:
    """Intervals of one question for losses with the same seeds, one of them the reference.

    `error` is the chance of any error in a family of `comparisons` intervals. Where one loss varies more between
    seeds than its cells and the other losses explain, its differences have the larger of the pooled interval and that
    of their own pairs of values, with S - 1 degrees of freedom.
    """
    values = np.stack([loss.by_seed[question] for loss in losses], axis=-2)
    seeds = values.shape[-1]
    mean = np.stack([loss.mean[question] for loss in losses], axis=-1)
    known = np.isfinite(values).all(axis=-1)
    cell = np.stack([loss.cell_error[question] for loss in losses], axis=-1)
    explained = np.stack([loss.explained[question] for loss in losses], axis=-1)
    blocks = block_errors(values, cell, explained, reference=reference)
    widen = _larger(np.stack([loss.widen for loss in losses], axis=-1), reference)
    pooled = widen * np.hypot(blocks.error, blocks.error[..., reference, None])
    paired = widen * blocks.paired
    own = blocks.unlike | blocks.unlike[..., reference, None]

    def half_width(level: float) -> np.ndarray:
        both = stats.t.ppf(0.5 + level / 2, np.maximum(blocks.freedom, 1))[..., None] * pooled
        alone = stats.t.ppf(0.5 + level / 2, max(seeds - 1, 1)) * paired
        return np.where(own, np.maximum(both, alone), both)

    reason = _reasons(losses, question, known, own, reference, error)
    size = np.abs(np.where(known[..., None], values, 0.0)).max(axis=(-1, -2))[..., None]
    reason = np.where((reason == 0) & (pooled <= _ROUNDING * size), _NO_SPREAD, reason)
    stands = reason == 0
    return Intervals(
        value=mean - mean[..., reference, None],
        half=np.where(stands, half_width(1 - max(error, 1e-12) / comparisons), np.nan),
        alone=np.where(stands, half_width(LEVEL), np.nan),
        reason=reason,
        own=own,
        freedom=blocks.freedom,
    )


def _reasons(
    losses: Sequence[LossValues],
    question: str,
    known: np.ndarray,
    own: np.ndarray,
    reference: int,
    error: float,
) -> np.ndarray:
    """The first reason, in the order of these lines, for which each loss has no interval."""
    seeds = losses[0].by_seed[question].shape[-1]
    shape = known.shape
    failing = np.stack([loss.failing for loss in losses], axis=-1).any(axis=-1, keepdims=True)
    plain = np.array([loss.plain or question != AVERAGE for loss in losses])
    needs_pairs = question != AVERAGE or not plain.all()
    unknown = ~(known & known[..., reference, None])
    conditions = [
        (_NO_ERROR, np.full(shape, error <= 0)),
        (_ONE_SEED, np.full(shape, seeds < 2)),
        (_NO_PAIRS, np.full(shape, seeds == 2 and needs_pairs)),
        (_MISSING, unknown),
        (_TWO_LOSSES, np.broadcast_to((known.sum(axis=-1, keepdims=True) == 2) & (seeds == 2), shape)),
        (_FAILED, np.broadcast_to(failing & (seeds == 2), shape)),
        (_UNLIKE, own.any(axis=-1, keepdims=True) & np.full(shape, seeds == 2)),
        (
            _FAILED_WORST,
            np.broadcast_to(failing & (question == BAD_LUCK and seeds < _SEEDS_OF_FAILURES), shape),
        ),
    ]
    return np.select([found for _, found in conditions], [code for code, _ in conditions], default=0)


def _larger(values: np.ndarray, reference: int) -> np.ndarray:
    return np.maximum(values, values[..., reference, None])
