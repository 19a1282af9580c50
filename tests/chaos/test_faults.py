"""Faults caused for real under a running study: after each, records are counted."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.chaos.many_trials import (
    PATIENCE,
    many_trials,
    stamps,
    stop_in_training,
    wait_for_records,
    workers_of_driver,
)
from tests.study.conftest import WriteStudy, write_study  # noqa: F401  the fixture
from tests.study.running import counts, invoke, records, start, start_command
from trainables.store.records import RecordStore

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2 * PATIENCE)]


def test_a_driver_killed_outright_loses_no_finished_trial(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    study, store = many_trials(write_study, "checkpoint_seconds = 0.05", 600), tmp_path / "store"
    process = start(study, store)
    wait_for_records(store, 4)
    workers = workers_of_driver(process.pid)
    assert workers
    stop_in_training(workers, store)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for each in workers:
        each.resume()
    process.communicate(timeout=PATIENCE)  # until the last process that has its output is gone
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
    assert not alive
    before = stamps(store)
    assert 4 <= len(before) < 36
    process = start(study, store)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    after = stamps(store)
    assert counts(study, store)["ok"] == 36
    assert {name: after[name] for name in before} == before
    assert len(after) == 36, "a finished trial ran again"
    # A trial that had put its record, and was killed before it removed its checkpoint, leaves it to `study gc`.
    for each in (store / "checkpoints").glob("*.pt"):
        os.utime(each, (0, 0))
    assert invoke("gc", "--store", store).exit_code == 0
    assert not list((store / "checkpoints").glob("*.pt"))


def test_a_worker_killed_outright_costs_nothing(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    study, store = many_trials(write_study), tmp_path / "store"
    process = start(study, store)
    wait_for_records(store, 4)
    workers_of_driver(process.pid)[0].kill()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert counts(study, store)["ok"] == 36
    assert len(records(store)) == 36


@pytest.mark.parametrize(("seconds", "said"), [(1e6, "it hung"), (1.0, "the limit is 10 s")])
def test_a_trial_that_takes_too_long_is_a_timeout(
    seconds: float,
    said: str,
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    own = f'[losses."tests.chaos.losses:Hangs"]\nseconds = [{seconds}]\nlr = 0.1'
    limit = "[resources]\ntime_limit = 10.0\n[losses.ntxent]"
    study = write_study(
        ("[losses.kcl]\nt = [2.0]", own), ("[losses.ntxent]", limit), ("steps = 3", "steps = 30")
    )
    store = tmp_path / "store"
    output, _ = (process := start(study, store)).communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    found = counts(study, store)
    assert (found["ok"], found["timeout"], found["missing"]) == (10, 2, 0)
    rows = RecordStore(store).read().table.to_pylist()
    assert all(said in row["error_message"] for row in rows if row["status"] == "timeout")


def test_a_trial_that_eats_the_memory_is_an_oom(
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ray's monitor ends the worker before the machine is out of memory; here it has 4 GiB to go.

    There is one worker, so no trial beside this one can be ended in its place.
    """
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + (4 << 30)) / memory.total
    if threshold > 0.95:
        pytest.skip("the machine is too full to try")
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{threshold:.3f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    own = '[losses."tests.chaos.losses:EatsMemory"]\npace = [256]\nlr = 0.1'
    study = write_study(
        ("[losses.kcl]\nt = [2.0]", own), ("steps = 3", "steps = 100"), ("seeds = [0, 1]", "seeds = [0]")
    )
    store = tmp_path / "store"
    output, _ = (process := start(study, store, "--workers", 1)).communicate(timeout=PATIENCE)
    assert process.returncode == 0, output[:600] + output[-2500:]
    found = counts(study, store)
    assert (found["ok"], found["oom"], found["missing"]) == (5, 1, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", mounted], check=False).returncode:
        pytest.skip("mounting needs root")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


@pytest.mark.parametrize("runner", ["inline", "ray"])
def test_a_full_disk_stops_the_study_and_damages_nothing(
    runner: str,
    write_study: WriteStudy,  # noqa: F811
    small_disk: Path,
) -> None:
    """At the first record that does not fit, by one line, whichever process could not write it."""
    study = write_study(("seeds = [0, 1]", f"seeds = {list(range(20))}"))
    store = small_disk / "store"
    process = start_command("run", study, "--store", store, "--runner", runner)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    about_progress = (" trials done", "starting Ray and 2 workers", "workers started in")
    told = [line for line in output.splitlines() if not any(words in line for words in about_progress)]
    assert "120 of 120 trials to run" in told[0]
    assert f"cannot write to {store} (No space left on device)" in told[-1]
    assert len(told) == 2, output
    assert not list(store.rglob(".tmp-*"))
    assert not (store / "tune").exists()
    kept = stamps(store)
    assert 0 < len(kept) < 120
    assert not RecordStore(store).read().damaged
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    assert invoke("run", study, "--store", store, "--runner", "inline").exit_code == 0
    assert counts(study, store)["ok"] == 120
    after = stamps(store)
    assert {name: after[name] for name in kept} == kept
