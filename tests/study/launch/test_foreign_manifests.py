"""A manifest from a stranger is left out or harmless: nothing is written elsewhere, and no process is signalled."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from study.cli.cancel import cancel_study
from study.launch.listeners.launch_log import LaunchLog
from study.launch.listeners.time_left import TimeLeft
from study.launch.manifest import (
    Manifest,
    launches_folder,
    manifest_path,
    new_manifest,
    read_manifests,
    running_launches,
    write_manifest,
)
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from trainables.store.leases import has_ended, this_process


@functools.cache
def first() -> Manifest:
    return new_manifest(study="tiny", study_file="", runner="inline", workers=1, planned=2)


def begun(**changes: Any) -> Manifest:
    """A manifest of its own, which differs from the first in its name and in `changes`."""
    return replace(first(), **{"launch": uuid.uuid4().hex, **changes})


#: Changes that no launch makes.
FOREIGN: list[dict[str, Any]] = [
    {"launch": "../../../outside"},
    {"launch": "a\nb"},
    {"study": "../up"},
    {"study": None},
    {"pid": "1"},
    {"pid": -1},
    {"pid": 2**70},
    {"pid": 1.5},
    {"process": 3},
    {"seconds_left": "5"},
    {"seconds_left": -1.0},
    {"command": "rm -rf"},
    {"command": [1]},
    {"started_at": "yesterday"},
    {"started_at": "2026-01-01T00:00:00"},  # no time zone
    {"started_at": 5},
    {"ended_at": "later"},
    {"seconds": -1.0},
    {"seconds": "1"},
    {"workers": None},
    {"trials": "abc"},
    {"trials": [{"title": "no id"}]},
    {"trials": [{"trial_id": 5}]},
    {"trials": [["trial_id"]]},
    {"trials": [{"trial_id": "a", "title": {}}]},
    {"machine": "here"},
    {"machine": None},
]


@pytest.mark.parametrize("changes", FOREIGN, ids=str)
def test_a_manifest_with_other_values_is_left_out(changes: dict[str, Any], tmp_path: Path) -> None:
    good = begun()
    write_manifest(tmp_path, good)
    content = asdict(good) | {"launch": "foreign"} | changes
    (tmp_path / "foreign.json").write_text(json.dumps(content))
    assert [each.launch for each in read_manifests(tmp_path)] == [good.launch]
    assert [each.launch for each in running_launches(tmp_path)] == [good.launch]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '"x"',
        "5",
        "[" * 100_000,
        '{"launch":' * 5000,
        "\udcff",
        '{"launch": NaN}',
        "\0",
    ],
    ids=lambda text: text[:12],
)
def test_a_file_that_is_no_manifest_is_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / "foreign.json").write_bytes(text.encode(errors="surrogateescape"))
    assert read_manifests(tmp_path) == []


def test_files_of_other_kinds_and_huge_ones_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    (tmp_path / "linked.json").symlink_to(write_manifest(tmp_path / "elsewhere", begun(launch="linked")))
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(10**12)  # without blocks on the disk
    assert read_manifests(tmp_path) == []


def test_one_line_says_what_is_left_out(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(), tmp_path / "store"
    folder = launches_folder(store, "tiny")
    folder.mkdir(parents=True)
    (folder / "a\x1b[31m.json").write_text("{}")
    line = f"study: left out: {folder}/a\\x1b[31m.json is not the manifest of a launch\n"
    assert invoke("status", study, "--store", store).stderr == line
    result = invoke("cancel", study, "--store", store)
    assert (result.exit_code, result.stderr.splitlines()[0] + "\n") == (2, line)


def test_cancel_signals_no_process_that_a_manifest_names(
    write_study: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        folder = launches_folder(tmp_path, "tiny")
        write_manifest(folder, begun(pid=child.pid, process=""))
        assert cancel_study(str(write_study()), str(tmp_path), wait=0.5) == 1
        assert child.poll() is None
        assert f"its process id there is {child.pid}" in capsys.readouterr().err
    finally:
        child.kill()
        child.wait()
    assert child.returncode == -signal.SIGKILL


def test_cancel_writes_beside_the_manifest_alone(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(), tmp_path / "a" / "b" / "store"
    folder = launches_folder(store, "tiny")
    write_manifest(folder, begun(launch="x"))
    content = json.loads((folder / "x.json").read_text()) | {"launch": "../../../../outside"}
    (folder / "x.json").write_text(json.dumps(content))
    before = sorted(tmp_path.rglob("*"))
    assert invoke("cancel", study, "--store", store, "--wait", 0).exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("process", ["a/b/1/2", "x", "///", f"{this_process().rsplit('/', 2)[0]}/abc/1"])
def test_a_process_that_is_unknown_has_not_ended(process: str) -> None:
    assert not has_ended(process)


def test_a_number_that_no_process_has_is_one_that_ended() -> None:
    assert has_ended(f"{this_process().rsplit('/', 2)[0]}/{2**80}/1")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_changes_no_duration(hours: float, tmp_path: Path) -> None:
    """A start in the future is that of a launch whose clock was then set back."""
    started = datetime.now(UTC) + timedelta(hours=hours)
    with LaunchLog(tmp_path, begun(started_at=started.isoformat(timespec="seconds")), TimeLeft()):
        pass
    [manifest] = read_manifests(tmp_path)
    assert manifest.ended_at is not None
    lasted = datetime.fromisoformat(manifest.ended_at) - datetime.fromisoformat(manifest.started_at)
    assert timedelta(0) <= lasted <= timedelta(seconds=5)
    assert 0 < manifest.seconds < 5


@pytest.mark.parametrize("hours", [-1, 1])
def test_after_the_clock_was_set_dead_launches_elsewhere_do_not_run(hours: float, tmp_path: Path) -> None:
    """A launch that runs renews its manifest by the new clock."""
    dead, alive = begun(process="", machine={}), begun(process="", machine={})
    for manifest in (dead, alive):
        write_manifest(tmp_path, manifest)
    stamp = time.time() - 3600 * hours  # of the clock before it was set
    os.utime(manifest_path(tmp_path, dead), (stamp, stamp))
    assert [each.launch for each in running_launches(tmp_path)] == [alive.launch]


def test_words_that_are_not_unicode_are_kept_as_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/study", "run", "\udcff.toml"])
    write_manifest(tmp_path, new_manifest(study="tiny", study_file="", runner="inline", workers=1, planned=2))
    [manifest] = read_manifests(tmp_path)
    assert manifest.command == ["study", "run", "\\xff.toml"]
