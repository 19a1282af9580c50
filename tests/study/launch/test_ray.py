"""A small study runs through Ray Tune: workers are reused, a killed worker costs one trial, Ctrl-C keeps records."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.study.conftest import WriteStudy
from tests.study.launch.reaching_ray import (
    RunningStudy,
    check_that_all_listen_on_loopback,
    check_that_the_token_is_asked_for,
    check_that_the_token_is_secret,
)
from tests.study.running import counts, invoke, records, start, start_command, workers_of
from tests.waiting import wait_until
from trainables.store.records import RecordStore

pytestmark = pytest.mark.ray


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as folder:
        yield Path(folder)


def test_a_study_through_ray_tune(
    write_study: WriteStudy, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records and a report come from Ray's actors, a second run adds nothing, `study trial` repeats a record.

    While its workers are in training, nobody else reaches Ray, though the user has opened it for a cluster.
    """
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/dev/null/token")
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("RAY_TMPDIR", str(short_folder))
    gated = f'[losses."tests.study.launch.gated_loss:Gated"]\nfolder = ["{tmp_path}"]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", gated)), tmp_path / "store"
    process = start(study, store)
    wait_until(lambda: list(tmp_path.glob("worker-*")) or process.poll() is not None, seconds=240)
    if process.poll() is None:
        running = RunningStudy(process=process, store=store, temporary=short_folder)
        check_that_all_listen_on_loopback(running)
        check_that_the_token_is_asked_for(running)
        check_that_the_token_is_secret(running)
    (tmp_path / "go").touch()
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    first, second, *_, last = output.splitlines()
    assert "12 of 12 trials to run" in first
    assert re.fullmatch(r"starting Ray and \d+ workers?, which takes 10 to 20 s \.\.\.", second)
    assert re.fullmatch(
        r"Time: .+ \(plan .+, start of workers .+, trials .+, report .+\); the first result came after .+\.",
        last,
    )
    assert max(map(len, output.splitlines()[:4])) <= 110
    assert counts(study, store)["ok"] == 12
    assert (store / "studies" / "tiny" / "report.html").is_file()
    assert not (store / "tune").exists()
    assert not list(short_folder.iterdir())

    stamps = [path.stat().st_mtime_ns for path in records(store)]
    second = invoke("run", study, "--store", store)
    assert second.exit_code == 0
    assert "nothing to run" in second.output
    assert [path.stat().st_mtime_ns for path in records(store)] == stamps

    again = invoke("trial", study, records(store)[0].name.split(".")[0], "--store", store)
    assert "equals it to the bit" in again.output.replace("\n", " ")


@pytest.mark.slow
def test_a_deadly_trial_is_one_crashed_row(write_study: WriteStudy, tmp_path: Path) -> None:
    """A trial that kills its worker, twice, is recorded; what waited behind it runs."""
    own = '[losses."tests.study.own_loss:Explodes"]\nhow = ["kill"]\nat = [12]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", own)), tmp_path / "store"
    output, _ = (process := start(study, store)).communicate(timeout=280)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    found = counts(study, store)
    assert (found["ok"], found["crashed"], found["missing"]) == (10, 2, 0)
    rows = RecordStore(store).read().table.to_pylist()
    assert {row["error_class"] for row in rows if row["status"] == "crashed"} == {"WorkerKilledError"}
    again = start_command("retry", study, "--status", "crashed", "--store", store)
    output, _ = again.communicate(timeout=280)
    assert again.returncode == 0, output
    assert sorted(path.name.split(".")[1] for path in records(store)) == ["0"] * 12 + ["1"] * 2


@pytest.mark.slow
def test_a_lost_gpu_ends_the_worker_and_costs_no_other_trial(write_study: WriteStudy, tmp_path: Path) -> None:
    """A trial that leaves CUDA unusable is recorded once it has ended two processes; the others run in new ones."""
    own = '[losses."tests.study.launch.losing_loss:Losing"]\nat = [12]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", own)), tmp_path / "store"
    output, _ = (process := start(study, store, "--workers", 1)).communicate(timeout=280)
    assert process.returncode == 0, output
    found = counts(study, store)
    assert (found["ok"], found["crashed"], found["missing"]) == (10, 2, 0)
    rows = RecordStore(store).read().table.to_pylist()
    assert {(row["error_class"], row["error_message"]) for row in rows if row["status"] == "crashed"} == {
        ("DeviceLostError", "CUDA error: an illegal memory access was encountered")
    }


@pytest.mark.slow
def test_without_workers_a_lost_gpu_ends_the_launch_in_one_line(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    own = '[losses."tests.study.launch.losing_loss:Losing"]\nat = [12]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", own)), tmp_path / "store"
    output, _ = (process := start(study, store, "--runner", "inline")).communicate(timeout=280)
    assert process.returncode == 1, output
    last = output.splitlines()[-1]
    assert last.startswith(
        "study: the GPU failed (CUDA error: an illegal memory access was encountered); finished"
    )
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
@pytest.mark.slow
def test_a_signal_keeps_what_is_finished(
    number: signal.Signals, code: int, write_study: WriteStudy, tmp_path: Path
) -> None:
    """Finished trials are kept, no worker is left, and the next run goes on.

    Ctrl-C reaches the whole group, as a terminal sends it; SIGTERM the command alone, as `kill` sends it (Ray's own
    processes end at it, so a group that gets it ends as Ray's death would).
    """
    study = write_study(("steps = 3", "steps = 150"), ("seeds = [0, 1]", f"seeds = {list(range(20))}"))
    store = tmp_path / "store"
    process = start(study, store)
    wait_until(lambda: len(records(store)) >= 3, seconds=200)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    kept = records(store)
    assert 3 <= len(kept) < 120
    assert "the same command continues" in output
    wait_until(lambda: not workers_of(process.pid))  # those that were ended may take a while

    shorter = write_study(("steps = 3", "steps = 150"))
    stamps = {path.name: path.stat().st_mtime_ns for path in kept}
    again = invoke("run", shorter, "--store", store, "--runner", "inline")
    assert again.exit_code == 0
    assert all(path.stat().st_mtime_ns == stamps[path.name] for path in kept)


_IMPORTED_BEFORE = """
import ray, psutil
from study.launch.runners.ray_session import start_ray, stop_ray
start_ray(None, cpus=1)
print(ray.get(ray.remote(lambda: 7).remote()))
sockets = [s for p in psutil.Process().children(True) for s in p.net_connections() if s.status == "LISTEN"]
print(sorted({s.laddr.ip for s in sockets}))
stop_ray()
"""


@pytest.mark.slow
def test_ray_is_closed_though_own_code_has_imported_it(tmp_path: Path) -> None:
    """Ray reads its variables when it is imported. The folder for temporary files is too long for Ray's sockets."""
    (long := tmp_path / ("long" * 20)).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED_BEFORE],
        env=os.environ | {"TMPDIR": str(long), "RAY_AUTH_MODE": "disabled"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["7", "['127.0.0.1', '::ffff:127.0.0.1']"]


@pytest.mark.slow
def test_a_ray_that_does_not_start_is_one_line(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/dev/null")
    output, _ = (process := start(write_study(), tmp_path / "store")).communicate(timeout=240)
    assert process.returncode == 1
    line = output.splitlines()[-1]
    assert line.startswith("study: Ray did not start on this machine (")
    assert "/dev/null/study-" in line
    assert line.endswith("); --runner inline runs without Ray")
