"""In a store one name is one study: its file may be edited, and another study under its name is refused."""

import json
from pathlib import Path

import pytest

from study.archive import check_name, read_archive, removed_line, write_archive
from study.errors import StudyError
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import LoadedStudy, load_study
from tests.study.conftest import TINY, WriteStudy
from tests.study.running import invoke
from trainables.store.records import RecordStore

MORE = ("seeds = [0, 1]", "seeds = [0, 1, 2]")
LESS = ("batch_size = [8, 16]", "batch_size = [8]")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def prepare(study: Path, store: Path, *, edited: bool = False) -> LoadedStudy:
    """What every launch begins with."""
    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded, edited=edited)
    return loaded


def other(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "other" / "mine.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_an_edited_file_goes_on(write_study: WriteStudy, store: Path) -> None:
    prepare(write_study(), store)
    prepare(write_study(MORE), store)
    assert (store / "studies" / "tiny" / "study.toml").read_text() == TINY.replace(*MORE)


@pytest.mark.parametrize("command", ["run", pytest.param("report", marks=pytest.mark.slow)])
def test_another_file_of_that_name_is_refused(
    command: str, write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    study = write_study()
    prepare(study, store)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    intruder = other(tmp_path, TINY.replace(*MORE))
    result = invoke(command, intruder, "--store", store)
    assert result.exit_code == 2
    [line] = result.stderr.strip().splitlines()
    for word in ("name: got 'tiny'", str(study), "--store", "--edited"):
        assert word in line
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
    plan = invoke("plan", intruder, "--store", store, "--json")
    assert plan.exit_code == 0
    assert "another study in this store" in plan.stderr


def test_the_same_content_elsewhere_is_the_same_study(
    write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    prepare(write_study(), store)
    prepare(other(tmp_path, TINY), store)
    prepare(other(tmp_path, TINY.replace(*MORE)), store)  # and may be edited there from now on
    origins = json.loads((store / "studies" / "tiny" / "archive.json").read_text())["origins"]
    assert [Path(origin).name for origin in origins] == ["tiny.toml", "mine.toml"]


def test_a_later_version_from_elsewhere_may_be_declared(
    write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    prepare(write_study(), store)
    moved = other(tmp_path, TINY.replace(*MORE))
    with pytest.raises(StudyError):
        prepare(moved, store)
    prepare(moved, store, edited=True)
    prepare(moved, store)


def test_stores_of_before_have_no_origins(write_study: WriteStudy, store: Path, tmp_path: Path) -> None:
    prepare(write_study(), store)
    archive = store / "studies" / "tiny" / "archive.json"
    archive.unlink()
    prepare(other(tmp_path, TINY.replace(*MORE)), store)
    assert [Path(origin).name for origin in json.loads(archive.read_text())["origins"]] == ["mine.toml"]


@pytest.mark.slow
def test_what_an_edit_takes_out_is_said_once_and_kept(
    write_study: WriteStudy, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = prepare(write_study(), store)
    launch_trials(loaded, loaded.plan.missing[:8], Workers(count=1, runner="inline"))
    recorded = {trial.keys.trial_id for trial in loaded.plan.missing[:8]}
    study = write_study(LESS)
    kept = {trial.keys.trial_id for trial in load_study(str(study), str(store), None).plan.trials}
    count = len(recorded - kept)
    assert 1 < count < 8
    line = f"tiny: {count} recorded trials of its earlier version are no longer part of it; they stay"
    assert line in invoke("plan", study, "--store", store).output.replace("\n", " ")
    capsys.readouterr()
    prepare(study, store)
    assert line in capsys.readouterr().out
    prepare(study, store)
    assert "no longer" not in capsys.readouterr().out
    assert RecordStore(store).read_all().table.num_rows == 8


def test_what_never_ran_is_not_missed(write_study: WriteStudy, store: Path) -> None:
    prepare(write_study(), store)
    loaded = load_study(str(write_study(LESS)), str(store), None)
    archive = read_archive(loaded)
    assert archive is not None
    assert removed_line(loaded, archive) is None
    check_name("tiny.toml", loaded, None)
    write_archive("tiny.toml", loaded, archive)
