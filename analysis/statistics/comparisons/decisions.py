"""One decision for each loss and question: better, worse, equal within the tolerance, or open.

The questions compare robustness itself, not accuracy alone. Every comparison is with the reference, paired by seed.
All intervals of a study are meant to hold at once: the chance of any wrong decision is about the error that the look
may use (`comparisons.looks`), in simulated studies at most 6 % (`tests.benchmarks.bench_decisions`).
`comparisons.grid_decisions` and `comparisons.drawn_decisions` make them; `comparisons.blocks` and
`comparisons.simultaneous` hold the statistics.

An interval within plus and minus the tolerance decides "equal", also where it does not contain 0: the losses differ,
and the difference does not matter. "Better" and "worse" state the sign; the interval tells how much at least.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.loss_values import AVERAGE, BAD_LUCK, NOT_TUNING, TUNED
from analysis.statistics.intervals.student import Estimate

BETTER, WORSE, EQUAL, OPEN, WITHHELD = "better", "worse", "equal", "open", "withheld"

#: How a loss stands on robustness: its price of not tuning, together with its tuned score.
MORE_ROBUST, LESS_ROBUST, AS_ROBUST = "more robust", "less robust", "as robust"
FLAT_BUT_LOW, LOWER_PRICE = "flat but low", "lower price, tuned score open"
#: The same, where the reference has the lower price.
REFERENCE_LOW, HIGHER_PRICE = "reference is flat but low", "higher price, tuned score open"
#: One loss is better when tuned, and the other one on average.
WORSE_TUNED, BETTER_TUNED = "trade-off, worse tuned", "trade-off, better tuned"
#: A price far below 0: validation chooses a configuration that is worse than the average.
CHOSEN_LOW, REFERENCE_CHOSEN_LOW = "tuned below average", "reference tuned below average"


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

#: The questions on a chosen configuration.
CHOSEN = (NOT_TUNING, TUNED)


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

    def without_values(self, reasons: Mapping[str, str]) -> "Decisions":
        """Without values of some losses and without differences that need them. `reasons` says why, by loss."""
        nothing = {loss: Estimate(value=math.nan, note=reason) for loss, reason in reasons.items()}
        items = []
        for item in self.items:
            found = nothing.get(item.loss) or nothing.get(self.reference)
            items.append(item if found is None else replace(item, difference=found, alone=found))
        values = {
            loss: dict.fromkeys(own, nothing[loss]) if loss in nothing else own
            for loss, own in self.values.items()
        }
        return replace(self, items=tuple(items), values=values)

    def without_choices(self, reason: str, varied: Collection[str]) -> "Decisions":
        """Without what needs a chosen configuration: tuned scores and their prices, for a `reason`.

        Losses in `varied` have several variants, of which one would have to be chosen for every value.
        """
        nothing = Estimate(value=math.nan, note=reason)
        items = [
            replace(item, difference=nothing, alone=nothing, verdict=WITHHELD, reason=reason)
            if item.question in CHOSEN or {item.loss, self.reference} & set(varied)
            else item
            for item in self.items
        ]
        values = {
            loss: {name: nothing if name in CHOSEN or loss in varied else each for name, each in own.items()}
            for loss, own in self.values.items()
        }
        return replace(self, items=tuple(items), values=values)

    def of(self, loss: str, question: str) -> Decision | None:
        """The decision on a loss and a question; None for the reference and for what is not compared."""
        found = [item for item in self.items if (item.loss, item.question) == (loss, question)]
        return found[0] if found else None

    def chosen_low(self, loss: str) -> bool:
        """Whether validation chooses a configuration below the loss's average, by more than the tolerance.

        By the 95 % interval of the loss's own price of not tuning, which lies below minus the tolerance.
        """
        own = self.values.get(loss, {}).get(NOT_TUNING)
        return own is not None and own.high < -self.tolerance

    def standing(self, loss: str) -> str:
        """How the loss stands on robustness against the reference: one of the words above, `open` or `withheld`.

        "More robust" needs a lower price of not tuning and a tuned score that is shown not to be worse by more than
        the tolerance, and "less robust" the same of the reference. Otherwise a collapsed loss, which pays nothing for
        not tuning, would win. A loss that is worse when tuned and better on average is a trade-off, and not low.
        """
        price, tuned, average = (self.of(loss, name) for name in (NOT_TUNING, TUNED, AVERAGE))
        mean = average.verdict if average else OPEN
        if price is None or tuned is None:
            return OPEN
        if price.verdict == BETTER:
            if tuned.difference.low >= -self.tolerance:
                return MORE_ROBUST
            if tuned.verdict != WORSE:
                return LOWER_PRICE
            return CHOSEN_LOW if self.chosen_low(loss) else WORSE_TUNED if mean == BETTER else FLAT_BUT_LOW
        if price.verdict == WORSE:
            if tuned.difference.high <= self.tolerance:
                return LESS_ROBUST
            if tuned.verdict != BETTER:
                return HIGHER_PRICE
            if self.chosen_low(self.reference):
                return REFERENCE_CHOSEN_LOW
            return BETTER_TUNED if mean == WORSE else REFERENCE_LOW
        return AS_ROBUST if price.verdict == EQUAL else price.verdict


def decided(
    *,
    loss: str,
    reference: str,
    question: str,
    difference: Estimate,
    alone: Estimate,
    tolerance: float,
    reason: str,
) -> Decision:
    """The decision on a loss and a question by the interval of `difference`; withheld for a `reason`."""
    price = QUESTIONS[question].price
    return Decision(
        loss=loss,
        reference=reference,
        question=question,
        difference=difference,
        alone=alone,
        verdict=WITHHELD if reason else verdict_of(difference, tolerance, price=price),
        reason=reason,
    )


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
