"""Decisions on drawn configurations use an error over configurations and seeds, or are withheld with a reason."""

import dataclasses

import numpy as np
import pytest

from analysis.model.cells import Axis, Cells
from analysis.model.info import AxisInfo
from analysis.model.metric import Metric
from analysis.statistics.comparisons.decisions import OPEN, QUESTIONS, WITHHELD, WORSE, Decisions
from analysis.statistics.comparisons.drawn_decisions import decide_drawn
from analysis.statistics.comparisons.grid_decisions import decide
from analysis.statistics.comparisons.loss_values import AVERAGE, BAD_LUCK, NOT_TUNING, TUNED
from analysis.statistics.scores.drawn import NO_WORST, drawn_scores, have_common_points
from tests.analysis.coverage.drawn import NOISE, surface_of

METRIC = Metric(name="accuracy", worst=0.1)
AXES = (AxisInfo(name="hp_x", measure="linear"), AxisInfo(name="hp_y", measure="linear"))


def cells_of(places: np.ndarray, test: np.ndarray, validation: np.ndarray, seeds: np.ndarray) -> Cells:
    """Drawn configurations at `places` `(C, 2)`."""
    axes = tuple(Axis(info=info, values=np.sort(places[:, at])) for at, info in enumerate(AXES))
    return Cells(
        arm="loss",
        metric=METRIC,
        axes=axes,
        codes=np.argsort(np.argsort(places, axis=0), axis=0),
        seeds=seeds,
        status=np.full(test.shape, "ok", dtype=object),
        raw={METRIC.reporting_column: test, METRIC.selecting_column: validation},
        weights=np.full(len(test), 1 / len(test)),
        drawn=True,
    )


def losses(
    rng: np.random.Generator,
    *,
    surface: str = "hill",
    points: int = 16,
    seeds: int = 5,
    names: str = "abc",
    common: bool = False,
) -> dict[str, list[Cells]]:
    noise, of_seeds, of_losses = NOISE[surface]
    shift, places, found = of_seeds * rng.normal(size=seeds), rng.random((points, 2)), {}
    for name in names:
        places = places if common else rng.random((points, 2))
        level = surface_of(surface, *places.T)[:, None] + shift + of_losses * rng.normal(size=seeds)
        test = level + noise * rng.normal(size=(points, seeds))
        validation = test + 0.01 * rng.normal(size=test.shape)
        found[name] = [cells_of(places, test, validation, np.arange(seeds))]
    return found


def decided(found: dict[str, list[Cells]], **changes: object) -> Decisions:
    """The decisions on losses against loss a."""
    scores = {name: drawn_scores(cells) for name, (cells,) in found.items()}
    return decide_drawn(scores, "a", **changes)  # type: ignore[arg-type]


def wrong(found: Decisions) -> bool:
    """Whether identical losses have a decision other than open or withheld; equality is right."""
    return any(item.verdict in ("better", "worse") for item in found.items)


def test_identical_losses_are_open_and_the_worst_tenth_is_withheld() -> None:
    found = decided(losses(np.random.default_rng(0)), tolerance=0.005)
    assert not wrong(found)
    assert {found.of("b", name).verdict for name in (NOT_TUNING, TUNED, AVERAGE)} == {OPEN}  # type: ignore[union-attr]
    item = found.of("b", BAD_LUCK)
    assert item is not None
    assert (item.verdict, item.reason) == (WITHHELD, NO_WORST)
    assert all(found.values["b"][name].unit == "configurations and seeds" for name in QUESTIONS)


def test_common_points_find_a_difference_that_own_points_hide() -> None:
    rng = np.random.default_rng(1)
    common, own = losses(rng, common=True, names="ab"), losses(rng, names="ab")
    for group in (common, own):
        (cells,) = group["b"]
        raw = {name: values - 0.04 for name, values in cells.raw.items()}
        group["b"] = [dataclasses.replace(cells, raw=raw)]
    assert have_common_points(common["a"][0], common["b"][0])
    assert not have_common_points(own["a"][0], own["b"][0])
    verdicts = [decided(group, tolerance=0.01).of("b", AVERAGE) for group in (common, own)]
    assert [item.verdict for item in verdicts if item] == [WORSE, OPEN]
    assert common["b"][0].drawn


@pytest.mark.parametrize(
    ("points", "seeds", "reason"), [(16, 2, "too few seeds"), (6, 5, "fewer than 8 drawn configurations")]
)
def test_too_few_are_withheld_with_the_reason(points: int, seeds: int, reason: str) -> None:
    found = decided(losses(np.random.default_rng(2), points=points, seeds=seeds), tolerance=0.01)
    assert {(item.verdict, item.reason) for item in found.items} == {(WITHHELD, reason)}
    assert all(np.isfinite(item.difference.value) for item in found.items)


def test_a_failed_check_withholds_and_keeps_the_interval() -> None:
    found = decided(losses(np.random.default_rng(3)), tolerance=0.01, withheld={"b": "Budget"})
    item = found.of("b", AVERAGE)
    assert item is not None
    assert (item.verdict, item.reason, item.difference.has_interval) == (WITHHELD, "Budget", True)


def test_losses_with_different_seeds_are_compared_without_pairs() -> None:
    found = losses(np.random.default_rng(4), names="ab")
    found["b"] = [dataclasses.replace(found["b"][0], seeds=np.arange(5) + 10)]
    item = decided(found, tolerance=0.01).of("b", AVERAGE)
    assert item is not None
    assert "not paired" in item.difference.method


def test_each_configuration_with_a_seed_of_its_own_has_an_average_alone() -> None:
    found = losses(np.random.default_rng(5), names="ab", points=12, seeds=12)
    for name, (cells,) in found.items():
        alone = np.eye(12, dtype=bool)
        raw = {column: np.where(alone, values, np.nan) for column, values in cells.raw.items()}
        status = np.where(alone, "ok", "unplanned").astype(object)
        found[name] = [dataclasses.replace(cells, raw=raw, status=status)]
    outcome = decided(found, tolerance=0.01)
    assert outcome.values["a"][AVERAGE].has_interval
    assert outcome.of("b", AVERAGE).difference.has_interval  # type: ignore[union-attr]
    assert outcome.of("b", TUNED).reason == "each configuration has one seed only"  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("surface", list(NOISE))
def test_identical_losses_seldom_differ_in_any_question(surface: str, seeds: int) -> None:
    rng, studies = np.random.default_rng(seeds), 60
    false = [
        wrong(decided(losses(rng, surface=surface, seeds=seeds, common=bool(n % 2)), tolerance=0.001))
        for n in range(studies)
    ]
    print(surface, seeds, np.mean(false[::2]), np.mean(false[1::2]))
    assert np.mean(false) <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / studies)


def test_decide_compares_disjoint_seeds_without_pairs_and_says_so() -> None:
    found = losses(np.random.default_rng(7), names="ab", common=True)
    (cells,) = found["b"]
    raw = {name: values - 0.1 for name, values in cells.raw.items()}
    found["b"] = [dataclasses.replace(cells, raw=raw, seeds=np.arange(5) + 10)]
    item = decide(found, "a", tolerance=0.01).of("b", AVERAGE)
    assert item is not None
    assert "not paired" in item.difference.method
    assert (item.verdict, item.difference.value < -0.09) == (WORSE, True)
