"""A table of results becomes a study: its columns find their meaning, and a bad table or mapping is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.report.score_tables import scores_table
from analysis.statistics.comparisons.loss_values import TUNED
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import TableMapping, build_mapping, mapping_keys, read_mapping
from analysis.tables.read import load_records
from tests.analysis.report.pages import told_of
from tests.analysis.tables.example_table import KEYS, ROWS


def study(rows: pd.DataFrame = ROWS, **keys: object) -> StudyAnalysis:
    return analyse_table(*table_study(rows, build_mapping({**KEYS, **keys})))


def test_columns_that_repeat_are_the_axes() -> None:
    findings = study()
    assert list(findings.cells) == ["simclr", "dhel"]
    cells = findings.cells["dhel"]
    assert [axis.name for axis in cells.axes] == ["hp_bs", "hp_tau"]
    assert cells.shape == (2, 3)
    assert findings.info.x.label == "batch size, pairs"
    assert findings.summaries["dhel"].tuned.place == {"hp_bs": 32, "hp_tau": 0.2}
    # one column selects and reports; still one seed selects and another one scores
    assert findings.summaries["dhel"].tuned.estimate.value == pytest.approx(0.78)
    assert findings.decisions is not None
    decision = findings.decisions.of("dhel", TUNED)
    assert decision is not None
    assert decision.difference.value == pytest.approx(0.1)


def test_usual_names_of_columns_are_no_hyperparameters() -> None:
    rows = ROWS.rename(columns={"acc": "test_acc"}).assign(status="ok", dataset="one")
    rows.loc[0, ["status", "test_acc"]] = ["diverged", np.nan]
    rows = pd.concat([rows, rows.assign(dataset="two")])
    table, info = table_study(rows, build_mapping({**KEYS, "metric": "test_acc"}))
    assert [axis.bare for arm in info.arms for axis in arm.axes] == ["bs", "tau"] * 2
    assert (table["status"] == "diverged").sum() == 2
    assert set(table["data"]) == {"one", "two"}
    assert info.metric.reported == "test acc"


def test_lower_may_be_better_and_values_keep_their_sign() -> None:
    rows = ROWS.assign(gap=1 - ROWS["acc"])
    findings = study(rows, metric="gap", higher_is_better=False, axes=["bs", "tau"])
    assert findings.summaries["dhel"].tuned.estimate.value == pytest.approx(-0.22)
    assert "tuned gap" in told_of(findings)
    assert "0.32" in told_of(findings)


def test_percent_is_told_in_percent() -> None:
    findings = study(ROWS.assign(acc=100 * ROWS["acc"]), percent=True)
    assert findings.info.tolerance == 2
    assert "68.0" in told_of(findings)


def test_a_status_column_keeps_failures_and_the_worst_value_is_theirs() -> None:
    rows = ROWS.assign(state="ok")
    rows.loc[0, ["state", "acc"]] = ["Diverged", np.nan]
    findings = study(rows, status="state")
    summary = findings.summaries["simclr"]
    assert summary.failed == 1
    assert findings.info.metric.worst == pytest.approx(rows["acc"].min())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_without_finite_score_is_a_failure(value: float) -> None:
    rows = ROWS.copy()
    rows.loc[0, "acc"] = value
    assert study(rows).summaries["simclr"].failed == 1


def test_a_table_of_one_configuration_is_refused() -> None:
    rows = ROWS[(ROWS["method"] == "dhel") & (ROWS["tau"] == 0.1) & (ROWS["bs"] == 32)]
    with pytest.raises(ValueError, match=r"no column is a hyperparameter that varies; .* --axis"):
        study(rows)


def test_every_trial_failed() -> None:
    findings = study(ROWS.assign(acc=np.nan), worst=0.1)
    assert "No trial ended with a score" in told_of(findings)


def test_seeds_may_be_words() -> None:
    found = study(ROWS.assign(run=ROWS["run"].map({1: "a", 2: "b", 3: "c"})))
    assert found.cells["dhel"].seeds.tolist() == ["a", "b", "c"]
    plain, words = scores_table(study(ROWS)), scores_table(found)
    pd.testing.assert_frame_equal(plain, words)


def test_seeds_in_text_are_the_numbers() -> None:
    assert study(ROWS.assign(run=ROWS["run"].astype(str))).cells["dhel"].seeds.tolist() == [1, 2, 3]


@pytest.mark.slow
def test_ten_thousand_columns() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(len(ROWS), 10_000))).add_prefix("c")
    assert study(pd.concat([ROWS, wide], axis=1)).cells["dhel"].shape == (2, 3)


@pytest.mark.parametrize(
    ("changes", "keys", "message"),
    [
        ({}, {"metric": "accuracy"}, "no column 'accuracy'; did you mean .*acc"),
        ({}, {"axes": ["taus"]}, "no column 'taus'; did you mean tau"),
        ({"acc": "high"}, {}, "acc: got 'high' in row 1; a metric is made of numbers"),
        ({"state": "ended"}, {"status": "state"}, "status: got 'ended'; allowed are"),
        ({"run": 1}, {}, "rows 1 and 7 are one trial"),
    ],
)
def test_bad_tables_are_named(changes: dict, keys: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        study(ROWS.assign(**changes), **keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"metrik": "acc"}, "unknown key metrik; allowed are metric"),
        ({"loss": "method"}, "mapping: metric is missing"),
        ({"metric": 3}, "mapping: metric must be text; got 3"),
        ({"metric": "acc", "percent": "perhaps"}, "mapping: percent must be true or false; got 'perhaps'"),
        ({"metric": "acc", "worst": "low"}, "mapping: worst must be a number; got 'low'"),
        ({"metric": "acc", "axes": "tau"}, r'mapping: axes must be a list of text, .*"tau"\]; got \'tau\''),
        ({"metric": "acc", "measures": "log"}, "mapping: measures must be a table of text"),
        ({"metric": "acc", "null_controls": ["a"]}, "mapping: null_controls must be a list of pairs of text"),
    ],
)
def test_bad_mappings_are_named(keys: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_mapping(keys)


def test_every_key_of_a_mapping_says_what_it_expects() -> None:
    for key in TableMapping.__dataclass_fields__:
        with pytest.raises(ValueError, match=f"mapping: {key} must be [a-z]+ ?.*; got {{1}}"):
            build_mapping({"metric": "acc", key: {1}})


def test_a_mapping_survives_its_file(tmp_path: Path) -> None:
    mapping = build_mapping({**KEYS, "axes": ["tau"], "higher_is_better": False})
    assert mapping_keys(mapping) == {**KEYS, "axes": ["tau"], "higher_is_better": False}
    path = tmp_path / "mapping.toml"
    path.write_text(
        'metric = "acc"\nloss = "method"\nseed = "run"\naxes = ["tau"]\nhigher_is_better = false\n'
    )
    assert build_mapping(read_mapping(path)) == mapping


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    ROWS.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(load_records(tmp_path / "a.csv"), load_records(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.parquet", b"PAR1 no"), ("a.csv", b""), ("missing.csv", None)]
)
def test_what_is_no_table_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name):
        load_records(tmp_path / name)
