"""Runners run several trials at the same time where the context says so. No GPU is needed: the device is the CPU."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from study.launch.runners.inline import run_inline
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import Witness
from tests.study.running import invoke
from tests.trainables.device.concurrent_trials import CONFIGS, unit
from tests.trainables.device.fake_cuda import pretended_cuda
from trainables.leased_work import LeasedLists
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext


def context(store: Path, at_once: int | None = 2) -> LaunchContext:
    return LaunchContext(store=RecordStore(store), runtime=Runtime(), at_once=at_once)


def test_the_inline_runner_runs_trials_of_several_lists_at_the_same_time(tmp_path: Path) -> None:
    units, witness = [unit(config) for config in CONFIGS], Witness()
    assert run_inline([[(units[0],), (units[1],)], [(units[2],)]], context(tmp_path), witness) == []
    assert witness.began == [unit.trial_id for unit in units]
    assert sorted(witness.finished_trials) == sorted(unit.trial_id for unit in units)
    rows = RecordStore(tmp_path).read().table.to_pylist()
    assert {(row["status"], row["execution_mode"], row["stack_size"]) for row in rows} == {
        ("ok", "concurrent:eager", 1)
    }
    assert {row["peak_memory_bytes"] for row in rows} == {None}
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_stopped_group_gives_its_leases_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainables.concurrent import ConcurrentGroup

    turn, turns = ConcurrentGroup.turn, []

    def turn_or_stop(group: ConcurrentGroup) -> object:
        turns.append(group)
        if len(turns) == 3:
            raise KeyboardInterrupt
        return turn(group)

    monkeypatch.setattr(ConcurrentGroup, "turn", turn_or_stop)
    with pytest.raises(KeyboardInterrupt):
        run_inline([[(unit(config),) for config in CONFIGS]], context(tmp_path), Witness())
    assert list((tmp_path / "leases").iterdir()) == []
    assert RecordStore(tmp_path).read().table.num_rows == 0


def test_leased_lists_end_with_their_last_trial(tmp_path: Path) -> None:
    first, second, third = (unit(config) for config in CONFIGS)
    lists = LeasedLists(context(tmp_path))
    lists.take(4, [(first,), (second,)])
    lists.take(5, [(third,)])
    lists.take(6, [(third,)])  # its lease is taken
    assert lists.ended() == [6]
    for expected in (first, second, third):
        assert lists.look() == lists.look() == expected
        lists.next()
    assert lists.look() is None
    lists.release(second.trial_id)
    assert lists.ended() == []
    lists.release(first.trial_id)
    assert lists.ended() == [4]
    lists.close()
    assert list((tmp_path / "leases").iterdir()) == []


def run_with_ray(*arguments: object) -> dict[str, Any]:
    told = subprocess.run(
        [sys.executable, "-m", "tests.study.launch.pretended_gpu", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.ray
def test_a_worker_of_ray_with_a_gpu_takes_lists_while_it_has_room(tmp_path: Path) -> None:
    found = run_with_ray(tmp_path)
    assert (found["gpu"], found["lost"], found["leases"]) == (1.0, [], [])
    ids = sorted(unit(config).trial_id for config in CONFIGS)
    assert sorted(found["started"]) == sorted(found["finished"]) == ids
    rows = RecordStore(tmp_path).read().table.to_pylist()
    assert {(row["status"], row["execution_mode"]) for row in rows} == {("ok", "concurrent:eager")}


@pytest.mark.slow
@pytest.mark.ray
def test_a_trial_that_ends_its_process_in_its_first_step_is_named(tmp_path: Path) -> None:
    """Beside another trial, whose record is missing too."""
    found = run_with_ray(tmp_path, CONFIGS[1].task.training.batch_size)
    (lost,) = found["lost"]
    assert unit(CONFIGS[1]).trial_id in lost
    assert len(lost) == 2
    assert unit(CONFIGS[1]).trial_id not in found["finished"]


def test_an_interrupt_within_a_step_saves_every_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interrupted step is completed first, so its trial continues after it."""
    from trainables.training.trainer import Trainer

    advance, steps = Trainer.advance, []

    def advance_and_stop(trainer: Trainer) -> None:
        steps.append(trainer.done)
        if len(steps) == 4:
            signal.raise_signal(signal.SIGINT)
        advance(trainer)

    monkeypatch.setattr(Trainer, "advance", advance_and_stop)
    settings = LaunchContext(store=RecordStore(tmp_path), runtime=Runtime(artefacts=tmp_path), at_once=2)
    lists = [[(unit(config),) for config in CONFIGS[:2]]]
    with pytest.raises(KeyboardInterrupt):
        run_inline(lists, settings, Witness())
    assert steps == [0, 0, 1, 1]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
    run_inline(lists, settings, Witness())
    assert steps[4:6] == [2, 2]


@pytest.mark.slow
def test_a_study_runs_on_a_pretended_gpu_with_the_numbers_of_the_cpu(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    on_gpu = write_study(("[axes]", '[resources]\ngpus_per_trial = "auto"\n[axes]'), name="gpu.toml")
    with pretended_cuda():
        result = invoke("run", on_gpu, "--store", tmp_path / "gpu", "--runner", "inline")
    assert result.exit_code == 0, result.output
    assert "12 of 12 trials to run, as many as fit at a time on the GPU" in result.output
    on_cpu = write_study(("[axes]", "[resources]\nstacked = false\n[axes]"), name="cpu.toml")
    assert invoke("run", on_cpu, "--store", tmp_path / "cpu", "--runner", "inline").exit_code == 0
    tables = [RecordStore(tmp_path / name).read().table.to_pylist() for name in ("gpu", "cpu")]
    there, here = ({row["trial_id"]: row for row in table} for table in tables)
    assert {row["execution_mode"] for row in there.values()} == {"concurrent:eager"}
    assert len(there) == 12
    for trial_id, row in here.items():
        for column in ("train_loss_last", "val_probe10_accuracy", "test_probe10_accuracy", "z_uniformity"):
            assert there[trial_id][column] == row[column]
