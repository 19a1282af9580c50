"""Decisions of drawn designs, with an error over configurations as well as over seeds."""

import dataclasses
from collections.abc import Collection, Mapping

from analysis.statistics.comparisons.decisions import QUESTIONS, Decisions, decided
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.loss_values import AVERAGE, BAD_LUCK, NOT_TUNING, TUNED
from analysis.statistics.intervals.moments import Moments
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.drawn import (
    NO_WORST,
    DrawnScores,
    Values,
    drawn_average,
    drawn_value,
    have_common_points,
)

#: How each question is computed from values by pairs of seeds; the average has an error of its own.
_VALUES: Mapping[str, Values] = {
    NOT_TUNING: lambda pairs: pairs.tuned - pairs.average,
    TUNED: lambda pairs: pairs.tuned,
    BAD_LUCK: lambda pairs: pairs.average - pairs.worst,
}


def drawn_moments(question: str, a: DrawnScores, b: DrawnScores | None = None) -> Moments:
    """The value of a question for a loss, or for `a` minus `b`.

    The worst tenth has an error only as a difference over common points: a few drawn points do not show how bad the
    worst tenth is. With a corner of failures, intervals of 16 points covered 58 %.
    """
    if question == AVERAGE:
        return drawn_average(a, b)
    found = drawn_value(_VALUES[question], a, b)
    if question == BAD_LUCK and not (b and have_common_points(a.cells, b.cells)):
        return dataclasses.replace(found, parts=(), note=found.note or NO_WORST)
    return found


def decide_drawn(
    scores: Mapping[str, DrawnScores],
    reference: str,
    *,
    tolerance: float,
    span: float = 1.0,
    look: Look | None = None,
    left_out: Collection[str] = (),
    withheld: Mapping[str, str] | None = None,
) -> Decisions:
    """As `grid_decisions.decide`, from the drawn configurations of each loss. The other arguments are the same.

    Scores that contain a choice are those of half as many configurations (`scores.drawn.drawn_value`).
    """
    compared = [loss for loss in scores if loss != reference and loss not in left_out]
    seeds = min(len(each.cells.seeds) for each in scores.values())
    look = look or Look(first=seeds, seeds=seeds)
    level = 1 - look.error / max(len(compared) * len(QUESTIONS), 1)
    items = []
    for loss in compared:
        for name in QUESTIONS:
            found = drawn_moments(name, scores[loss], scores[reference])
            difference = found.estimate(level=level, bounds=(-span, span))
            reason = (withheld or {}).get(loss, "")
            reason = reason or ("" if difference.has_interval else difference.note)
            items.append(
                decided(
                    loss=loss,
                    reference=reference,
                    question=name,
                    difference=difference,
                    alone=found.estimate(bounds=(-span, span)),
                    tolerance=tolerance,
                    reason=reason,
                )
            )
    return Decisions(
        reference=reference,
        tolerance=tolerance,
        error=look.error,
        look=look,
        items=tuple(items),
        values={
            loss: {name: _value(name, each, span) for name in QUESTIONS} for loss, each in scores.items()
        },
        left_out=tuple(left_out),
    )


def _value(question: str, scores: DrawnScores, span: float) -> Estimate:
    bounds = (-span, span) if QUESTIONS[question].price else scores.cells.metric.score_bounds
    return drawn_moments(question, scores).estimate(bounds=bounds)
