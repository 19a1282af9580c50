"""One decision for each loss and question: better, worse, equal within the tolerance, or open.

The questions compare robustness itself, not accuracy alone. Every comparison is with the reference, paired by seed.
All intervals of a study hold at once, so the chance of any wrong decision is at most the error that the look may use
(`comparisons.looks`). `comparisons.blocks` and `comparisons.simultaneous` hold the statistics.

An interval within plus and minus the tolerance decides "equal", also where it does not contain 0: the losses differ,
and the difference does not matter. "Better" and "worse" state the sign; the interval tells how much at least.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.loss_values import (
    AVERAGE,
    BAD_LUCK,
    NOT_TUNING,
    TUNED,
    LossValues,
    loss_values,
)
from analysis.statistics.comparisons.simultaneous import REASONS, Intervals, simultaneous_intervals
from analysis.statistics.intervals.moments import Moments, unpaired
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import pair_scores

BETTER, WORSE, EQUAL, OPEN, WITHHELD = "better", "worse", "equal", "open", "withheld"

#: How a loss stands on robustness: its price of not tuning, together with its tuned score.
MORE_ROBUST, LESS_ROBUST, AS_ROBUST = "more robust", "less robust", "as robust"
FLAT_BUT_LOW, LOWER_PRICE = "flat but low", "lower price, tuned score open"
#: The same, where the reference has the lower price.
REFERENCE_LOW, HIGHER_PRICE = "reference is flat but low", "higher price, tuned score open"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is compared. A price is a distance between two scores of one loss: lower is better."""

    name: str
    words: str  # for readers, with the place of the metric's noun
    price: bool


QUESTIONS = {
    question.name: question
    for question in (
        Question(name=NOT_TUNING, words="price of not tuning", price=True),
        Question(name=TUNED, words="tuned {}", price=False),
        Question(name=AVERAGE, words="average {}", price=False),
        Question(name=BAD_LUCK, words="price of bad luck", price=True),
    )
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One question on one loss. Estimates are in raw scores, for which higher is better; a price is at least about 0.

    `difference` is the loss minus the reference: a difference of prices above 0 is worse.
    """

    loss: str
    reference: str
    question: str
    difference: Estimate  # with the simultaneous interval, by which the decision is made
    alone: Estimate  # the same difference with the interval of this comparison alone
    verdict: str  # better | worse | equal | open | withheld
    reason: str = ""  # why the decision is withheld


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """All decisions of a study. `values` holds the loss's own value of each question, by loss and question."""

    reference: str
    tolerance: float
    error: float  # chance of any wrong decision that this look may use
    look: Look
    items: tuple[Decision, ...]
    values: Mapping[str, Mapping[str, Estimate]]
    left_out: tuple[str, ...] = ()  # losses of null controls, which repeat another loss

    def of(self, loss: str, question: str) -> Decision | None:
        """The decision on a loss and a question; None for the reference and for what is not compared."""
        found = [item for item in self.items if (item.loss, item.question) == (loss, question)]
        return found[0] if found else None

    def standing(self, loss: str) -> str:
        """How the loss stands on robustness against the reference: one of the words above, `open` or `withheld`.

        "More robust" needs a lower price of not tuning and a tuned score that is shown not to be worse by more than
        the tolerance, and "less robust" the same of the reference. Otherwise a collapsed loss, which pays nothing for
        not tuning, would win.
        """
        price, tuned = self.of(loss, NOT_TUNING), self.of(loss, TUNED)
        if price is None or tuned is None:
            return OPEN
        if price.verdict == BETTER:
            if tuned.difference.low >= -self.tolerance:
                return MORE_ROBUST
            return FLAT_BUT_LOW if tuned.verdict == WORSE else LOWER_PRICE
        if price.verdict == WORSE:
            if tuned.difference.high <= self.tolerance:
                return LESS_ROBUST
            return REFERENCE_LOW if tuned.verdict == BETTER else HIGHER_PRICE
        return AS_ROBUST if price.verdict == EQUAL else price.verdict


def decide(
    losses: Mapping[str, Sequence[Cells]],
    reference: str,
    *,
    tolerance: float,
    span: float = 1.0,
    look: Look | None = None,
    left_out: Collection[str] = (),
    withheld: Mapping[str, str] | None = None,
) -> Decisions:
    """Decides every question for every loss against the reference.

    `losses` maps each loss to the cells of its variants. Losses in `left_out` (of null controls) get values and no
    decision, and their noise is not pooled. A loss with fewer than two seeds in common with the reference is compared
    without pairs (`intervals.moments.unpaired`). Without a `look` this is the first one. `withheld` maps losses to
    the reason, such as a failed fairness check, for which their comparisons are not decided; intervals are given all
    the same.
    """
    compared = [loss for loss in losses if loss != reference and loss not in left_out]
    groups = _groups(losses, reference, compared, withheld or {})
    most = max((len(seeds) for seeds, _ in groups), default=len(losses[reference][0].seeds))
    look = look or Look(first=most, seeds=most)
    step = losses[reference][0].metric.step
    comparisons = max(len(compared) * len(QUESTIONS), 1)
    items: dict[tuple[str, str], Decision] = {}

    def add(loss: str, question: Question, both: Estimate, alone: Estimate, reason: str) -> None:
        reason = (withheld or {}).get(loss, "") or reason
        items[loss, question.name] = Decision(
            loss=loss,
            reference=reference,
            question=question.name,
            difference=both,
            alone=alone,
            verdict=WITHHELD if reason else verdict_of(both, tolerance, price=question.price),
            reason=reason,
        )

    for seeds, members in groups:
        values = [_values(losses[loss], seeds, step) for loss in (reference, *members)]
        for question in QUESTIONS.values():
            found = simultaneous_intervals(values, 0, question.name, look.error, comparisons)
            for at, loss in enumerate(members, start=1):
                add(loss, question, *_estimates(found, at, len(seeds), len(values), span))
    grouped = {loss for _, members in groups for loss in members}
    own = _own_moments(losses[reference], step) if len(grouped) < len(compared) else {}
    for loss in (loss for loss in compared if loss not in grouped):
        for name, moments in _own_moments(losses[loss], step).items():
            apart = unpaired(moments, own[name])
            both = apart.estimate(level=1 - look.error / comparisons, bounds=(-span, span))
            reason = f"{_NO_COMMON}; {apart.note}" if not apart.known else "" if apart.error else _NO_SPREAD
            add(loss, QUESTIONS[name], both, apart.estimate(bounds=(-span, span)), reason)
    return Decisions(
        reference=reference,
        tolerance=tolerance,
        error=look.error,
        look=look,
        items=tuple(items[loss, name] for loss in compared for name in QUESTIONS),
        values={loss: _own_estimates(variants, span) for loss, variants in losses.items()},
        left_out=tuple(left_out),
    )


#: Reason for losses without a common seed, which have no pairs.
_NO_COMMON = "fewer than two seeds in common with the reference"


_NO_SPREAD = "the scores do not vary between seeds"


def _groups(
    losses: Mapping[str, Sequence[Cells]],
    reference: str,
    compared: Sequence[str],
    withheld: Collection[str],
) -> list[tuple[np.ndarray, list[str]]]:
    """The losses whose noise is pooled, with the seeds that they and the reference have in common.

    These are at least two seeds, or the only seed of a loss. Losses with other common seeds form groups of their own,
    so that a loss with few seeds takes none from the others. So does each loss whose decisions are withheld.
    """
    groups: dict[tuple[object, ...], tuple[np.ndarray, list[str]]] = {}
    for loss in compared:
        common = functools.reduce(
            np.intersect1d, [cells.seeds for cells in (*losses[reference], *losses[loss])]
        )
        fewest = min(len(cells.seeds) for cells in (*losses[reference], *losses[loss]))
        if len(common) >= min(2, fewest) > 0:
            key = (*common.tolist(), loss if loss in withheld else "")
            groups.setdefault(key, (common, []))[1].append(loss)
    return list(groups.values())


def _values(variants: Sequence[Cells], seeds: np.ndarray, step: float) -> LossValues:
    at = [np.isin(cells.seeds, seeds) for cells in variants]
    return loss_values(
        [cells.test[:, kept] for cells, kept in zip(variants, at, strict=True)],
        [cells.validation[:, kept] for cells, kept in zip(variants, at, strict=True)],
        [cells.weights for cells in variants],
        [cells.failed[:, kept] for cells, kept in zip(variants, at, strict=True)],
        step=step,
    )


def _estimates(
    found: Intervals, at: int, seeds: int, losses: int, span: float
) -> tuple[Estimate, Estimate, str]:
    """The difference with its simultaneous interval, with that of its comparison alone, and why it is withheld."""
    value, reason = float(found.value[at]), REASONS[found.reason[at]]
    if reason:
        bare = Estimate(value=value, seeds=seeds, note=reason)
        return bare, bare, reason
    method = f"noise pooled over {losses} losses, {int(found.freedom)} df"
    if found.own[at]:
        method += f", or by its own pairs, {seeds - 1} df, where wider"
    both, alone = (
        _interval(value, float(half[at]), span=span, seeds=seeds, method=method)
        for half in (found.half, found.alone)
    )
    return both, alone, ""


def _interval(value: float, half: float, *, span: float, seeds: int, method: str) -> Estimate:
    return Estimate(
        value=value, low=max(value - half, -span), high=min(value + half, span), seeds=seeds, method=method
    )


def _own_moments(variants: Sequence[Cells], step: float) -> dict[str, Moments]:
    """The loss's own value of each question, with the error by its own seeds."""
    seeds = variants[0].seeds
    for cells in variants[1:]:
        seeds = np.intersect1d(seeds, cells.seeds)
    found = _values(variants, seeds, step)
    moments = {}
    for name in QUESTIONS:
        value, by_seed = float(found.mean[name]), found.by_seed[name]
        if len(seeds) < 2 or not np.isfinite(by_seed).all():
            few = len(seeds) < (2 if name == AVERAGE else 3)
            note = "too few seeds" if few else "trials missing"
            moments[name] = Moments(value=value, seeds=len(seeds), note=note)
            continue
        cell, explained = float(found.cell_error[name]) ** 2, float(found.explained[name]) ** 2
        shown = by_seed.var(ddof=1) / len(seeds)
        variance = (cell + max(shown - explained, 0.0)) * float(found.widen) ** 2
        moments[name] = Moments(
            value=value,
            parts=((variance, len(seeds) - 1.0),),
            seeds=len(seeds),
            method=f"spread over seeds, at least the noise of cells, {len(seeds) - 1} df",
        )
    return moments


def _own_estimates(variants: Sequence[Cells], span: float) -> dict[str, Estimate]:
    """The loss's own value of each question by itself, as the sections on single scores have it."""
    seeds = variants[0].seeds
    for cells in variants[1:]:
        seeds = np.intersect1d(seeds, cells.seeds)
    metric = variants[0].metric
    found = pair_scores([cells.on_seeds(seeds) for cells in variants])
    values = {
        NOT_TUNING: found.tuned - found.average,
        TUNED: found.tuned,
        AVERAGE: found.average,
        BAD_LUCK: found.average - found.worst,
    }
    return {
        name: pair_estimate(
            pairs,
            bounds=(-span, span) if QUESTIONS[name].price else metric.score_bounds,
            step=metric.step,
            widen=1.0 if name == TUNED else found.widen,
        )
        for name, pairs in values.items()
    }


def verdict_of(difference: Estimate, tolerance: float, *, price: bool) -> str:
    """The decision by an interval; open without one."""
    signs = verdict_signs(np.array(difference.low), np.array(difference.high), tolerance, price=price)
    return VERDICTS[int(signs)]


#: Verdicts by their code.
VERDICTS = (OPEN, EQUAL, BETTER, WORSE)


def verdict_signs(low: np.ndarray, high: np.ndarray, tolerance: float, *, price: bool) -> np.ndarray:
    """The place in `VERDICTS` of the decision by an interval, `(...,)` of int. A higher price is worse."""
    equal = (low >= -tolerance) & (high <= tolerance)
    above, below = (2, 3) if not price else (3, 2)
    return np.select([equal, low > 0, high < 0], [1, above, below], default=0)
