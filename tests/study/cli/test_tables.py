"""`study import` and `study report --from` report a table, keep its mapping, and refuse bad input in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

from study.cli.tables import check_table, read_table
from study.errors import StudyError
from tests.prose import assert_says
from tests.study.running import invoke

ROWS = pd.DataFrame(
    [
        {"loss": loss, "seed": seed, "batch": batch, "tau": tau, "acc": peak - tau / 10 - seed / 100}
        for loss, peak in (("a", 0.8), ("b", 0.7))
        for seed in (0, 1, 2)
        for batch in (32, 64)
        for tau in (0.1, 0.2)
    ]
)


def import_rows(rows: pd.DataFrame, folder: Path, *words: object) -> Result:
    """The table imported into the folder's `out`."""
    rows.to_csv(folder / "rows.csv", index=False)
    return invoke("import", folder / "rows.csv", "--out", folder / "out", "--metric", "acc", *words)


def test_what_columns_were_taken_for_and_what_is_absent_is_said(tmp_path: Path) -> None:
    rows = ROWS.assign(spread=ROWS["acc"] / 3, note=np.arange(24) / 7, acc=100 * ROWS["acc"]).drop(
        index=[0, 5]
    )
    result = import_rows(rows, tmp_path, "--describes", "spread")
    assert result.exit_code == 0, result.output
    assert [line.rstrip() for line in result.stderr.splitlines()] == [
        "column  taken as        why",
        "loss    loss            2 names",
        "seed    seed            3 values",
        "acc     metric          higher is better (by its name); percent (by its name and values)",
        "batch   hyperparameter  2 values",
        "tau     hyperparameter  2 values",
        "spread  representation",
        "note    not used        an outcome: changes from seed to seed",
        "Absent: 2 of 24 trials have no row and count as not run yet; if no more were planned, add --complete",
    ]
    mapping = (tmp_path / "out" / "mapping.toml").read_text()
    assert 'describes = ["spread"]' in mapping


@pytest.mark.parametrize(
    ("words", "said", "keys"),
    [
        (
            ("--lower-is-better",),
            "fit metric lower is better (as declared); numbers",
            ["higher_is_better = false"],
        ),
        (
            ("--higher-is-better", "--percent"),
            "fit metric higher is better (as declared); percent",
            ["percent = true"],
        ),
        (
            ("--higher-is-better", "--selects", "val_gain", "--selects-lower-is-better"),
            "val_gain chooses configurations lower is better (as declared)",
            ["higher_is_better = true", "selects_higher_is_better = false"],
        ),
    ],
)
def test_a_direction_that_no_name_tells_is_declared_and_kept(
    words: tuple[str, ...], said: str, keys: list[str], tmp_path: Path
) -> None:
    rows = ROWS.rename(columns={"acc": "fit"}).assign(val_gain=ROWS["acc"])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    asked = ("import", tmp_path / "rows.csv", "--out", tmp_path / "out", "--metric", "fit", "--loss", "loss")
    result = invoke(*asked)
    assert result.exit_code == 2
    assert (
        "metric fit: is higher or lower better? add --higher-is-better or --lower-is-better" in result.stderr
    )
    result = invoke(*asked, *words)
    assert result.exit_code == 0, result.output
    assert any(" ".join(line.split()).startswith(said) for line in result.stderr.splitlines())
    mapping = (tmp_path / "out" / "mapping.toml").read_text().splitlines()
    assert set(keys) <= set(mapping)


def test_trials_that_did_not_run_are_told_in_the_report(tmp_path: Path) -> None:
    """Absent rows of one loss, rows marked `missing` of the other; `--complete` leaves only the marked ones."""
    rows = ROWS.assign(state="ok").drop(index=[0, 5])
    rows.loc[rows.index[-3:], ["state", "acc"]] = ["missing", np.nan]
    assert import_rows(rows, tmp_path, "--status", "state").exit_code == 0
    result = invoke("report", "--from", tmp_path / "out")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out/report.md").read_text()
    assert_says(text, "Provisional", "5 of 24 planned trials")
    assert_says(text, "Columns of the table", "| tau | hyperparameter | 2 values |")
    trials = pd.read_parquet(tmp_path / "out/tables/coverage.parquet")
    assert trials["missing"].tolist() == [2, 3]
    assert import_rows(rows, tmp_path, "--status", "state", "--complete").exit_code == 0
    assert "complete = true" in (tmp_path / "out" / "mapping.toml").read_text()


def many(rows: pd.DataFrame) -> pd.DataFrame:
    """The table with ten columns that differ between the configurations of a loss, and not between seeds."""
    configuration = rows.groupby(["batch", "tau"]).ngroup().to_numpy()
    drawn = np.random.default_rng(0).integers(0, 3, size=(4, 10))[configuration]
    return pd.concat([rows, pd.DataFrame(drawn).add_prefix("c")], axis=1)


def test_a_table_without_a_metric_is_told_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    ROWS.to_csv(path, index=False)
    result = invoke("report", "--from", path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("study: --metric: is missing; the table has the columns ")
    assert "acc" in result.stderr
    ROWS.rename(columns={"acc": "test_acc"}).to_csv(path, index=False)
    result = invoke("report", "--from", path, "--out", tmp_path / "out")
    assert result.stderr == "study: --metric: is missing; the table has the columns test_acc\n"


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        (ROWS.iloc[:0], ("--selects", "val"), "table: it has no rows"),
        (many(ROWS), (), "name those that are with --axis"),
        (ROWS.assign(loss=ROWS["loss"].where(ROWS.index != 3)), (), "loss: row 4 is empty in column 'loss'"),
        (ROWS.assign(seed=ROWS["seed"].where(ROWS.index != 3)), (), "seed: row 4 is empty in column 'seed'"),
        (ROWS.assign(status="ended"), (), "status: got 'ended'; allowed are"),
        (ROWS, ("--percent", "--worst", "101"), "worst: got 101"),
        (ROWS, ("--tolerance", "2"), "tolerance: got 2.0"),
        (ROWS, ("--selects", "tau"), "add --selects-higher-is-better or --selects-lower-is-better"),
        (ROWS, ("--lower-is-better", "--higher-is-better"), "give it or --higher-is-better, not both"),
        (ROWS.assign(acc=-ROWS["acc"]), (), "acc: got -0.79 in row 1; allowed are shares in [0, 1]"),
        (ROWS.assign(acc=2 * ROWS["acc"]), (), "add --percent or --no-percent"),
    ],
)
@pytest.mark.parametrize("command", ["import", "report"])
def test_what_does_not_fit_is_one_line_and_nothing_is_written(
    rows: pd.DataFrame, words: tuple[str, ...], said: str, command: str, tmp_path: Path
) -> None:
    rows.to_csv(tmp_path / "rows.csv", index=False)
    source = ("import",) if command == "import" else ("report", "--from")
    result = invoke(*source, tmp_path / "rows.csv", "--out", tmp_path / "out", "--metric", "acc", *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "source", ["{}/no.csv", "sqlite:///{}/no.csv", "{}/no.csv?study=a", "file://{}/no.csv"]
)
def test_an_absent_file_is_named_without_its_choice(source: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        check_table(source.format(tmp_path))
    assert str(caught.value) == f"{tmp_path / 'no.csv'}: no such file"


def test_a_url_elsewhere_is_no_absent_file() -> None:
    check_table("s3://bucket/prefix")
    with pytest.raises(StudyError, match=r"^mysql: databases on servers are not read"):
        check_table("mysql://host/base")


def test_infinity_is_a_category_in_text_and_a_fault_in_numbers(tmp_path: Path) -> None:
    rows = ROWS.replace({"tau": {0.2: np.inf}})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    result = invoke("import", tmp_path / "rows.csv", "--out", tmp_path / "out", "--metric", "acc")
    assert result.exit_code == 0, result.output
    (arm, *_) = read_table(str(tmp_path / "out"), {}).info.arms
    assert {axis.name: axis.order for axis in arm.axes}["hp_tau"] == ("0.1", "inf")
    rows.to_parquet(tmp_path / "rows.parquet")
    result = invoke("import", tmp_path / "rows.parquet", "--out", tmp_path / "other", "--metric", "acc")
    assert result.exit_code == 2
    assert result.stderr == "study: axis hp_tau: got an infinite value; a number is needed\n"
    assert not (tmp_path / "other").exists()


def test_columns_of_several_types_are_imported(tmp_path: Path) -> None:
    """Parquet has one type in each column; the file of an imported table is Parquet."""
    rows = ROWS.assign(tau=ROWS["tau"].astype(object).where(ROWS["tau"] < 0.2, "auto"))
    rows.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    result = invoke("import", tmp_path / "rows.jsonl", "--out", tmp_path / "out", "--metric", "acc")
    assert result.exit_code == 0, result.output
    table = read_table(str(tmp_path / "out"), {})
    assert sorted(set(table.trials["hp_tau"])) == ["0.1", "auto"]
    assert table.trials["acc"].tolist() == pytest.approx(ROWS["acc"].tolist())
