"""SQLite databases of a stranger: objects that compute, values of a wrong kind, queries and sizes without end."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from analysis.tables.exports.database import connected
from analysis.tables.exports.opening import open_export
from tests.analysis.tables.exports.conftest import MakeExport
from tests.analysis.tables.exports.trials import ENDS

ENDLESS = (
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) "
    "SELECT 'r0' AS run_uuid, 'k' AS key, n AS value FROM r"
)

MLFLOW = """
CREATE TABLE experiments (name, experiment_id, lifecycle_stage);
CREATE TABLE runs (run_uuid, experiment_id, status, artifact_uri, start_time, end_time, lifecycle_stage);
CREATE TABLE latest_metrics (run_uuid, key, value, is_nan);
CREATE TABLE params (run_uuid, key, value);
CREATE TABLE tags (run_uuid, key, value);
INSERT INTO experiments VALUES ('e', 1, 'active');
INSERT INTO runs VALUES ('r0', 1, 'FINISHED', '', 0, 1, 'active'), ('r1', 1, 'FAILED', '', 1, 2, 'active');
INSERT INTO latest_metrics VALUES ('r0', 'acc', 0.5, 0), ('r1', 'acc', 0.6, 0);
INSERT INTO params VALUES ('r0', 'lr', '0.1'), ('r1', 'lr', '0.2');
"""


def run_script(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
    return path


@pytest.fixture
def mlflow(tmp_path: Path) -> Path:
    return run_script(tmp_path / "m.db", MLFLOW)


@pytest.fixture
def optuna(make_export: MakeExport, tmp_path: Path) -> Path:
    """A storage of Optuna that the test may change."""
    path = tmp_path / "o.db"
    path.write_bytes(Path(make_export("optuna_database", ENDS).removeprefix("sqlite:///")).read_bytes())
    return path


def refusal(source: Path) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the message is what callers check
        open_export(source)
    return str(caught.value)


#: What is done to the table `tags`, and what is said of it.
COMPUTED = {
    "view": (f"DROP TABLE tags; CREATE VIEW tags AS {ENDLESS}", "a view"),
    "view with another case": (f"DROP TABLE tags; CREATE VIEW TAGS AS {ENDLESS}", "a view"),
    "virtual table": (
        "DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts5(run_uuid, key, value)",
        "a virtual table",
    ),
    "generated column": (
        "DROP TABLE tags; CREATE TABLE tags (run_uuid, key, value AS (hex(zeroblob(450000000))))",
        "a table with the generated column 'value'",
    ),
    "stored column": (
        "DROP TABLE tags; CREATE TABLE tags (run_uuid, key, value AS (key || key) STORED)",
        "a table with the generated column 'value'",
    ),
    "trigger": (
        "CREATE TRIGGER mine AFTER INSERT ON Tags BEGIN DELETE FROM runs; END",
        "a table with the trigger 'mine'",
    ),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_what_computes_is_not_read_from_mlflow(case: str, mlflow: Path) -> None:
    script, said = COMPUTED[case]
    run_script(mlflow, script)
    assert refusal(mlflow) == f"{mlflow}: 'tags' is {said}, must be a plain table"


def test_what_computes_is_not_read_from_optuna(optuna: Path) -> None:
    name = "trial_user_attributes"
    run_script(optuna, f"DROP TABLE {name}; CREATE VIEW {name} AS {ENDLESS}")
    assert refusal(optuna) == f"{optuna}: '{name}' is a view, must be a plain table"
    generated = "trial_id INTEGER, key TEXT, value_json TEXT AS (hex(zeroblob(450000000)))"
    run_script(optuna, f"DROP VIEW {name}; CREATE TABLE {name} (id INTEGER PRIMARY KEY, {generated})")
    assert refusal(optuna) == (
        f"{optuna}: '{name}' is a table with the generated column 'value_json', must be a plain table"
    )


def test_what_is_not_read_may_compute(mlflow: Path) -> None:
    """MLflow itself has triggers and generated columns on other tables."""
    run_script(mlflow, f"CREATE VIEW mine AS {ENDLESS}; CREATE TABLE spans (a, b AS (a + 1))")
    rows = open_export(mlflow)
    assert rows is not None
    assert rows["metrics.acc"].tolist() == [0.5, 0.6]


OPTUNA_VALUES = {
    "distribution": ("UPDATE trial_params SET distribution_json = '5'", "argument of type 'int' is not "),
    "state": ("UPDATE trials SET state = 'X'", "'X' is not among the defined enum values. "),
    "time": ("UPDATE trials SET datetime_start = 'zzz'", "Invalid isoformat string: "),
    "attribute": ("UPDATE trial_user_attributes SET value_json = '{'", "Expecting property name "),
    "study name": ("UPDATE studies SET study_name = x'ff'", "the study name b'\\xff'"),
}


@pytest.mark.parametrize("case", OPTUNA_VALUES)
def test_values_that_optuna_does_not_write(case: str, optuna: Path) -> None:
    script, reason = OPTUNA_VALUES[case]
    run_script(optuna, script)
    line = refusal(optuna)
    start = f"{optuna}: the storage cannot be read (a value that Optuna does not write: "
    assert line.startswith(start + reason)  # the words after it are those of Python or SQLAlchemy
    assert line.endswith(")")
    assert len(line.splitlines()) == 1


TIME = "must be milliseconds since 1970 up to 9223372036854"

MLFLOW_VALUES = {
    "text metric": (
        "UPDATE latest_metrics SET value = 'abc'",
        "run 'r0': 'metrics.acc' is 'abc', must be a number",
    ),
    "bytes metric": (
        "UPDATE latest_metrics SET value = x'00ff'",
        "run 'r0': 'metrics.acc' is b'\\x00\\xff', must be a number",
    ),
    "bytes parameter": (
        "UPDATE params SET value = x'00ff'",
        "run 'r0': 'params.lr' is b'\\x00\\xff', must be a text",
    ),
    "key": ("UPDATE params SET key = NULL", "the name of a value of run 'r0' is None, must be a text"),
    "status": ("UPDATE runs SET status = 3", "the status of run 'r0' is 3, must be a text"),
    "run": ("UPDATE runs SET run_uuid = x'ff'", "the id of a run is b'\\xff', must be a text"),
    "experiment": ("UPDATE experiments SET name = NULL", "the name of an experiment is None, must be a text"),
    "start": ("UPDATE runs SET start_time = 'x'", f"run 'r0': start_time is 'x', {TIME}"),
    "end": ("UPDATE runs SET end_time = 1 << 62", f"run 'r0': end_time is {1 << 62}, {TIME}"),
}


@pytest.mark.parametrize("case", MLFLOW_VALUES)
def test_values_that_mlflow_does_not_write(case: str, mlflow: Path) -> None:
    script, said = MLFLOW_VALUES[case]
    run_script(mlflow, script)
    assert refusal(mlflow) == f"{mlflow}: {said}"


@pytest.mark.parametrize("time", ["99999999999999999999999", "9223372036855", "soon", "1.5", "2026-01-01"])
def test_times_of_a_folder_of_mlflow_name_the_file(time: str, tmp_path: Path) -> None:
    run = tmp_path / "1" / "r"
    run.mkdir(parents=True)
    (tmp_path / "1" / "meta.yaml").write_text("artifact_location: x\nname: e\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text(f"run_id: r\nstatus: 3\nstart_time: {time}\nend_time: -1\n")
    line = refusal(tmp_path)
    assert line.startswith(f"{run / 'meta.yaml'}: start_time is ")
    assert line.endswith(f", {TIME}")
    (run / "meta.yaml").write_text("run_id: r\nstatus: 3\nstart_time: 9223372036854\nend_time: -1\n")
    rows = open_export(tmp_path)
    assert rows is not None
    assert rows["start_time"].dt.year.tolist() == [2262]


def test_a_query_ends_after_a_number_of_steps(mlflow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.tables.exports.database._MOST_STEPS", 1_000_000)
    with pytest.raises(ValueError, match="steps") as caught, connected(mlflow) as database:
        database.execute(f"SELECT count(*) FROM ({ENDLESS})").fetchall()
    said = "the database cannot be read (its queries take more than 1,000,000 steps)"
    assert str(caught.value) == f"{mlflow}: {said}"


def test_a_connection_writes_nothing_and_attaches_nothing(mlflow: Path, tmp_path: Path) -> None:
    for query in ("DELETE FROM runs", f"ATTACH '{tmp_path / 'new.db'}' AS new"):
        with pytest.raises(ValueError, match="cannot be read"), connected(mlflow) as database:
            database.execute(query)
    assert list(tmp_path.iterdir()) == [mlflow]
    with connected(mlflow) as database:
        assert database.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_sizes_have_an_end(mlflow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(mlflow, f"INSERT INTO tags VALUES ('r0', 'k', '{'x' * 5000}')")
    with monkeypatch.context() as patch:
        patch.setattr("analysis.tables.exports.database._LONGEST_CELL", 4000)
        assert refusal(mlflow) == f"{mlflow}: the database cannot be read (string or blob too big)"
    with monkeypatch.context() as patch:
        patch.setattr("analysis.tables.sizes.MOST_CELLS", 20)
        assert refusal(mlflow) == f"{mlflow}: 24 values; at most 20 are read"
    with monkeypatch.context() as patch:
        patch.setattr("analysis.tables.sizes.MOST_COLUMNS", 8)
        assert refusal(mlflow) == f"{mlflow}: 9 columns; at most 8 are read"
    with monkeypatch.context() as patch:
        run_script(mlflow, f"DROP TABLE tags; ALTER TABLE params ADD COLUMN long DEFAULT '{'x' * 5000}'")
        run_script(mlflow, "CREATE TABLE tags (run_uuid, key, value)")
        patch.setattr("analysis.tables.sizes.TABLE_BYTES", 9000)
        said = "it unpacks to 10,031 bytes or more; at most 9,000 are read"
        assert refusal(mlflow) == f"{mlflow}: {said}"


def test_columns_of_optuna_have_an_end(optuna: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.tables.sizes.MOST_COLUMNS", 3)
    assert refusal(optuna) == f"{optuna}: 5 columns; at most 3 are read"


def test_a_write_ahead_log_is_read_and_none_is_made(mlflow: Path) -> None:
    run_script(mlflow, "PRAGMA journal_mode = WAL")
    assert open_export(mlflow) is not None
    assert list(mlflow.parent.iterdir()) == [mlflow]
    with closing(sqlite3.connect(mlflow)) as writer, writer:
        writer.execute("UPDATE latest_metrics SET value = 0.7")
        writer.commit()
        rows = open_export(mlflow)
        assert rows is not None
        assert rows["metrics.acc"].tolist() == [0.7, 0.7]  # which only the log has so far


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_files_beside_a_database_stay_in_its_folder(ending: str, mlflow: Path) -> None:
    beside = Path(f"{mlflow}{ending}")
    beside.symlink_to("/etc/hostname")
    assert refusal(mlflow) == (
        f"{beside}: cannot be read (is a link that leads out of the folder {mlflow.parent})"
    )
