"""Decisions on studies with known answers, the reasons for which they are withheld, and how losses stand."""

import dataclasses
import math

import numpy as np
import pytest

from analysis.model.cells import Cells
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    AVERAGE,
    BETTER,
    BETTER_TUNED,
    CHOSEN_LOW,
    EQUAL,
    FLAT_BUT_LOW,
    LESS_ROBUST,
    LOWER_PRICE,
    MORE_ROBUST,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
    REFERENCE_CHOSEN_LOW,
    TUNED,
    VERDICTS,
    WITHHELD,
    WORSE,
    WORSE_TUNED,
    Decisions,
    verdict_signs,
)
from analysis.statistics.comparisons.grid_decisions import decide
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.intervals.student import Estimate
from tests.analysis import synthetic

FLAT = np.full((3, 5), 0.80)
HILL = 0.80 - 0.10 * np.abs(np.arange(5) - 2) * np.ones((3, 1))


def loss(name: str, means: np.ndarray, *, seeds: int, draw: int, noise: float = 0.002) -> Cells:
    rng = np.random.default_rng(draw)
    scores = means[..., None] + noise * rng.normal(size=(*means.shape, seeds))
    return synthetic.cells(name, scores, scores + 0.3 * noise * rng.normal(size=scores.shape))


def study(seeds: int, *, fails: tuple[int, ...] = (), **losses: np.ndarray) -> dict[str, list[Cells]]:
    found = {
        name: [loss(name, means, seeds=seeds, draw=place)]
        for place, (name, means) in enumerate(losses.items())
    }
    if fails:
        cells = found["a"][0]
        status = cells.status.copy()
        status[3, list(fails)] = "diverged"
        found["a"] = [dataclasses.replace(cells, status=status)]
    return found


def verdicts(found: Decisions, name: str) -> dict[str, str]:
    return {question: found.of(name, question).verdict for question in QUESTIONS}


def test_known_surfaces_are_decided() -> None:
    found = decide(
        study(5, reference=HILL, same=HILL, flat=FLAT, low=FLAT - 0.2), "reference", tolerance=0.02
    )
    assert set(verdicts(found, "same").values()) == {EQUAL}
    assert verdicts(found, "flat") == dict.fromkeys(QUESTIONS, BETTER) | {TUNED: EQUAL}
    assert verdicts(found, "low") == dict.fromkeys(QUESTIONS, BETTER) | {TUNED: WORSE, AVERAGE: WORSE}
    assert [found.standing(name) for name in ("same", "flat", "low")] == [
        AS_ROBUST,
        MORE_ROBUST,
        FLAT_BUT_LOW,
    ]
    back = decide(study(5, flat=FLAT, reference=HILL), "flat", tolerance=0.02)
    assert back.standing("reference") == LESS_ROBUST
    price = found.of("flat", NOT_TUNING).difference
    assert price.low < price.value < price.high < 0
    assert price.value == pytest.approx(-0.12, abs=0.003)
    assert found.of("flat", NOT_TUNING).alone.high < price.high


def test_two_seeds_decide_averages_alone() -> None:
    found = decide(study(2, reference=HILL, flat=FLAT, same=HILL), "reference", tolerance=0.02)
    assert verdicts(found, "flat") == dict.fromkeys(QUESTIONS, WITHHELD) | {AVERAGE: BETTER}
    assert "three seeds" in found.of("flat", NOT_TUNING).reason
    assert found.of("flat", NOT_TUNING).difference.value == pytest.approx(-0.12, abs=0.01)
    assert found.standing("flat") == WITHHELD


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        (study(1, reference=HILL, a=FLAT, b=FLAT), "two seeds"),
        (study(2, reference=HILL, a=FLAT), "third seed"),
        (study(2, reference=HILL, a=FLAT, b=FLAT, fails=(0,)), "trials failed"),
    ],
)
def test_averages_are_withheld_for_what_the_data_show(losses: dict[str, list[Cells]], reason: str) -> None:
    item = decide(losses, "reference", tolerance=0.02).of("a", AVERAGE)
    assert item.verdict == WITHHELD
    assert reason in item.reason
    assert not item.difference.has_interval


def test_trials_that_fail_at_every_seed_withhold_nothing() -> None:
    found = decide(study(2, reference=HILL, a=FLAT, b=FLAT, fails=(0, 1)), "reference", tolerance=0.02)
    assert found.of("a", AVERAGE).verdict == BETTER


def test_the_worst_tenth_with_chance_failures_needs_more_seeds() -> None:
    found = decide(study(4, reference=HILL, a=FLAT, b=FLAT, fails=(0,)), "reference", tolerance=0.02)
    assert "worst tenth" in found.of("b", "price_of_bad_luck").reason
    assert found.of("b", AVERAGE).verdict == BETTER


def test_missing_trials_withhold_the_loss_that_lacks_them() -> None:
    losses = study(3, reference=HILL, a=FLAT, b=FLAT)
    cells = losses["a"][0]
    status, raw = cells.status.copy(), {name: values.copy() for name, values in cells.raw.items()}
    status[:, 2] = "missing"
    for values in raw.values():
        values[:, 2] = np.nan
    losses["a"] = [dataclasses.replace(cells, status=status, raw=raw)]
    found = decide(losses, "reference", tolerance=0.02)
    assert found.of("a", AVERAGE).reason == "trials are missing"
    assert math.isfinite(found.of("a", AVERAGE).difference.value)
    assert verdicts(found, "b")[AVERAGE] == BETTER


def test_a_loss_on_other_seeds_has_no_pairs_and_leaves_the_others_theirs() -> None:
    losses = study(4, reference=HILL, a=FLAT, b=FLAT)
    losses["a"] = [dataclasses.replace(losses["a"][0], seeds=np.arange(10, 14))]
    found = decide(losses, "reference", tolerance=0.02)
    assert "not paired" in found.of("a", AVERAGE).difference.method
    assert "pooled over 2 losses" in found.of("b", AVERAGE).difference.method


def test_two_seeds_without_pairs_are_too_few_where_a_variant_is_chosen() -> None:
    losses = study(2, reference=HILL, other=HILL)
    apart = [dataclasses.replace(cells, seeds=cells.seeds + 2) for cells in losses["other"]]
    one = decide({**losses, "other": apart}, "reference", tolerance=0.02).of("other", AVERAGE)
    assert one.reason == ""
    two = decide({**losses, "other": apart * 2}, "reference", tolerance=0.02).of("other", AVERAGE)
    assert two.reason == "fewer than two seeds in common with the reference; too few seeds"


@pytest.mark.parametrize("start", [0, 10], ids=["fewer common seeds", "no common seeds"])
def test_chance_failures_of_a_loss_count_for_losses_with_other_seeds(start: int) -> None:
    """A configuration that failed at all seeds may fail by chance, as it does in a loss of another group."""
    losses = study(5, reference=HILL, steady=HILL)
    losses["other"] = [loss("other", HILL, seeds=3, draw=9)]
    losses["other"][0].status[3] = "diverged"
    losses["other"][0].seeds[:] += start
    before = decide(losses, "reference", tolerance=0.02).of("other", AVERAGE).difference
    losses["steady"][0].status[3, 1] = "diverged"
    after = decide(losses, "reference", tolerance=0.02).of("other", AVERAGE).difference
    assert before.high - before.low < 0.03
    assert after.high - after.low > 0.1


def test_a_null_control_has_values_and_no_say() -> None:
    losses = study(4, reference=HILL, a=FLAT)
    twin = losses["a"][0]
    found = decide(losses | {"twin": [twin]}, "reference", tolerance=0.02, left_out=("twin",))
    alone = decide(losses, "reference", tolerance=0.02)
    assert found.items == alone.items
    assert found.of("twin", AVERAGE) is None
    assert found.values["twin"] == found.values["a"]


def test_a_given_reason_withholds_the_decision_and_keeps_the_interval() -> None:
    losses = study(4, reference=HILL, a=FLAT, b=FLAT)
    found = decide(losses, "reference", tolerance=0.02, withheld={"a": "other epochs"})
    item = found.of("a", AVERAGE)
    assert (item.verdict, item.reason) == (WITHHELD, "other epochs")
    assert item.difference.low > 0
    assert found.of("b", AVERAGE).verdict == BETTER


def test_later_looks_have_wider_intervals_and_looks_without_error_none() -> None:
    losses = study(4, reference=HILL, a=FLAT, b=FLAT)
    first, later, spent = (
        decide(losses, "reference", tolerance=0.02, look=Look(first=first, seeds=seeds))
        for first, seeds in ((4, 4), (3, 4), (3, 21))
    )
    widths = [item.of("a", AVERAGE).difference for item in (first, later)]
    assert widths[1].high - widths[1].low > 1.2 * (widths[0].high - widths[0].low)
    assert (first.error, later.error) == (0.04, pytest.approx(0.01 / 17))
    assert "no chance of error is left" in spent.of("a", AVERAGE).reason


def test_equal_scores_in_steps_have_the_interval_of_a_step() -> None:
    losses = {
        name: [loss(name, means, seeds=3, draw=place, noise=noise)]
        for place, (name, means, noise) in enumerate(
            (("reference", HILL, 0.02), ("a", FLAT, 0.0), ("b", FLAT, 0.02))
        )
    }
    for name, (cells,) in losses.items():
        raw = {column: np.round(values * 200) / 200 for column, values in cells.raw.items()}
        metric = dataclasses.replace(cells.metric, step=1 / 200)
        losses[name] = [dataclasses.replace(cells, raw=raw, metric=metric)]
    tuned = decide(losses, "reference", tolerance=0.02).values["a"][TUNED]
    assert tuned.value == pytest.approx(0.8)
    assert (tuned.low, tuned.high) == pytest.approx((0.8 - 1 / 200, 0.8 + 1 / 200))
    assert "within one step" in tuned.note


def test_scores_without_any_spread_have_no_interval() -> None:
    losses = {name: [loss(name, FLAT, seeds=3, draw=0, noise=0.0)] for name in ("reference", "a", "b")}
    item = decide(losses, "reference", tolerance=0.02).of("a", AVERAGE)
    assert item.verdict == WITHHELD
    assert "do not vary" in item.reason


def test_order_of_seeds_changes_nothing() -> None:
    losses = study(5, reference=HILL, a=FLAT, b=HILL - 0.01)
    order = np.array([3, 0, 4, 1, 2])
    mixed = {
        name: [
            dataclasses.replace(
                cells,
                status=cells.status[:, order],
                raw={column: values[:, order] for column, values in cells.raw.items()},
            )
        ]
        for name, (cells,) in losses.items()
    }
    for one, other in zip(
        decide(losses, "reference", tolerance=0.02).items,
        decide(mixed, "reference", tolerance=0.02).items,
        strict=True,
    ):
        ends = [(item.difference.value, item.difference.low, item.difference.high) for item in (one, other)]
        assert ends[0] == pytest.approx(ends[1], abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "of_score", "of_price"),
    [
        (-0.02, 0.02, EQUAL, EQUAL),
        (0.001, 0.02, EQUAL, EQUAL),  # differs, by less than what matters
        (0.001, 0.03, BETTER, WORSE),
        (-0.03, -0.001, WORSE, BETTER),
        (-0.03, 0.001, OPEN, OPEN),
        (0.0, 0.03, OPEN, OPEN),
        (math.nan, math.nan, OPEN, OPEN),
    ],
)
def test_verdicts_follow_from_the_interval(low: float, high: float, of_score: str, of_price: str) -> None:
    for price, expected in ((False, of_score), (True, of_price)):
        assert VERDICTS[verdict_signs(np.array(low), np.array(high), 0.02, price=price)] == expected


@pytest.mark.parametrize(
    ("low", "tuned", "average", "standing"),
    [
        (-0.01, OPEN, BETTER, MORE_ROBUST),
        (-0.04, OPEN, BETTER, LOWER_PRICE),
        (-0.2, WORSE, WORSE, FLAT_BUT_LOW),
        (-0.2, WORSE, EQUAL, FLAT_BUT_LOW),
        (-0.2, WORSE, BETTER, WORSE_TUNED),
    ],
)
def test_more_robust_needs_a_tuned_score_that_is_not_lower(
    low: float, tuned: str, average: str, standing: str
) -> None:
    found = decide(study(3, reference=HILL, a=FLAT, b=HILL), "reference", tolerance=0.02)
    size = Estimate(value=low + 0.05, low=low, high=low + 0.1)
    given = {TUNED: {"verdict": tuned, "difference": size}, AVERAGE: {"verdict": average}}
    items = tuple(
        dataclasses.replace(item, **given.get(item.question, {})) if item.loss == "a" else item
        for item in found.items
    )
    assert dataclasses.replace(found, items=items).standing("a") == standing


def test_a_loss_that_is_worse_tuned_and_better_on_average_is_a_trade_off() -> None:
    """A flat 0.74 against a hill of 0.80 with the average 0.68: low at no place but the peak."""
    found = decide(study(5, reference=HILL, a=FLAT - 0.06), "reference", tolerance=0.02)
    assert verdicts(found, "a") == dict.fromkeys(QUESTIONS, BETTER) | {TUNED: WORSE}
    assert found.of("a", TUNED).difference.value == pytest.approx(-0.06, abs=0.004)
    assert found.of("a", AVERAGE).difference.value == pytest.approx(0.06, abs=0.004)
    assert found.standing("a") == WORSE_TUNED
    back = decide(study(5, a=FLAT - 0.06, reference=HILL), "a", tolerance=0.02)
    assert back.standing("reference") == BETTER_TUNED


def test_a_choice_below_the_average_is_not_flat_but_low() -> None:
    """The same test scores; validation of one loss is highest at an end of the hill, 0.08 below its average."""
    losses = study(5, reference=HILL, a=HILL)
    cells = losses["a"][0]
    column = cells.metric.selecting_column
    misled = np.where(cells.codes[:, [1]] == 4, 0.99, cells.raw[column])
    losses["a"] = [dataclasses.replace(cells, raw={**cells.raw, column: misled})]
    found = decide(losses, "reference", tolerance=0.02)
    assert found.values["a"][NOT_TUNING].value == pytest.approx(-0.08, abs=0.004)
    assert (found.chosen_low("a"), found.chosen_low("reference")) == (True, False)
    assert found.standing("a") == CHOSEN_LOW
    back = decide(dict(reversed(losses.items())), "a", tolerance=0.02)
    assert back.standing("reference") == REFERENCE_CHOSEN_LOW
