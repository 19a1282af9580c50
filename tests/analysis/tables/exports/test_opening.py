"""A source that cannot be read, or that holds several studies, is one line; what is no export is None."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import analysis.tables.exports.database as database_module
from analysis.tables.exports.opening import open_export
from analysis.tables.exports.source import local_path
from tests.analysis.tables.exports.conftest import MakeExport
from tests.analysis.tables.exports.making import mlflow_folder, optuna_database, optuna_journal
from tests.analysis.tables.exports.trials import ENDS, NO_FAILURE


def refusal(source: str | Path) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the message is what callers check
        open_export(source)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def copied(source: str, folder: Path) -> Path:
    """A copy of the database or file of an export."""
    path = Path(source.removeprefix("sqlite:///"))
    return Path(shutil.copy(path, folder / path.name))


def test_tables_and_other_folders_are_no_exports(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("loss,acc\na,1\n")
    (tmp_path / "a.jsonl").write_text('{"loss": "a", "acc": 1}\n')
    (tmp_path / "a.parquet").write_bytes(b"PAR1\x00\xff\xfe")
    (tmp_path / "empty").mkdir()
    (tmp_path / "store" / "records").mkdir(parents=True)
    (tmp_path / "other" / "data").mkdir(parents=True)
    (tmp_path / "other" / "data" / "meta.yaml").write_text("name: mine")
    for name in ("a.csv", "a.jsonl", "a.parquet", "empty", "store", "other", "absent.csv"):
        assert open_export(tmp_path / name) is None
    assert open_export("s3://bucket/prefix") is None


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////a/b.db?study=my%20study", "/a/b.db"),
        ("a/mlruns?experiment=x", "a/mlruns"),
        ("a/what?.csv", "a/what?.csv"),
        ("s3://bucket/prefix", None),
    ],
)
def test_the_path_of_a_source_has_no_choice_in_it(source: str, path: str | None) -> None:
    assert local_path(source) == (path and Path(path))


@pytest.mark.parametrize("make", [optuna_database, optuna_journal])
def test_one_of_several_studies_is_chosen_by_name(make: object, tmp_path: Path) -> None:
    source = make(tmp_path, {0: "crashed"}, name="one")  # type: ignore[operator]
    make(tmp_path, NO_FAILURE, name="the other")  # type: ignore[operator]
    message = refusal(source)
    assert "it holds 2 studies (one, the other)" in message
    assert message.endswith(f"name one, as in '{source}?study=one'")
    for name, failed in (("one", 1), ("the other", 0), ("the%20other", 0)):
        rows = open_export(f"{source}?study={name}")
        assert rows is not None
        assert (len(rows), (rows["state"] == "FAIL").sum()) == (24, failed)
    assert refusal(f"{source}?study=two").endswith("no study 'two'; it holds one, the other")
    assert refusal(f"{source}?experiment=one").endswith(
        "?experiment= is no choice here; allowed is ?study=NAME"
    )


def test_one_of_several_experiments_is_chosen_by_name(tmp_path: Path) -> None:
    source = mlflow_folder(tmp_path, {0: "crashed"}, name="one")
    mlflow_folder(tmp_path, NO_FAILURE, name="two")
    message = refusal(source)
    assert "it holds 2 experiments (one, two)" in message
    assert message.endswith(f"name one, as in '{source}?experiment=one'")
    rows = open_export(f"{source}?experiment=one")
    assert rows is not None
    assert (rows["status"] == "FAILED").sum() == 1
    alone = open_export(
        next(path.parent.parent for path in Path(source).glob(f"*/{rows['run_id'][0]}/meta.yaml"))
    )
    assert alone is not None
    assert alone.equals(rows)


def test_runs_that_were_deleted_are_left_out(make_export: MakeExport, tmp_path: Path) -> None:
    path = copied(make_export("mlflow_database", ENDS), tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE start_time % 24 < 4")
    rows = open_export(path)
    assert rows is not None
    assert len(rows) == 20


def test_a_folder_with_a_database_of_mlflow_is_opened(make_export: MakeExport, tmp_path: Path) -> None:
    copied(make_export("mlflow_database", ENDS), tmp_path)
    rows = open_export(tmp_path)
    assert rows is not None
    assert len(rows) == 24


@pytest.mark.parametrize("name", ["optuna_database", "mlflow_database"])
def test_a_locked_database_is_one_line(
    name: str, make_export: MakeExport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_PATIENCE", 0.01)
    path = copied(make_export(name, ENDS), tmp_path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert refusal(path) == f"{path}: the database cannot be read (database is locked)"


@pytest.mark.parametrize("name", ["optuna_database", "mlflow_database"])
@pytest.mark.parametrize("kept", [60, 5000, 40_000])
def test_a_damaged_database_is_one_line(
    name: str, kept: int, make_export: MakeExport, tmp_path: Path
) -> None:
    path = copied(make_export(name, ENDS), tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(path).startswith(f"{path}: ")


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("no database")
    assert refusal(path) == f"{path}: no SQLite database, or a damaged one"
    assert refusal(f"sqlite:///{tmp_path}/absent.db") == f"{tmp_path}/absent.db: no such file"
    path.unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE mine (a)")
    assert refusal(path) == f"{path}: a SQLite database, but neither of Optuna nor of MLflow"
    assert refusal("mysql+pymysql://host/db").startswith(
        "mysql+pymysql: databases on servers are not read; save "
    )


def test_a_storage_of_another_version_says_how_to_upgrade(make_export: MakeExport, tmp_path: Path) -> None:
    path = copied(make_export("optuna_database", NO_FAILURE), tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    assert "optuna storage upgrade" in refusal(path)


@pytest.mark.parametrize("name", ["optuna_database", "mlflow_database", "optuna_journal"])
def test_reading_writes_nothing(name: str, make_export: MakeExport, tmp_path: Path) -> None:
    path = copied(make_export(name, ENDS), tmp_path)
    before = path.read_bytes()
    path.chmod(0o400)
    assert open_export(path) is not None
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_journal_is_one_line(make_export: MakeExport, tmp_path: Path) -> None:
    path = copied(make_export("optuna_journal", NO_FAILURE), tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:20], lines[20][:30] + "\n", *lines[21:]]))
    assert refusal(path).startswith(f"{path}: the journal is damaged (")


def test_a_journal_that_a_kill_cut_off_has_the_trials_before(make_export: MakeExport, tmp_path: Path) -> None:
    path = copied(make_export("optuna_journal", NO_FAILURE), tmp_path)
    path.write_text(path.read_text()[:-20])
    rows = open_export(path)
    assert rows is not None
    assert rows["state"].tolist() == ["COMPLETE"] * 23 + ["RUNNING"]


def test_a_damaged_file_of_mlflow_is_one_line(make_export: MakeExport, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(make_export("mlflow_folder", NO_FAILURE), tmp_path / "mlruns"))
    meta = next(folder.glob("*/*/meta.yaml"))
    meta.write_text("a: [")
    assert refusal(folder).startswith(f"{meta}: cannot be read (")


def test_the_last_line_of_a_metric_may_be_cut_off(make_export: MakeExport, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(make_export("mlflow_folder", NO_FAILURE), tmp_path / "mlruns"))
    metric = next(folder.glob("*/*/metrics/acc"))
    metric.write_text(metric.read_text() + "17000")
    rows = open_export(folder)
    assert rows is not None
    assert (rows["metrics.acc"] > 0.8).all()
