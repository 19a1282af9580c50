"""A worker that runs several trials at the same time names each of them before anything of it runs."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import trainables.concurrent
from tests.trainables.device.concurrent_trials import CONFIGS, unit
from tests.trainables.device.fake_cuda import pretended_cuda
from trainables.concurrent import ConcurrentGroup
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, Stack


def worker_of(store: Path, monkeypatch: pytest.MonkeyPatch, runtime: Runtime) -> Any:
    """A worker of up to two trials at the same time, without Ray. Each trial is a list of its own."""
    from trainables import ray_adapter

    monkeypatch.setattr(ray_adapter.ray, "get", lambda value: value)
    lists: list[tuple[int, list[list[Stack]]]] = [(n, [[(unit(each),)]]) for n, each in enumerate(CONFIGS)]
    take = SimpleNamespace(remote=lambda worker: lists.pop(0) if lists else None)
    worker = ray_adapter.TrialWorker.__new__(ray_adapter.TrialWorker)
    context = LaunchContext(store=RecordStore(store), runtime=runtime, at_once=2)
    worker.setup({"worker": 0}, SimpleNamespace(take=take), context)
    return worker


def results_of(worker: Any) -> Iterator[dict[str, Any]]:
    """The results of all steps until nothing is left to do."""
    while not (result := worker.step())["waits"]:
        yield result


def test_no_trial_runs_before_a_result_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: set[str] = set()
    turn, turns = ConcurrentGroup.turn, []

    def turn_and_look(group: ConcurrentGroup) -> Any:
        turns.append({each.trial_id for each in group.running} - named)
        return turn(group)

    monkeypatch.setattr(ConcurrentGroup, "turn", turn_and_look)
    worker, finished = worker_of(tmp_path, monkeypatch, Runtime()), []
    for result in results_of(worker):
        named = set(result["running"])
        finished += result["finished"]
    assert len(finished) == 3
    assert turns
    assert not any(turns)
    worker.cleanup()


@pretended_cuda()
def test_no_trial_is_measured_before_a_result_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog also ends a measurement that hangs."""
    from trainables import ray_adapter

    named: set[str] = set()
    measured: list[tuple[bool, list[float]]] = []
    limits: list[float] = []  # of the watchdog that runs

    def measure(config: Any, runtime: Runtime) -> int:
        measured.append((unit(config).trial_id in named, list(limits)))
        return 1

    monkeypatch.setattr(trainables.concurrent, "measure_memory", measure)
    watchdog = ray_adapter.faulthandler
    monkeypatch.setattr(watchdog, "dump_traceback_later", lambda limit, exit: limits.append(limit))
    monkeypatch.setattr(watchdog, "cancel_dump_traceback_later", limits.clear)
    worker = worker_of(tmp_path, monkeypatch, Runtime(device="cuda", time_limit=100))
    finished = []
    for result in results_of(worker):
        named = set(result["running"])
        finished += result["finished"]
    assert len(finished) == 3
    assert measured == [(True, [100 * 1.5 * 2 + 10])] * 3
    worker.cleanup()
