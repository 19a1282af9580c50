"""Intervals of the differences between losses and a reference that all hold at once, over all questions of a study.

The chance of error is divided equally over all comparisons and questions (Bonferroni's inequality). That holds for
any dependence between them, as far as pooled noise is that of each loss. A loss unlike the others has its own noise
and half of the whole chance for itself, so the inequality does not bound the error of all of them. Simulated studies
show it (`tests.benchmarks.bench_decisions`). All functions allow leading batch axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.comparisons.blocks import LEAST_SIZE, Blocks, block_errors
from analysis.statistics.comparisons.looks import NO_ERROR_LEFT
from analysis.statistics.comparisons.loss_values import AVERAGE, BAD_LUCK, TUNED, LossValues
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
    NO_ERROR_LEFT,
    "the values do not vary between seeds",
)
_MISSING, _ONE_SEED, _NO_PAIRS, _TWO_LOSSES, _FAILED, _UNLIKE, _FAILED_WORST, _NO_ERROR, _NO_SPREAD = range(
    1, len(REASONS)
)

#: Part of the chance of error that a loss unlike the others may use. Found by simulation. The intervals of all losses
#: against an unlike reference share the estimate of its noise, so they miss together.
_UNLIKE_SHARE = 0.5
#: Why a score that depends on a choice has no interval below `LEAST_SEEDS_OF_CHOICES`.
NEEDS_CHOICES = REASONS[_NO_PAIRS]
#: Why a value that is not known at all seeds has no interval, and why equal values have none.
MISSING_TRIALS, NO_VARIATION = REASONS[_MISSING], REASONS[_NO_SPREAD]
#: Seeds from which on scores that depend on a choice are compared, such as prices; averages are from two on.
LEAST_SEEDS_OF_CHOICES = 3
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
    #: (..., L) of bool, whether the loss or the reference has its own noise where that is larger
    unlike: np.ndarray
    freedom: np.ndarray  # (...,), degrees of freedom of the pooled error


def simultaneous_intervals(
    losses: Sequence[LossValues], reference: int, question: str, error: float, comparisons: int
) -> Intervals:
    """Intervals of one question for losses with the same seeds, one of them the reference.

    `error` is the chance of any error in a family of `comparisons` intervals. Each loss has a margin, its standard
    error times Student's quantile, and the margins of a loss and the reference add in quadrature. A loss that varies
    more between seeds than its cells and the other losses explain has the larger of two margins: by the pooled noise,
    and by its own, with S - 1 degrees of freedom and half of the chance of error. Where that is seen in its average,
    it holds for the tuned score too, since a shift of all configurations moves both.
    """
    values = np.stack([loss.by_seed[question] for loss in losses], axis=-2)
    mean = np.stack([loss.mean[question] for loss in losses], axis=-1)
    known = np.isfinite(values).all(axis=-1)
    blocks = _blocks(losses, question)
    unlike = blocks.unlike
    if question == TUNED:
        unlike = unlike | _blocks(losses, AVERAGE).unlike
    widen = _larger(np.stack([loss.widen for loss in losses], axis=-1), reference)

    def half_width(error: float, error_of_unlike: float) -> np.ndarray:
        margin = _quantile(error, blocks.freedom)[..., None] * blocks.error
        own = _quantile(error_of_unlike, np.array(values.shape[-1] - 1)) * blocks.own
        margin = np.where(unlike, np.maximum(margin, own), margin)
        return widen * np.hypot(margin, margin[..., reference, None])

    either = unlike | unlike[..., reference, None]
    reason = _reasons(losses, question, known, either, reference, error)
    # a price can be 0 in all seeds, so its rounding error is that of the scores
    size = np.max([_size(losses, name) for name in (question, AVERAGE, TUNED)], axis=0)[..., None]
    pooled = widen * np.hypot(blocks.error, blocks.error[..., reference, None])
    reason = np.where(
        (reason == 0) & (pooled <= _ROUNDING * np.maximum(size, LEAST_SIZE)), _NO_SPREAD, reason
    )
    stands = reason == 0
    error = max(error, 1e-12)
    return Intervals(
        value=mean - mean[..., reference, None],
        half=np.where(stands, half_width(error / comparisons, error * _UNLIKE_SHARE), np.nan),
        alone=np.where(stands, half_width(1 - LEVEL, 1 - LEVEL), np.nan),
        reason=reason,
        unlike=either,
        freedom=blocks.freedom,
    )


def _size(losses: Sequence[LossValues], question: str) -> np.ndarray:
    """The largest value of any loss at any seed, without its sign, `(...,)`; 0 where none is known."""
    values = np.stack([loss.by_seed[question] for loss in losses], axis=-2)
    return np.abs(np.where(np.isfinite(values), values, 0.0)).max(axis=(-1, -2), initial=0.0)


def _blocks(losses: Sequence[LossValues], question: str) -> Blocks:
    return block_errors(
        np.stack([loss.by_seed[question] for loss in losses], axis=-2),
        np.stack([loss.cell_error[question] for loss in losses], axis=-1),
        np.stack([loss.explained[question] for loss in losses], axis=-1),
    )


def _quantile(error: float, freedom: np.ndarray) -> np.ndarray:
    """Student's two-sided quantile; below one degree of freedom, where no interval stands, that of one."""
    return stats.t.isf(error / 2, np.maximum(freedom, 1))


def _reasons(
    losses: Sequence[LossValues],
    question: str,
    known: np.ndarray,
    unlike: np.ndarray,
    reference: int,
    error: float,
) -> np.ndarray:
    """The first reason, in the order of these lines, for which each loss has no interval."""
    seeds = losses[0].by_seed[question].shape[-1]
    shape = known.shape
    failing = np.stack([loss.failing for loss in losses], axis=-1)
    plain = np.array([loss.plain or question != AVERAGE for loss in losses])
    needs_pairs = question != AVERAGE or not plain.all()
    unknown = ~(known & known[..., reference, None])
    conditions = [
        (_NO_ERROR, np.full(shape, error <= 0)),
        (_NO_PAIRS, np.full(shape, seeds < LEAST_SEEDS_OF_CHOICES and needs_pairs)),
        (_ONE_SEED, np.full(shape, seeds < 2)),
        (_MISSING, unknown),
        (_TWO_LOSSES, np.broadcast_to((known.sum(axis=-1, keepdims=True) == 2) & (seeds == 2), shape)),
        (_FAILED, failing & (seeds == 2)),
        (_UNLIKE, unlike.any(axis=-1, keepdims=True) & np.full(shape, seeds == 2)),
        (
            _FAILED_WORST,
            failing & (question == BAD_LUCK and seeds < _SEEDS_OF_FAILURES),
        ),
    ]
    return np.select([found for _, found in conditions], [code for code, _ in conditions], default=0)


def _larger(values: np.ndarray, reference: int) -> np.ndarray:
    return np.maximum(values, values[..., reference, None])
