"""A manifest says what a launch ran with, and whether it is still running."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from study.launch.machine import describe_checkout
from study.launch.manifest import (
    Manifest,
    is_running,
    launches_folder,
    manifest_path,
    new_manifest,
    read_manifests,
    running_launches,
    write_manifest,
)
from tests.study.cli.conftest import Finished
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from tests.waiting import wait_until


def begun() -> Manifest:
    return new_manifest(study="tiny", study_file="", runner="inline", workers=1, planned=2)


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_a_launch_leaves_its_manifest(original: Finished) -> None:
    [path] = launches_folder(original.store, "tiny").iterdir()
    told = json.loads(path.read_text())
    assert path.stem == told["launch"]
    assert (told["study"], told["outcome"], told["planned"]) == ("tiny", "finished", 12)
    assert told["study_file"] == original.study.read_text()
    assert told["started_at"] <= told["ended_at"]
    assert told["packages"]["torch"] == metadata.version("torch")
    assert told["machine"]["usable_processors"] >= 1
    assert told["code"]["version"] == metadata.version("contrastive-robustness")
    rows = {row["trial_id"]: row["status"] for row in original.rows}
    assert {trial["trial_id"]: trial["status"] for trial in told["trials"]} == rows


@pytest.mark.slow
def test_nothing_to_run_is_no_launch(finished: Finished) -> None:
    assert "nothing to run" in invoke("run", finished.study, "--store", finished.store).output
    assert len(read_manifests(launches_folder(finished.store, "tiny"))) == 1


def test_what_was_changed_in_a_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    assert describe_checkout(checkout) is None
    git(checkout, "init")
    (checkout / "own.py").write_text("x = 1\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "first")
    clean = describe_checkout(checkout)
    assert clean is not None
    assert len(clean["revision"] or "") == 40
    assert clean["diff_hash"] is None
    (checkout / "own.py").write_text("x = 2\n")
    changed = describe_checkout(checkout)
    (checkout / "new.py").write_text("y = 1\n")
    added = describe_checkout(checkout)
    (checkout / "notes.txt").write_text("of no matter")
    assert changed is not None
    assert added is not None
    assert len({clean["diff_hash"], changed["diff_hash"], added["diff_hash"]}) == 3
    assert describe_checkout(checkout) == added


def test_who_runs_still(tmp_path: Path) -> None:
    mine, dead, stale = begun(), begun(), begun()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    place = mine.process.rsplit("/", 2)[0]
    dead = replace(dead, process=f"{place}/{child.pid}/1")
    older = replace(dead, launch="older", process="", pid=child.pid)  # of a version without `process`
    elsewhere = replace(older, launch="elsewhere", machine={"node": "another"})
    ended = replace(mine, launch="ended", ended_at=mine.started_at)
    ahead = replace(mine, launch="ahead")
    for manifest in (mine, dead, older, stale, elsewhere, ended, ahead):
        write_manifest(tmp_path, manifest)
    os.utime(manifest_path(tmp_path, stale), (0, time.time() - 600))
    os.utime(manifest_path(tmp_path, ahead), (0, time.time() + 600))  # the clock was set back
    assert len(read_manifests(tmp_path)) == 7
    running = {manifest.launch for manifest in running_launches(tmp_path)}
    assert running == {mine.launch, "elsewhere"}
    assert not is_running(tmp_path / "absent", mine)


@pytest.mark.chaos
def test_a_killed_launch_has_no_end_and_does_not_run(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(("steps = 3", "steps = 100000")), tmp_path / "store"
    command = [str(Path(sys.executable).parent / "study"), "run", str(study), "--store", str(store)]
    process = subprocess.Popen([*command, "--runner", "inline"])
    folder = launches_folder(store, "tiny")
    wait_until(lambda: running_launches(folder) or process.poll() is not None)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    [manifest] = read_manifests(folder)
    assert (manifest.ended_at, manifest.outcome) == (None, None)
    assert running_launches(folder) == []
    assert invoke("cancel", study, "--store", store).exit_code == 2
