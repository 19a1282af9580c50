"""One answer for each loss and question over several data sets, instead of counts of verdicts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.comparisons.decisions import (
    BETTER,
    NOT_TUNING,
    QUESTIONS,
    WORSE,
    Decision,
    Decisions,
    decided,
)
from analysis.statistics.intervals.student import LEVEL, NO_SPREAD, Estimate, student_interval

#: Least number of data sets for an interval over data sets.
LEAST_SETS = 5
_METHOD = "mean of the ends on each data set, conservative"
DATA_SETS = "data sets"


@dataclass(frozen=True, kw_only=True)
class SetsRange:
    """The difference of one loss from the reference in one question, over the data sets that both ran on."""

    least: float
    most: float
    sets: tuple[str, ...]  # their names, from the lowest difference to the highest
    over_sets: Estimate  # each data set one value, resampled over data sets
    by_verdict: Mapping[str, tuple[str, ...]]  # the data sets of each verdict, as decided on each by itself

    @property
    def order_differs(self) -> bool:
        """Whether the loss is better on one data set and worse on another one, so that a mean hides both."""
        return BETTER in self.by_verdict and WORSE in self.by_verdict


@dataclass(frozen=True, kw_only=True)
class SetsDecisions:
    """The answers over data sets. `pooled` holds for these data sets; `ranges` is by loss and question."""

    pooled: Decisions
    sets: Mapping[str, tuple[str, ...]]  # by loss, those on which it and the reference are compared
    ranges: Mapping[tuple[str, str], SetsRange]


def decide_over_sets(found: Mapping[str, Decisions]) -> SetsDecisions | None:
    """The decisions over two or more data sets with one reference; None for fewer, or where it differs.

    The interval of a mean difference reaches from the mean of the lower ends on each data set to the mean of the
    upper ends. It holds for these data sets, over seeds, however the errors on the data sets are correlated, and is
    conservative where they are independent. It is simultaneous over losses and questions, as its parts are. A loss is
    compared over the data sets on which it and the reference ran; withheld on one of them, it is withheld. A loss
    that is compared on one data set only has no answer over data sets, so it is withheld and has no interval.

    From five data sets on, `ranges` has an interval over data sets: Student's, with one value for each. It says what
    another data set of the same kind may give, as far as these ones are a sample of them.
    """
    if len(found) < 2 or len({each.reference for each in found.values()}) > 1:
        return None
    first = next(iter(found.values()))
    losses = list(dict.fromkeys(item.loss for each in found.values() for item in each.items))
    tolerance = min(each.tolerance for each in found.values())
    items, ranges = [], {}
    for loss in losses:
        for name in QUESTIONS:
            parts = {data: item for data, each in found.items() if (item := each.of(loss, name)) is not None}
            differences = [item.difference for item in parts.values()]
            reason = _reason(parts)
            pooled, alone = _pooled(differences), _pooled([item.alone for item in parts.values()])
            if len(parts) < 2:
                reason = reason or f"compared on {next(iter(parts))} only"
                pooled = alone = Estimate(value=pooled.value, seeds=pooled.seeds, note="one data set")
            items.append(
                decided(
                    loss=loss,
                    reference=first.reference,
                    question=name,
                    difference=pooled,
                    alone=alone,
                    tolerance=tolerance,
                    reason=reason,
                )
            )
            ranges[loss, name] = _range(parts)
    pooled_decisions = Decisions(
        reference=first.reference,
        tolerance=tolerance,
        error=max(each.error for each in found.values()),
        look=first.look,
        items=tuple(items),
        values={
            loss: {
                name: _pooled([each.values[loss][name] for each in found.values() if loss in each.values])
                for name in QUESTIONS
            }
            for loss in dict.fromkeys(loss for each in found.values() for loss in each.values)
        },
        left_out=first.left_out,
    )
    sets = {
        loss: tuple(data for data, each in found.items() if each.of(loss, NOT_TUNING) is not None)
        for loss in losses
    }
    return SetsDecisions(pooled=pooled_decisions, sets=sets, ranges=ranges)


def over_sets(values: np.ndarray) -> Estimate:
    """The mean of one value for each data set, `(E,)`, with Student's interval over data sets from five on."""
    known = values[np.isfinite(values)]
    mean, low, high = student_interval(known)
    if len(known) < LEAST_SETS:
        return Estimate(
            value=float(mean), note=f"fewer than {LEAST_SETS} data sets", unit=DATA_SETS, seeds=len(known)
        )
    return Estimate(
        value=float(mean),
        low=float(low),
        high=float(high),
        seeds=len(known),
        method=f"Student over {len(known)} data sets, {100 * LEVEL:.0f} % each",
        note=NO_SPREAD if low == high else "",
        unit=DATA_SETS,
    )


def _pooled(estimates: Sequence[Estimate]) -> Estimate:
    values = np.array([[item.value, item.low, item.high] for item in estimates])
    value = float(values[:, 0].mean())
    lacking = next((item for item in estimates if not item.has_interval), None)
    seeds = min(item.seeds for item in estimates)
    if lacking is not None:
        return Estimate(value=value, seeds=seeds, note=lacking.note or "no interval on a data set")
    return Estimate(
        value=value,
        low=float(values[:, 1].mean()),
        high=float(values[:, 2].mean()),
        seeds=seeds,
        method=_METHOD,
    )


def _reason(parts: Mapping[str, Decision]) -> str:
    """The first reason for which the decision is withheld, with its data sets where not all have it."""
    reasons = {data: item.reason for data, item in parts.items() if item.reason}
    if not reasons:
        return ""
    first = next(iter(reasons.values()))
    sets = [data for data, reason in reasons.items() if reason == first]
    return first if len(sets) == len(parts) else f"{', '.join(sets)}: {first}"


def _range(parts: Mapping[str, Decision]) -> SetsRange:
    values = {data: item.difference.value for data, item in parts.items()}
    known = {data: value for data, value in values.items() if math.isfinite(value)}
    order = sorted(known, key=lambda data: known[data])
    by_verdict: dict[str, tuple[str, ...]] = {}
    for data, item in parts.items():
        by_verdict[item.verdict] = (*by_verdict.get(item.verdict, ()), data)
    return SetsRange(
        least=known[order[0]] if order else math.nan,
        most=known[order[-1]] if order else math.nan,
        sets=tuple(order),
        over_sets=over_sets(np.array(list(known.values()))),
        by_verdict=by_verdict,
    )
