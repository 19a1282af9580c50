"""The space of a decision: every axis of numbers, and for categories the variant that validation selects."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.model.info import AxisInfo
from analysis.model.weights import axis_weights
from analysis.report.recommended import recommend_from
from analysis.report.recommended_data import answer_data
from analysis.report.verdict import study_verdict
from analysis.statistics.comparisons.decisions import AS_ROBUST, AVERAGE, NOT_TUNING, TUNED
from analysis.study_analysis import analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping


def rows(third: str, values: list) -> pd.DataFrame:
    """Loss a falls by 0.1 for each doubling of the temperature from 0.1; loss b is flat. Four seeds."""
    rng, found = np.random.default_rng(0), []
    for loss in ("a", "b"):
        for batch in (32, 64):
            for temperature in (0.05, 0.1, 0.2):
                for value in values:
                    for seed in range(4):
                        level = 0.85 - (0.1 * abs(np.log2(temperature / 0.1)) if loss == "a" else 0.0)
                        score = level + 0.002 * rng.normal()
                        found.append((loss, batch, temperature, value, seed, score, score))
    columns = ["loss", "batch_size", "temperature", third, "seed", "acc", "val_acc"]
    return pd.DataFrame(found, columns=columns)


def decided(table: pd.DataFrame, **keys: object) -> pd.DataFrame:
    found = analysis.compare(table, metric="acc", selects="val_acc", **keys)
    return found.set_index("question")


@pytest.mark.parametrize("main", ["temperature", "lr"])
def test_a_third_axis_of_numbers_belongs_to_the_space_whatever_axis_is_drawn(main: str) -> None:
    table = decided(rows("lr", [0.1, 0.2, 0.4, 0.8]), main=main)
    assert table.loc[NOT_TUNING, "difference"] == pytest.approx(-0.2 / 3, abs=0.005)
    assert table.loc[AVERAGE, "difference"] == pytest.approx(0.2 / 3, abs=0.005)
    assert table.loc[TUNED, "difference"] == pytest.approx(0.0, abs=0.005)
    assert table.loc[[NOT_TUNING, AVERAGE], "verdict"].tolist() == ["better", "better"]


def test_of_categories_validation_selects_one() -> None:
    table = rows("optimizer", ["adam", "sgd"])
    poor = (table["loss"] == "b") & (table["optimizer"] == "sgd")
    table.loc[poor, ["acc", "val_acc"]] -= 0.3
    found = decided(table, main="temperature")
    assert found.loc[AVERAGE, "difference"] == pytest.approx(0.2 / 3, abs=0.005)


def with_axes(axes: dict[str, dict[str, list]], seeds: int = 4) -> pd.DataFrame:
    """Every loss over its own axes, all at 0.8 and sgd 0.2 lower, with noise of 0.002."""
    rng, found = np.random.default_rng(0), []
    for loss, own in axes.items():
        for values in itertools.product(*own.values()):
            config = dict(zip(own, values, strict=True))
            for seed in range(seeds):
                score = 0.8 - 0.2 * (config.get("optimizer") == "sgd") + 0.002 * rng.normal()
                found.append({"loss": loss, **config, "seed": seed, "acc": score, "val_acc": score})
    return pd.DataFrame(found)


BATCH, TEMPERATURE, OPTIMIZER = [32, 64, 128], [0.1, 0.2, 0.4], ["adam", "sgd"]


def test_categories_are_variants_of_all_losses_or_of_none() -> None:
    """Loss a has two axes and loss b one more: both choose the optimizer, so neither pays for sgd."""
    two = {"batch_size": BATCH, "optimizer": OPTIMIZER}
    table = with_axes({"a": two, "b": {**two, "temperature": TEMPERATURE}})
    findings = analysis.findings_of(table, metric="acc", selects="val_acc", complete=True)
    assert {loss: len(each) for loss, each in findings.variants.items()} == {"a": 2, "b": 2}
    assert findings.decisions is not None
    price = findings.decisions.of("b", NOT_TUNING)
    assert price is not None
    assert price.difference.value == pytest.approx(0.0, abs=0.005)
    assert findings.decisions.standing("b") == AS_ROBUST


@pytest.mark.parametrize(
    "axes",
    [
        {"a": ["optimizer", "schedule"], "b": ["optimizer", "schedule", "temperature"]},
        {"a": ["optimizer", "schedule", "kernel"], "b": ["optimizer", "schedule", "kernel"]},
    ],
)
def test_categories_are_the_space_where_a_loss_varies_nothing_else(axes: dict[str, list[str]]) -> None:
    values = {
        "optimizer": OPTIMIZER,
        "schedule": ["cosine", "step"],
        "kernel": ["imq", "rbf"],
        "temperature": TEMPERATURE,
    }
    table = with_axes({loss: {name: values[name] for name in names} for loss, names in axes.items()})
    findings = analysis.findings_of(table, metric="acc", selects="val_acc", complete=True)
    for loss, (variant,) in findings.variants.items():
        assert len(variant.cells.codes) == np.prod([len(values[name]) for name in axes[loss]])
    assert findings.decisions is not None
    # each loss pays for sgd: validation chooses adam, and half of the space is 0.2 lower
    assert findings.decisions.values["a"][NOT_TUNING].value == pytest.approx(0.1, abs=0.01)
    assert findings.decisions.values["b"][NOT_TUNING].value == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("main", ["temperature", "lr"])
def test_the_parts_that_figures_draw_are_not_counted_as_variants(main: str) -> None:
    """A figure over the temperature draws a loss in 49 parts, one for each rate. The loss still has one variant."""
    axes = {"batch_size": [32, 64], "temperature": [0.1, 0.2], "lr": [0.01 * step for step in range(1, 50)]}
    table = with_axes(dict.fromkeys("ab", axes), seeds=3)
    findings = analysis.findings_of(table, metric="acc", selects="val_acc", complete=True, main=main)
    assert findings.ranks_losses
    assert findings.decisions is not None
    assert {loss: len(each) for loss, each in findings.variants.items()} == {"a": 1, "b": 1}


@pytest.mark.parametrize("main", ["temperature", "kernel"])
def test_too_many_variants_are_not_compared_whatever_axis_is_drawn(main: str) -> None:
    axes = {"batch_size": [32, 64], "temperature": [0.1, 0.2], "kernel": [f"k{at:02d}" for at in range(49)]}
    table = with_axes(dict.fromkeys("ab", axes), seeds=2)
    findings = analysis.findings_of(table, metric="acc", selects="val_acc", complete=True, main=main)
    assert findings.decisions is None
    (sentence,) = study_verdict(findings).answer
    assert sentence.startswith("The study has 2 losses with 98 variants, too many to compare")


def coarse(third: str, values: list) -> pd.DataFrame:
    """The rows with scores in steps of 0.01, so that settings tie, and without some rows of loss b."""
    table = rows(third, values)
    noise = 0.01 * np.random.default_rng(1).normal(size=(len(table), 2))
    table[["acc", "val_acc"]] = (table[["acc", "val_acc"]] + noise).round(2)
    lacking = (table["loss"] == "b") & (table["batch_size"] == 64) & (table[third] == values[-1])
    return table[~lacking | (table["temperature"] > 0.05)]


#: By name: the third axis, its values, and whether they are variants.
THIRD = {
    "numbers": ("lr", [0.01, 0.02, 0.5], False),
    "categories": ("optimizer", ["adam", "sgd"], True),
    "twelve": ("kernel", [f"k{index:02d}" for index in range(12)], True),
}


@pytest.mark.parametrize("name", THIRD)
def test_no_decision_and_no_recommendation_depends_on_which_axes_are_drawn(name: str) -> None:
    third, values, variants = THIRD[name]
    table = coarse(third, values)
    keys = {"metric": "acc", "selects": "val_acc", "complete": True}
    found = {
        main: analysis.findings_of(table, main=main, **keys) for main in ("temperature", third, "batch_size")
    }
    first = found["temperature"]
    assert {loss: len(each) for loss, each in first.variants.items()} == dict.fromkeys(
        "ab", len(values) if variants else 1
    )
    for other in found.values():
        assert first.decisions is not None
        assert other.decisions is not None
        assert [item.verdict for item in other.decisions.items] == [
            item.verdict for item in first.decisions.items
        ]
        for one, same in zip(first.decisions.items, other.decisions.items, strict=True):
            ends = (same.difference.value, same.difference.low, same.difference.high)
            assert ends == pytest.approx((one.difference.value, one.difference.low, one.difference.high))
        for tuned in (True, False):
            assert answer_data(recommend_from(other, tuned=tuned)) == approx_data(
                answer_data(recommend_from(first, tuned=tuned))
            )


def approx_data(told: object) -> object:
    """The same data with floats that may differ by rounding."""
    if isinstance(told, dict):
        return {key: approx_data(value) for key, value in told.items()}
    if isinstance(told, list):
        return [approx_data(value) for value in told]
    return pytest.approx(told, nan_ok=True) if isinstance(told, float) else told


def test_the_recommended_score_is_the_tuned_score_of_the_verdict() -> None:
    findings = analysis.findings_of(
        coarse("kernel", THIRD["twelve"][1]), metric="acc", selects="val_acc", complete=True
    )
    found = recommend_from(findings).found
    assert findings.decisions is not None
    assert found is not None
    for each in found.candidates:
        assert each.score == pytest.approx(findings.decisions.values[each.loss][TUNED].value, abs=1e-12)


@pytest.mark.parametrize("main", ["temperature", "lr", "batch_size"])
def test_the_measure_of_a_number_does_not_depend_on_its_place(main: str) -> None:
    """Of 0.01, 0.02 and 0.5 the logarithmic measure gives the last one most of the range."""
    table = rows("lr", [0.01, 0.02, 0.5])
    (variant,) = analysis.findings_of(table, metric="acc", main=main).variants["a"]
    place = {axis.name: at for at, axis in enumerate(variant.cells.axes)}
    assert list(place) == ["hp_batch_size", "hp_lr", "hp_temperature"]
    shares = [variant.cells.weights[variant.cells.codes[:, place["hp_lr"]] == at].sum() for at in range(3)]
    assert shares == pytest.approx(axis_weights(np.array([0.01, 0.02, 0.5]), "log"))
    assert shares[2] > 0.5


def test_the_default_category_is_the_default_variant() -> None:
    """A study file declares defaults. Without one, the first category counts as the default."""
    table = rows("optimizer", ["adam", "sgd"])
    trials, info = table_study(table, build_mapping({"metric": "acc", "main": "temperature"}))
    sgd = AxisInfo(name="hp_optimizer", measure="each", default="sgd", order=("adam", "sgd"))
    arms = tuple(dataclasses.replace(arm, axes=(*arm.axes[:2], sgd)) for arm in info.arms)
    for axes, want in ((info.arms, "adam"), (arms, "sgd")):
        findings = analyse_table(trials, info.with_arms(axes))
        assert findings.variants["a"][0].fixed["hp_optimizer"] == want
        answer = recommend_from(findings, tuned=False)
        assert {loss: setting["hp_optimizer"] for loss, setting in answer.settings.items()} == dict.fromkeys(
            "ab", want
        )
