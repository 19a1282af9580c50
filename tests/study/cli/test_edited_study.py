"""A study whose files are edited while a command runs: the command says so, and reports what ran."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from study.launch.manifest import launches_folder, running_launches
from study.loaded import changed_since, load_study, read_again
from study.watching.state import watch_state
from tests.study.conftest import TINY, WriteStudy
from tests.study.running import invoke
from tests.waiting import wait_until
from trainables.own_code import own_folders
from trainables.own_files import forget_files

_OWN = """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Pull:
    strength: float = 1.0

    def __call__(self, z_a, z_b):
        return self.strength * (z_a - z_b).square().sum(-1).mean()
"""

_CHANGED = "the study file changed"
_SMALL = (("[8, 16]", "[8]"), ("[0.1, 0.5]", "[0.1]"), ("[losses.kcl]\nt = [2.0]\n", ""))


@pytest.mark.slow
def test_the_report_is_of_what_ran(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(*_SMALL), tmp_path / "store"
    before = study.read_text()

    def edit() -> None:
        wait_until(lambda: running_launches(launches_folder(store, "tiny")))
        study.write_text(before.replace("seeds = [0, 1]", "seeds = [0, 1, 2, 3]"))

    thread = threading.Thread(target=edit)
    thread.start()
    result = invoke("run", study, "--store", store, "--runner", "inline")
    thread.join()
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == (
        f"study: {_CHANGED} since this command began; the report is of what ran; run it again for the change"
    )
    assert "2 of 2" in result.stdout
    assert (store / "studies/tiny/study.toml").read_text() == before
    assert "seeds = [0, 1]\n" in (store / "studies/tiny/report.md").read_text()
    assert (
        "2 of 4 trials to run"
        in invoke("run", study, "--store", store, "--runner", "inline", "--max-hours", "0.000001").stdout
    )


def test_an_edit_and_its_removal(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study()
    loaded = load_study(str(study), str(tmp_path / "store"), None)
    assert changed_since(loaded) == ""
    study.write_text(TINY + "# a comment\n")
    assert changed_since(loaded) == _CHANGED
    assert changed_since(read_again(loaded)) == _CHANGED
    assert watch_state(loaded)["changed"] == _CHANGED
    study.write_text("not = a = study")
    assert changed_since(loaded) == "the study file can no longer be read"
    study.unlink()
    assert changed_since(loaded) == "the study file can no longer be read"
    assert read_again(loaded).plan.counts()["trials"] == 12
    study.write_text(TINY)
    assert changed_since(loaded) == ""


def test_an_edit_of_the_study_that_it_extends(write_study: WriteStudy, tmp_path: Path) -> None:
    base, study = write_study(name="base.toml"), tmp_path / "own.toml"
    study.write_text('name = "own"\nextends = "base.toml"\n')
    loaded = load_study(str(study), str(tmp_path / "store"), None)
    assert changed_since(loaded) == ""
    base.write_text(TINY.replace("seeds = [0, 1]", "seeds = [0]"))
    assert changed_since(loaded) == _CHANGED


def test_an_edit_of_own_code(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "pulling_edited.py"
    module.write_text(_OWN)
    monkeypatch.chdir(tmp_path)
    study = write_study(
        ("[losses.kcl]\nt = [2.0]", '[losses."pulling_edited:Pull"]\nstrength = [1.0]\nlr = 0.1')
    )
    loaded = load_study(str(study), str(tmp_path / "store"), None)
    codes = {trial.arm: trial.code for trial in loaded.plan.trials}
    assert codes["ntxent"] == ""
    assert len(codes["pulling_edited:Pull"]) == 20
    assert changed_since(loaded) == ""
    module.write_text(_OWN + "\n\ndef further():\n    pass\n")
    assert changed_since(loaded) == "own code of the study changed"
    module.unlink()
    assert changed_since(loaded) == "own code of the study changed"
    forget_files()


def test_status_says_that_its_counts_are_of_the_earlier_version(
    write_study: WriteStudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from study.cli import status

    study = write_study()
    edits = iter([lambda: study.write_text(TINY + "# a comment\n")])

    def sleep(seconds: float) -> None:
        next(edits, _stop)()

    monkeypatch.setattr(status.time, "sleep", sleep)
    status.show_status(str(study), str(tmp_path / "store"), None, as_json=False, watch=True, every=5.0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "tiny: 12 trials: 0 ok, 12 missing, no launch runs now"
    assert second == f"{first}, {_CHANGED}; these counts are of the earlier version"


def _stop() -> Any:
    raise KeyboardInterrupt


def test_a_look_at_the_files_leaves_the_own_code_as_it_is(write_study: WriteStudy, tmp_path: Path) -> None:
    """`study watch` looks in a thread of its server: modules come from the folder of the study loaded last."""
    loaded = load_study(str(write_study()), str(tmp_path / "store"), None)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "other.toml"
    other.write_text(TINY)
    load_study(str(other), str(tmp_path / "store"), None)
    before = own_folders(), list(sys.path)
    assert str(other.parent) in before[0]
    assert changed_since(loaded) == ""
    assert (own_folders(), sys.path) == before
