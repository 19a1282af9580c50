"""The metric of a table: direction, unit and bounds are settled first, and a failure never wins."""

import numpy as np
import pandas as pd
import pytest

from analysis.report.score_tables import cells_table, decisions_table, scores_table
from analysis.report.sections.trials.methods import methods_section
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from analysis.tables.metric import metric_words
from tests.analysis.report.pages import told_of
from tests.analysis.tables.example_table import KEYS, ROWS

AXES = {"axes": ["bs", "tau"]}
#: The best place of loss `dhel`, where tests let trials crash.
BEST = (ROWS["method"] == "dhel") & (ROWS["bs"] == 32) & (ROWS["tau"] == 0.2)


def study(rows: pd.DataFrame, **keys: object) -> StudyAnalysis:
    return analyse_table(*table_study(rows, build_mapping({**KEYS, **AXES, **keys})))


def with_crashes(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with every trial of `dhel` at its best place crashed."""
    rows = rows.assign(status=np.where(BEST, "crashed", "ok"))
    numbers = [name for name in rows.columns if name not in ("method", "run", "bs", "tau", "status")]
    return rows.assign(**{name: rows[name].where(~BEST) for name in numbers})


@pytest.mark.parametrize(
    ("selects", "values", "keys"),
    [
        ("val_acc", ROWS["acc"] - 0.3, {}),
        ("val_acc", ROWS["acc"] - 0.3, {"worst": 0.1}),
        ("val_acc", ROWS["acc"] - 0.6, {"worst": 0.1}),  # finished trials lie below the declared worst
        ("val_loss", 1 - ROWS["acc"], {}),
        ("val_loss", 5 - ROWS["acc"], {"worst": 0.1}),
        ("val_loss", -3 - ROWS["acc"], {"worst": 0.1}),
        ("neg_val_loss", ROWS["acc"] - 7, {}),
        ("val", ROWS["acc"] + 1e6, {"selects_higher_is_better": True}),
        ("val", 1e-8 * ROWS["acc"], {"selects_higher_is_better": True}),
        ("val_acc", 100 * ROWS["acc"] - 30, {}),
    ],
)
def test_what_failed_is_never_tuned(selects: str, values: pd.Series, keys: dict[str, object]) -> None:
    """Whatever level, scale and direction the column that chooses has; the best of what finished is tuned."""
    findings = study(with_crashes(ROWS.assign(**{selects: values})), selects=selects, **keys)
    tuned = findings.summaries["dhel"].tuned
    assert tuned.place == {"hp_bs": 64, "hp_tau": 0.2}
    assert tuned.estimate.value == pytest.approx(0.78)


def test_a_failure_loses_ties() -> None:
    rows = with_crashes(ROWS.assign(val_acc=0.5))
    place = study(rows, selects="val_acc").summaries["dhel"].tuned.place
    assert place == {"hp_bs": 32, "hp_tau": 0.1}
    only = rows.assign(status=np.where((rows["bs"] == 64) & (rows["tau"] == 0.4), "ok", "oom"))
    assert study(only, selects="val_acc").summaries["dhel"].tuned.place == {"hp_bs": 64, "hp_tau": 0.4}


@pytest.mark.parametrize(("selects", "value"), [("val_acc", np.inf), ("val_loss", -np.inf)])
def test_an_infinite_value_is_not_the_best(selects: str, value: float) -> None:
    sign = 1 if selects == "val_acc" else -1
    rows = ROWS.assign(**{selects: sign * ROWS["acc"]})
    rows.loc[(rows["method"] == "dhel") & (rows["bs"] == 32) & (rows["tau"] == 0.1), selects] = value
    found = study(rows, selects=selects)
    assert found.summaries["dhel"].tuned.place == {"hp_bs": 32, "hp_tau": 0.2}
    assert np.isnan(cells_table(found)["val_mean"]).sum() == 1


def test_the_page_says_what_failures_count_as() -> None:
    rows = with_crashes(ROWS.assign(val_acc=ROWS["acc"] - 0.3, val_loss=3 - ROWS["acc"]))
    facts = dict(methods_section(study(rows, selects="val_acc")).facts)
    assert "worst outcome: 60.1\N{NO-BREAK SPACE}%" in facts["Failures"]
    assert "val_acc, which selects, it counts as 30.1\N{NO-BREAK SPACE}%" in facts["Failures"]
    facts = dict(methods_section(study(rows, selects="val_loss")).facts)
    assert "val_loss, which selects, it counts as 2.399" in facts["Failures"]
    assert "the lowest mean val_loss over seeds" in facts["Selection"]


@pytest.mark.parametrize("status", ["pruned", "crashed", "missing"])
@pytest.mark.parametrize("value", [-1.0, 30.0, 5000.0])
def test_only_finished_trials_set_unit_bounds_worst_and_tolerance(status: str, value: float) -> None:
    rows = ROWS.assign(status="ok", val_acc=ROWS["acc"])
    want = study(rows.assign(acc=rows["acc"].where(rows.index > 0)), selects="val_acc").info
    rows.loc[0, ["status", "acc", "val_acc"]] = [status, value, value]
    found = study(rows, selects="val_acc").info
    assert (found.metric, found.tolerance) == (want.metric, want.tolerance)
    assert found.metric.bounds == (0.0, 1.0)


def test_a_finished_row_without_a_score_sets_nothing() -> None:
    rows = ROWS.assign(val_loss=1 - ROWS["acc"])
    rows.loc[0, ["acc", "val_loss"]] = [np.inf, 99.0]
    metric = study(rows, selects="val_loss").info.metric
    assert metric.worst_selecting == pytest.approx(rows["val_loss"][1:].max())
    assert metric.unit == "%"


@pytest.mark.parametrize(
    ("metric", "selects", "message"),
    [
        ("value", None, "metric value: .* add --higher-is-better or --lower-is-better"),
        ("loss_acc", None, "metric loss_acc: is higher or lower better"),
        ("acc", "value", "metric value: .* add --selects-higher-is-better or --selects-lower-is-better"),
        ("value", "acc", "metric value: .* add --higher-is-better"),
    ],
)
def test_a_direction_that_no_name_tells_is_asked_for(metric: str, selects: str | None, message: str) -> None:
    rows = ROWS.assign(value=ROWS["acc"], loss_acc=ROWS["acc"])
    with pytest.raises(ValueError, match=message):
        study(rows, metric=metric, selects=selects)


def test_a_declared_direction_holds_for_both_parts_of_the_data() -> None:
    rows = ROWS.assign(test_fit=1 - ROWS["acc"], val_fit=1 - ROWS["acc"])
    found = study(rows, metric="test_fit", selects="val_fit", higher_is_better=False)
    assert found.summaries["dhel"].tuned.place["hp_tau"] == 0.2
    assert not found.info.metric.chooses_highest


def test_a_loss_chooses_its_lowest_value() -> None:
    found = study(ROWS.assign(val_loss=1 - ROWS["acc"]), selects="val_loss")
    assert found.summaries["dhel"].tuned.place == {"hp_bs": 32, "hp_tau": 0.2}
    assert found.summaries["dhel"].tuned.estimate.value == pytest.approx(0.78)
    found = study(ROWS.assign(test_loss=1 - ROWS["acc"]), metric="test_loss")
    assert found.summaries["dhel"].tuned.estimate.value == pytest.approx(-0.22)


def test_lines_say_how_direction_and_unit_are_known() -> None:
    def lines(rows: pd.DataFrame, **keys: object) -> list[str]:
        mapping = build_mapping({**KEYS, **AXES, **keys})
        words = metric_words(mapping, table_study(rows, mapping)[1].metric)
        return [f"{column}: {told}" for column, told in words.items()]

    rows = ROWS.assign(val_loss=1 - ROWS["acc"], value=ROWS["acc"], val_acc=100 * ROWS["acc"])
    assert lines(rows, selects="val_loss") == [
        "acc: higher is better (by its name); shares of 1 (by its name and values)",
        "val_loss: lower is better (by its name)",
    ]
    assert lines(rows, metric="value", higher_is_better=True) == [
        "value: higher is better (as declared); numbers without a unit (if it is in percent, add --percent)"
    ]
    assert lines(rows, selects="val_acc")[1] == (
        "val_acc: higher is better (by its name); its values are percent, read in shares of 1 like acc"
    )
    assert lines(rows, metric="val_acc", selects="acc") == [
        "val_acc: higher is better (by its name); percent (by its name and values)",
        "acc: higher is better (by its name); its values are shares of 1, read in percent like val_acc",
    ]
    assert lines(rows, metric="val_acc", percent=True) == [
        "val_acc: higher is better (by its name); percent (as declared)"
    ]


@pytest.mark.parametrize("factor", [1.0, 100.0])
def test_validation_in_another_unit_is_brought_to_that_of_test(factor: float) -> None:
    rows = ROWS.assign(acc=factor * ROWS["acc"], val_acc=100 / factor * (ROWS["acc"] - 0.01))
    found = study(rows, selects="val_acc")
    cells = found.cells["dhel"]
    want = factor * (0.8 - 0.1 * np.log(2) - 0.03)
    assert cells.raw["val_acc"].mean(axis=1)[0] == pytest.approx(want)
    assert found.info.metric.worst_selecting == pytest.approx(factor * (ROWS["acc"].min() - 0.01))


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_percents_give_the_decisions_of_shares(noise: float) -> None:
    rng = np.random.default_rng(0)
    rows = ROWS.assign(acc=ROWS["acc"] + noise * rng.normal(size=len(ROWS)))
    rows = with_crashes(rows.assign(val_acc=rows["acc"] + noise * rng.normal(size=len(rows))))
    hundred = rows.assign(acc=100 * rows["acc"], val_acc=100 * rows["val_acc"])
    shares, percents = study(rows, selects="val_acc"), study(hundred, selects="val_acc")
    assert told_of(shares) == told_of(percents)
    one, other = decisions_table(shares), decisions_table(percents)
    assert one["verdict"].tolist() == other["verdict"].tolist()
    assert len(one) == 4
    for name in ("difference", "low", "high"):
        np.testing.assert_allclose(100 * one[name], other[name], rtol=1e-9, atol=1e-9)
    one, other = scores_table(shares), scores_table(percents)
    for name in ("tuned", "default", "mean", "worst_tenth"):
        for end in ("", "_low", "_high"):
            np.testing.assert_allclose(100 * one[name + end], other[name + end], rtol=1e-9)
    for name in ("tolerance_volume", "tuned_bs", "tuned_main_axis_value"):
        assert one[name].tolist() == pytest.approx(other[name].tolist())


@pytest.mark.parametrize(
    ("values", "keys", "message"),
    [
        (
            ROWS["acc"].where(ROWS.index != 4, -1.0),
            {},
            "acc: got -1 in row 5; allowed are shares .* --no-percent",
        ),
        (1000 * ROWS["acc"], {}, r"acc: got \S+ in row 1; allowed are shares"),
        (2 * ROWS["acc"], {}, "may be percents or shares of 1 with an error; add --percent or --no-percent"),
        (
            ROWS["acc"] * np.where(ROWS["method"] == "dhel", 100, 1),
            {},
            "acc: 18 of 36 values lie between 0 and 1, others reach 79; bring all to one unit",
        ),
        (1000 * ROWS["acc"], {"percent": True}, "acc: got"),
        (ROWS["acc"], {"worst": 1.5}, "worst: got 1.5"),
    ],
)
def test_a_doubtful_unit_is_asked_for(values: pd.Series, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        study(ROWS.assign(acc=values), **keys)


def test_a_doubtful_value_is_told_of_the_column_that_has_it() -> None:
    rows = ROWS.assign(val_acc=ROWS["acc"]).assign(acc=0.9 * ROWS["acc"])
    rows.loc[3, "val_acc"] = 1.133
    with pytest.raises(ValueError, match=r"^val_acc: values from \S+ to 1\.133 may be percents or shares"):
        study(rows, selects="val_acc")
    mixed = rows.assign(acc=100 * rows["acc"], val_acc=rows["acc"].where(rows.index > 20, 100 * rows["acc"]))
    with pytest.raises(
        ValueError, match=r"^val_acc: \d+ of 72 values lie between 0 and 1, those of acc reach "
    ):
        study(mixed, selects="val_acc")


@pytest.mark.parametrize(
    ("name", "values", "keys", "unit", "bounds"),
    [
        ("acc", ROWS["acc"], {}, "%", (0.0, 1.0)),
        ("acc", 100 * ROWS["acc"], {}, "%", (0.0, 100.0)),
        ("acc", ROWS["acc"], {"percent": True}, "%", (0.0, 100.0)),
        ("acc", 2 * ROWS["acc"], {"percent": False}, "", (-np.inf, np.inf)),
        ("acc", ROWS["acc"], {"percent": False}, "%", (0.0, 1.0)),
        ("r2", ROWS["acc"], {}, "", (-np.inf, np.inf)),
        ("eval_loss", ROWS["acc"], {}, "", (-np.inf, np.inf)),
        ("error", 100 * ROWS["acc"], {"percent": True}, "%", (0.0, 100.0)),
    ],
)
def test_bounded_metrics_are_known_by_name(
    name: str, values: pd.Series, keys: dict[str, object], unit: str, bounds: tuple[float, float]
) -> None:
    metric = study(ROWS.drop(columns="acc").assign(**{name: values}), metric=name, **keys).info.metric
    assert (metric.unit, metric.bounds) == (unit, bounds)


@pytest.mark.parametrize("name", ["test_accuracy", "test_err"])
def test_shares_and_percent_give_the_same_scores_tolerance_and_order(name: str) -> None:
    values = ROWS["acc"] if name == "test_accuracy" else 1 - ROWS["acc"]
    found = [
        study(ROWS.drop(columns="acc").assign(**{name: scale * values}), metric=name) for scale in (1, 100)
    ]
    shares, percent = (item.info for item in found)
    assert shares.metric.factor * shares.tolerance == percent.metric.factor * percent.tolerance == 2
    shown = [
        {label: item.info.metric.shown(each.mean.value) for label, each in item.summaries.items()}
        for item in found
    ]
    assert shown[0] == pytest.approx(shown[1])


def test_failures_count_as_chance_where_the_classes_are_known() -> None:
    rows = with_crashes(ROWS)
    known = study(rows.assign(classes=10)).info.metric
    assert (known.worst, known.worst_source) == (0.1, "chance of 10 classes")
    percent = study(rows.assign(acc=100 * rows["acc"], num_classes=10)).info.metric
    assert percent.worst == pytest.approx(10)
    unknown = study(rows).info.metric
    assert unknown.worst == pytest.approx(rows["acc"].min())
    assert unknown.worst_source == "the worst finished value"
    below = study(rows.assign(classes=2)).info.metric
    assert below.worst == pytest.approx(min(0.5, rows["acc"].min()))
