"""Several data sets give one answer for each loss and question, with a range and an interval over data sets."""

import dataclasses

import numpy as np
import pytest

from analysis.statistics.comparisons.decisions import (
    BETTER,
    MORE_ROBUST,
    QUESTIONS,
    WITHHELD,
    Decision,
    Decisions,
    verdict_of,
)
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.comparisons.loss_values import NOT_TUNING, TUNED
from analysis.statistics.comparisons.sets_decisions import decide_over_sets, over_sets
from analysis.statistics.intervals.student import Estimate, student_interval


def decisions(price: float, *, half: float = 0.01, reason: str = "", reference: str = "a") -> Decisions:
    """One data set: loss b pays `price` more than a, and has equal scores otherwise."""
    items = []
    for name in QUESTIONS:
        value = price if name == NOT_TUNING else 0.0
        found = Estimate(value=value, low=value - half, high=value + half, seeds=5, method="test")
        items.append(
            Decision(
                loss="b",
                reference=reference,
                question=name,
                difference=found,
                alone=found,
                verdict=WITHHELD if reason else "open",
                reason=reason,
            )
        )
    values = {name: Estimate(value=0.5, low=0.4, high=0.6, seeds=5) for name in QUESTIONS}
    return Decisions(
        reference=reference,
        tolerance=0.02,
        error=0.04,
        look=Look(first=5, seeds=5),
        items=tuple(items),
        values={reference: values, "b": values},
    )


def test_one_answer_with_mean_and_range() -> None:
    found = decide_over_sets({"one": decisions(-0.05), "two": decisions(-0.01), "three": decisions(-0.03)})
    assert found is not None
    item, spread = found.pooled.of("b", NOT_TUNING), found.ranges["b", NOT_TUNING]
    assert item is not None
    assert (item.difference.value, item.difference.low, item.difference.high) == pytest.approx(
        (-0.03, -0.04, -0.02)
    )
    assert (item.verdict, found.pooled.standing("b")) == (BETTER, MORE_ROBUST)
    assert (spread.least, spread.most) == pytest.approx((-0.05, -0.01))
    assert spread.sets == ("one", "three", "two")
    assert spread.over_sets.note == "fewer than 5 data sets"


def test_from_five_data_sets_on_each_is_one_value() -> None:
    values = np.array([0.01, 0.02, 0.03, 0.05, 0.04])
    found = over_sets(values)
    assert (found.low, found.high) == pytest.approx(tuple(float(end) for end in student_interval(values)[1:]))
    assert found.unit == "data sets"
    assert not over_sets(values[:4]).has_interval


def test_what_is_withheld_on_one_data_set_is_withheld() -> None:
    found = decide_over_sets({"one": decisions(0.05), "two": decisions(0.05, reason="Budget")})
    assert found is not None
    item = found.pooled.of("b", TUNED)
    assert item is not None
    assert (item.verdict, item.reason) == (WITHHELD, "two: Budget")


def test_a_reason_on_all_data_sets_is_said_once() -> None:
    found = decide_over_sets({name: decisions(0.05, reason="Budget") for name in ("one", "two")})
    assert found is not None
    item = found.pooled.of("b", TUNED)
    assert item is not None
    assert item.reason == "Budget"


def test_a_loss_that_is_better_on_one_data_set_and_worse_on_another_has_no_common_order() -> None:
    parts = {"one": decisions(-0.05), "two": decisions(0.05), "three": decisions(0.0)}
    parts = {
        name: dataclasses.replace(
            part,
            items=tuple(
                dataclasses.replace(
                    item, verdict=verdict_of(item.difference, 0.02, price=QUESTIONS[item.question].price)
                )
                for item in part.items
            ),
        )
        for name, part in parts.items()
    }
    found = decide_over_sets(parts)
    assert found is not None
    price, tuned = found.ranges["b", NOT_TUNING], found.ranges["b", TUNED]
    assert (price.by_verdict, price.order_differs) == (
        {"better": ("one",), "worse": ("two",), "equal": ("three",)},
        True,
    )
    assert (tuned.by_verdict, tuned.order_differs) == ({"equal": ("one", "two", "three")}, False)


def test_a_loss_on_one_data_set_has_no_answer_over_data_sets() -> None:
    alone = decisions(0.05)
    only = dataclasses.replace(alone, items=(), values={"a": alone.values["a"]})
    found = decide_over_sets({"one": decisions(0.05), "two": only})
    assert found is not None
    item = found.pooled.of("b", NOT_TUNING)
    assert item is not None
    assert found.sets == {"b": ("one",)}
    assert (item.verdict, item.reason) == (WITHHELD, "compared on one only")
    assert not item.difference.has_interval


def test_no_answer_without_two_sets_or_a_common_reference() -> None:
    assert decide_over_sets({"one": decisions(0.0)}) is None
    assert decide_over_sets({"one": decisions(0.0), "two": decisions(0.0, reference="c")}) is None


@pytest.mark.parametrize("correlation", [0.0, 1.0])
def test_the_interval_for_these_data_sets_covers_however_their_errors_are_correlated(
    correlation: float,
) -> None:
    rng, missed, studies = np.random.default_rng(0), 0, 1000
    for _ in range(studies):
        common = rng.normal(size=3)
        found = {}
        for name in ("one", "two", "three"):
            values = correlation * common + (1 - correlation) * rng.normal(size=3)
            mean, low, high = (float(item) for item in student_interval(values, level=0.99))
            found[name] = decisions(mean, half=(high - low) / 2)
        item = decide_over_sets(found).pooled.of("b", NOT_TUNING)  # type: ignore[union-attr]
        assert item is not None
        missed += not item.difference.low <= 0 <= item.difference.high
    assert missed / studies <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / studies)
