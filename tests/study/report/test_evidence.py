"""Evidence: the report of a study follows from its rows alone, without the data set."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.redact import redact_paths
from study.errors import StudyError
from study.loaded import load_study
from study.report.evidence import RECORDS_FILE, RESULTS, read_evidence, report_evidence, write_evidence
from study.spec.source import read_keys
from study.spec.toml_text import render_toml
from tests.study.conftest import TINY
from tests.study.running import run_missing
from trainables.reading import parse_toml
from trainables.store.schema import TrialRecord

#: All evidence in the repository, and that of the tiny study.
FOLDERS = ["tiny", *sorted(path.parent.name for path in RESULTS.glob(f"*/{RECORDS_FILE}"))]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evidence of a tiny study: its file, its rows and its report."""
    folder = tmp_path_factory.mktemp("results") / "tiny"
    folder.mkdir()
    (folder / "study.toml").write_text(TINY.replace("batch_size = [8, 16]", "batch_size = [8]"))
    write_evidence(run_missing(folder / "study.toml", folder.parent / "store"), folder)
    report_evidence(folder, folder)
    return folder


@pytest.fixture
def folder_of(tiny: Path) -> Callable[[str], Path]:
    return lambda name: tiny if name == "tiny" else RESULTS / name


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """No data set can be described or read."""

    def refuse(*_: object) -> None:
        raise AssertionError("the data set is read")

    for module in ("trainables.datasets.datasets", "study.spec.tasks.images"):
        for name in ("describe_dataset", "load_dataset"):
            monkeypatch.setattr(f"{module}.{name}", refuse)


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("name", FOLDERS)
def test_the_report_follows_from_the_rows(
    name: str, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """If this fails after a change of reports: `python -m study.report.evidence FOLDER STORE` writes it again."""
    folder = folder_of(name)
    findings = report_evidence(folder, tmp_path)
    assert findings.any_finished
    assert (tmp_path / "report.md").read_text() == (folder / "report.md").read_text()
    assert (folder / "report.html").exists()


@pytest.mark.parametrize("name", FOLDERS)
def test_the_study_file_is_that_of_the_rows(name: str, folder_of: Callable[[str], Path]) -> None:
    folder = folder_of(name)
    told = parse_toml(read_evidence(folder).info.spec_text)
    assert render_toml(read_keys(str(folder / "study.toml")).tree) == render_toml(told)


@pytest.mark.parametrize("name", FOLDERS)
def test_no_machine_is_named(name: str, folder_of: Callable[[str], Path]) -> None:
    table = read_evidence(folder_of(name)).table
    assert table["node"].isna().all()
    texts = {str(value) for name in table.columns for value in table[name].dropna() if isinstance(value, str)}
    assert texts
    assert not [text for text in texts if redact_paths(text) != text]


def test_rows_survive_the_file(tiny: Path) -> None:
    """Every value of a record is that of the store, except long texts and places, which the file leaves out."""
    store = load_study(str(tiny / "study.toml"), str(tiny.parent / "store"), None)
    stored = store.plan.records.table.to_pandas().set_index("trial_id").sort_index()
    table = read_evidence(tiny).table.set_index("trial_id").sort_index()
    left_out = {"config", "stack", "error_traceback", "node", "error_message"}
    names = [name for name in stored if name not in left_out]
    pd.testing.assert_frame_equal(table[names], stored[names], check_dtype=False)


def test_a_failed_trial_names_no_place(tiny: Path, tmp_path: Path) -> None:
    """Its message may have a path in any form. The class of the error stays."""
    shutil.copytree(tiny.parent / "store", tmp_path / "store")
    loaded = load_study(str(tiny / "study.toml"), str(tmp_path / "store"), None)
    row = loaded.plan.records.table.to_pylist()[0]
    failed = {
        "status": "crashed",
        "attempt": row["attempt"] + 1,
        "error_class": "NoCompilerError",
        "error_message": "/nonexistent cannot compile /home/someone/work/kernel.cpp",
        "error_traceback": 'File "/home/someone/work/kernel.py", line 1',
        "device_name": "a machine at /home/someone/device",
        "node": "someone",
    }
    loaded.store.put(TrialRecord(**{**row, **failed, "hp_other": dict(row["hp_other"] or {}) or None}))
    write_evidence(load_study(str(tiny / "study.toml"), str(tmp_path / "store"), None), tmp_path)
    table = read_evidence(tmp_path).table.set_index("trial_id")
    found = table.loc[row["trial_id"]]
    assert (found["status"], found["error_class"]) == ("crashed", "NoCompilerError")
    assert found["device_name"] == "a machine at …/device"
    assert table["error_message"].isna().all()
    content = str(pq.read_table(tmp_path / RECORDS_FILE).to_pylist())
    assert not [word for word in ("someone", "nonexistent", "cannot compile") if word in content]


def test_an_older_numerics_version_stays(tiny: Path, tmp_path: Path) -> None:
    """Evidence is read whatever the numerics version of its records, which the report tells."""
    rows = pq.read_table(tiny / RECORDS_FILE)
    frame = rows.to_pandas().assign(numerics_version=1)
    old = type(rows).from_pandas(frame, preserve_index=False).replace_schema_metadata(rows.schema.metadata)
    pq.write_table(old, tmp_path / RECORDS_FILE)
    report_evidence(tmp_path, tmp_path / "out")
    assert "**Numerics version**: 1" in (tmp_path / "out" / "report.md").read_text()


def test_rows_of_a_version_with_fewer_columns_are_read(tiny: Path, tmp_path: Path) -> None:
    rows = pq.read_table(tiny / RECORDS_FILE)
    pq.write_table(rows.drop_columns(["execution_mode", "val_knn_accuracy"]), tmp_path / RECORDS_FILE)
    table = read_evidence(tmp_path).table
    assert table["execution_mode"].isna().all()
    assert set(table.columns) == set(rows.column_names)


def test_a_later_look_remembers_the_first(tiny: Path, tmp_path: Path) -> None:
    """Evidence on two seeds that grows to three had its first look with two."""
    shutil.copy(tiny / RECORDS_FILE, tmp_path)
    text = (tiny / "study.toml").read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]")
    (tmp_path / "study.toml").write_text(text)
    write_evidence(run_missing(tmp_path / "study.toml", tmp_path / "store"), tmp_path)
    look = read_evidence(tmp_path).info.look
    assert look is not None
    assert (look.first, look.seeds) == (2, 3)


def test_damaged_and_absent_evidence_is_one_line(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no rows came with this study: .* does not exist"):
        read_evidence(tmp_path)
    (tmp_path / RECORDS_FILE).write_bytes(b"PAR1 no table")
    with pytest.raises(StudyError, match=r"records\.parquet is damaged"):
        read_evidence(tmp_path)
    rows = pq.read_table(tiny / RECORDS_FILE)
    pq.write_table(rows.replace_schema_metadata({}), tmp_path / RECORDS_FILE)
    with pytest.raises(StudyError, match="it has no description of the study"):
        read_evidence(tmp_path)
    pq.write_table(rows.drop_columns(["status"]), tmp_path / RECORDS_FILE)
    with pytest.raises(StudyError, match="it has no column status"):
        read_evidence(tmp_path)
    pq.write_table(rows.slice(0, 2), tmp_path / RECORDS_FILE)
    with pytest.raises(StudyError, match="its rows are not of the losses that it describes"):
        read_evidence(tmp_path)
    metadata = {**rows.schema.metadata, b"study_info": json.dumps({"name": "../x"}).encode()}
    pq.write_table(rows.replace_schema_metadata(metadata), tmp_path / RECORDS_FILE)
    with pytest.raises(StudyError, match="name: got"):
        read_evidence(tmp_path)
