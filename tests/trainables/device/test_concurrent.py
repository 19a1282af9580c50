"""Trials that run at the same time on the pretended device: each gives the record that it gives alone."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

import trainables.concurrent
from tests.trainables.device import streams
from tests.trainables.device.concurrent_trials import CONFIGS, DROPPING, group_of, results, run, sized, unit
from tests.trainables.device.device_state import Device
from tests.trainables.stopping import rule
from tests.trainables.tiny_trial import tiny
from trainables.config import EncoderConfig, ProbeConfig, SelectionConfig, TrialConfig
from trainables.device_faults import DeviceLostError
from trainables.evaluation import cosine, evaluate, logistic, neighbours
from trainables.evaluation.sgd_probe import _AcceleratorRows
from trainables.runtime import Runtime
from trainables.store.artefacts import curve_path
from trainables.store.schema import TrialRecord
from trainables.training import trials
from trainables.training.selected_batches import CandidateEmbeddings
from trainables.training.trainer import Trainer
from trainables.trial import run_trial
from trainables.trial_memory import measure_memory, memory_key
from trainables.work import WorkUnit

GIB = 2**30

#: The results of trials that ran alone on the CPU, by trial id.
_alone: dict[str, dict[str, Any]] = {}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not measured, and every trial fits."""
    monkeypatch.setattr(trainables.concurrent, "measure_memory", lambda config, runtime: 1)


def check_alone(records: Sequence[TrialRecord], configs: Sequence[TrialConfig]) -> None:
    """Every record has the numbers that its trial has alone on the CPU, to the bit."""
    by_id = {record.trial_id: results(record) for record in records}
    for config in configs:
        trial_id = unit(config).trial_id
        if trial_id not in _alone:
            _alone[trial_id] = results(run_trial(config))
        assert by_id.get(trial_id) == _alone[trial_id]


@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_each_trial_gives_the_record_that_it_gives_alone(
    cuda: Device, tmp_path: Path, execution: str
) -> None:
    group = group_of(tmp_path, execution=execution, curve_epochs=1)
    records = run(group, [unit(config) for config in CONFIGS])
    assert {record.execution_mode for record in records} == {f"concurrent:{execution}"}
    check_alone(records, CONFIGS)
    here = Runtime(artefacts=tmp_path / "alone", curve_epochs=1)
    for record, config in zip(sorted(records, key=by_seed), CONFIGS, strict=True):
        run_trial(config, runtime=here)
        curves = [curve_path(path, record.pretrain_id or "") for path in (tmp_path, tmp_path / "alone")]
        assert pq.read_table(curves[0]).equals(pq.read_table(curves[1]))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_trials_with_dropout_draw_what_they_draw_alone(cuda: Device, tmp_path: Path, execution: str) -> None:
    """Also if they stop and go on. All draw from the default generator of the device."""
    stop_after_two_turns(tmp_path, execution, DROPPING)
    records = run(group_of(tmp_path, execution=execution), [unit(config) for config in DROPPING])
    found = {record.trial_id: results(record) for record in records}
    for config in DROPPING:
        alone = run_trial(config, runtime=Runtime(device="cuda", execution=execution))
        assert found[alone.trial_id] == results(alone)


def stop_after_two_turns(store: Path, execution: str, configs: Sequence[TrialConfig]) -> None:
    """Start all trials and close their group, which saves them."""
    group = group_of(store, execution=execution)
    for config in configs:
        group.start(unit(config))
    group.turn()
    group.turn()
    group.close()


def by_seed(record: TrialRecord) -> int:
    return record.seed


def share_generators(monkeypatch: pytest.MonkeyPatch) -> None:
    build = trials.build_streams
    shared: dict[int, Any] = {}

    def build_shared(configs: Sequence[TrialConfig], device: str) -> dict[int, Any]:
        made = build(configs, device)
        return {seed: shared.setdefault(0, streams) for seed, streams in made.items()}

    monkeypatch.setattr(trials, "build_streams", build_shared)


def share_learning_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Trainer.__init__
    first: list[Trainer] = []

    def begin_shared(self: Trainer, *words: Any, **named: Any) -> None:
        begin(self, *words, **named)
        first.append(self)
        self._factors = first[0]._factors[: self.total]

    monkeypatch.setattr(Trainer, "__init__", begin_shared)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "plant", [share_generators, pytest.param(share_learning_rates, marks=pytest.mark.slow)]
)
def test_what_members_share_by_mistake_changes_their_records(
    plant: Callable[[pytest.MonkeyPatch], None],
    cuda: Device,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as planted:
        plant(planted)
        records = run(group_of(tmp_path), [unit(config) for config in CONFIGS[:2]])
    with pytest.raises(AssertionError):
        check_alone(records, CONFIGS[:2])


@pytest.mark.usefixtures("small")
def test_without_a_wait_for_what_trials_share_the_device_reports_a_race(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams.Stream, "synchronize", lambda stream: None)
    trainables.views.crop.weights_table.cache_clear()
    records = run(group_of(tmp_path), [unit(config) for config in CONFIGS[:2]])
    assert "RaceError" in {record.error_class for record in records}


def test_steps_do_not_wait_for_the_device(cuda: Device, tmp_path: Path) -> None:
    group = group_of(tmp_path)
    for config in CONFIGS:
        group.start(unit(sized(config, config.task.training.batch_size, steps=9)))
    group.turn()
    with cuda.asynchronous(), cuda.counted() as count:
        group.turn()
        group.turn()
    assert len(count.by_stream) == 3
    assert cuda.default not in count.by_stream
    group.close()


def test_all_trials_use_one_copy_of_the_images(cuda: Device, tmp_path: Path) -> None:
    group = group_of(tmp_path)
    for config in CONFIGS:
        group.start(unit(config))
    group.turn()
    assert len(trials._resident) == 1
    group.close()
    del group
    assert not trials._resident


@pytest.mark.parametrize("allocated", [10, 30])
def test_images_may_use_the_memory_that_earlier_trials_have_freed(
    allocated: int, cuda: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The allocator keeps it. Half of the free memory must hold 50 bytes."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (60, 200))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda *_: 60)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda *_: allocated)
    images = trials.resident(torch.zeros(50, dtype=torch.uint8), "cuda")
    assert images.is_cuda == (allocated == 10)
    assert [each[:46] for each in caplog.messages] == (
        [] if allocated == 10 else ["the images (0.0 GiB) stay in the host's memory"]
    )


@pytest.mark.usefixtures("small")
def test_each_trial_has_the_precision_that_it_has_alone(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is one for the whole process."""
    seen: set[tuple[int, str]] = set()
    advance = Trainer.advance

    def advance_and_look(self: Trainer) -> None:
        seen.add((self.members[0].seed, torch.backends.cudnn.conv.fp32_precision))  # type: ignore[attr-defined]
        advance(self)

    monkeypatch.setattr(Trainer, "advance", advance_and_look)
    before = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    group = group_of(tmp_path)
    group.start(unit(sized(CONFIGS[0], 16, precision="tf32")))
    group.start(unit(CONFIGS[1]))
    group.turn()
    group.turn()
    assert torch.backends.cudnn.conv.fp32_precision == before  # type: ignore[attr-defined]
    group.close()
    assert seen == {(0, "tf32"), (1, "ieee")}


@pytest.mark.usefixtures("small")
def test_a_trial_that_fails_leaves_its_place_to_the_next(cuda: Device, tmp_path: Path) -> None:
    diverging = sized(tiny("dhel", 7, temperature=0.5), 16, lr=1e30, steps=6)
    configs = (CONFIGS[0], diverging, CONFIGS[2])
    group = group_of(tmp_path, at_once=2)
    records = run(group, [unit(config) for config in configs])
    assert {record.loss: str(record.status) for record in records} == {
        "ntxent": "ok",
        "dhel": "diverged",
        "kcl": "ok",
    }
    check_alone([record for record in records if record.status == "ok"], (CONFIGS[0], CONFIGS[2]))


def run_out_of_memory(
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int,
    when: Callable[[], bool],
    error: type[RuntimeError] = torch.OutOfMemoryError,
    message: str = "CUDA out of memory",
) -> None:
    advance = Trainer.advance

    def advance_or_fail(self: Trainer) -> None:
        if self._batch_size == batch_size and when():
            raise error(message)
        advance(self)

    monkeypatch.setattr(Trainer, "advance", advance_or_fail)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory"),
        (RuntimeError, "GET was unable to find an engine to execute this computation"),  # cuDNN's words
    ],
)
def test_a_trial_without_memory_beside_others_runs_again_in_a_smaller_group(
    error: type[RuntimeError], message: str, cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = group_of(tmp_path)
    run_out_of_memory(monkeypatch, 32, lambda: len(group.running) > 2, error, message)
    records = run(group, [unit(config) for config in CONFIGS])
    [note] = group.notes()
    assert "dhel: ran out of GPU memory beside 2 other trials" in note
    assert "at most 2 run at the same time" in note
    monkeypatch.undo()
    check_alone(records, CONFIGS)
    assert len(group._context.store.read().table) == 3


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("where", ["Event.query", "Stream.synchronize"])
def test_a_device_that_fails_while_the_thread_waits_ends_the_process(
    where: str, cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA reports the error of a kernel at a later call, which is part of no trial."""
    group = group_of(tmp_path)
    for config in CONFIGS[:2]:
        group.start(unit(sized(config, 16, steps=9)))
    group.turn()
    group.turn()
    failure = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    owner, name = where.split(".")

    def fail(*waited: object) -> bool:
        cuda.failure = failure
        raise failure

    monkeypatch.setattr(getattr(streams, owner), name, fail)
    with pytest.raises(DeviceLostError, match=r"^CUDA error: an illegal memory access was encountered$"):
        run(group, [])
    group.close()


def test_a_device_that_fails_in_a_measurement_ends_the_process(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freeing the memory of the measurement fails too, and hides nothing."""
    failure = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    def fail(*given: object) -> Any:
        cuda.failure = failure
        raise failure

    monkeypatch.setattr(torch.cuda, "empty_cache", cuda.check)
    monkeypatch.setattr(Trainer, "advance", fail)
    group = group_of(tmp_path)
    group.start(unit(CONFIGS[0]))
    with pytest.raises(DeviceLostError, match="an illegal memory access"):
        group.has_room(unit(CONFIGS[1]))
    group.close()


@pytest.mark.slow
def test_a_trial_that_runs_out_of_memory_alone_is_recorded(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out_of_memory(monkeypatch, 32, lambda: True)
    records = run(group_of(tmp_path), [unit(config) for config in CONFIGS])
    assert {record.loss: str(record.status) for record in records} == {
        "ntxent": "ok",
        "dhel": "oom",
        "kcl": "ok",
    }


def test_a_trial_is_evaluated_while_others_train(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainables.concurrent, "_TURNS_A_STAGE", 2)
    short, long = sized(CONFIGS[0], 16, steps=2), sized(CONFIGS[1], 16, steps=40)
    group = group_of(tmp_path)
    group.start(unit(short))
    group.start(unit(long))
    records: list[TrialRecord] = []
    stages = 0
    while not records:
        records = group.turn()
        stages += not group._members[0].steps
    assert [record.loss for record in records] == [short.loss.name]
    assert stages > 4  # its stages were spread over the steps of the other
    assert [each.config for each in group.running] == [long]
    records += run(group, [])
    check_alone(records, (short, long))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("part", "times", "probe"),
    [
        ((_AcceleratorRows, "add_gradient"), 312, {"suite": ("probe_sgd",), "sgd_epochs": 24}),
        pytest.param(
            (_AcceleratorRows, "add_gradient"),
            312,
            {"suite": ("probe_adam",), "adam_epochs": 24},
            marks=pytest.mark.slow,
        ),
        (
            (_AcceleratorRows, "replace"),
            1 + 6,  # the features of the plain images, and then those of each epoch
            {"suite": ("probe_sgd",), "sgd_epochs": 6, "sgd_augment": True},
        ),
        pytest.param((neighbours, "_votes"), 20, {"suite": ("knn",)}, marks=pytest.mark.slow),
        ((logistic._Problem, "measure"), None, {"suite": ("probe_full",)}),  # as many as the solve needs
    ],
    ids=["sgd", "adam", "new crops", "neighbours", "solve"],
)
def test_other_trials_train_within_a_probe(
    part: tuple[Any, str],
    times: int | None,
    probe: dict[str, Any],
    cuda: Device,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each on its own stream, without a wait for the other, and with the numbers that it has alone."""
    monkeypatch.setattr(trainables.concurrent, "_TURNS_A_STAGE", 1)
    monkeypatch.setattr(cosine, "_ACCELERATOR_BLOCK", 200 * 6)  # 6 queries at a time
    noted: list[str] = []
    note_calls(monkeypatch, part, "probe", noted)
    settings = ProbeConfig(**{"sgd_batch_size": 16, "adam_batch_size": 16} | probe)
    probed = sized(CONFIGS[0], 16, steps=1)
    probed = dataclasses.replace(probed, task=dataclasses.replace(probed.task, probe=settings))
    other = sized(CONFIGS[1], 16, steps=200)
    group = group_of(tmp_path)
    group.start(unit(probed))
    group.start(unit(other))
    note_calls(monkeypatch, (Trainer, "advance"), "step", noted)
    records = []
    while not records:
        records = group.turn()
    group.close()
    within = noted[noted.index("probe") : len(noted) - noted[::-1].index("probe")]
    found = within.count("probe")
    assert times in (None, found)
    # The probed trial has its turn first, so that no step stands between its first two parts.
    parts = found // 50 if part[1] == "add_gradient" else found
    assert within.count("step") >= parts - 2 > 3
    monkeypatch.undo()
    check_alone(records, [probed])


def note_calls(monkeypatch: pytest.MonkeyPatch, part: tuple[Any, str], word: str, noted: list[str]) -> None:
    """Add the word to the list at each call of the method or function."""
    call = getattr(*part)

    def call_and_note(*given: Any, **named: Any) -> Any:
        noted.append(word)
        return call(*given, **named)

    monkeypatch.setattr(*part, call_and_note)


@pytest.mark.parametrize(
    ("at_once", "free", "expected"),
    [(None, 100, 8), (2, 100, 2), (4, 14, 3), (None, 2, 1)],
)
def test_the_size_of_a_group_follows_from_measured_memory(
    at_once: int | None,
    free: int,
    expected: int,
    cuda: Device,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A trial takes 3 GiB, and the group may use 0.8 of the free memory."""
    monkeypatch.setattr(trainables.concurrent, "measure_memory", lambda config, runtime: 3 * GIB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (free * GIB, 140 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda *_: 0)
    group = group_of(tmp_path, at_once=at_once)
    waiting = unit(CONFIGS[0])
    while group.has_room(waiting):
        group.start(waiting)
    assert len(group.running) == expected
    assert bool(group.notes()) == (expected < (at_once or 8))
    group.close()


def test_a_kind_of_trial_that_cannot_be_measured_is_tried_once_beside_as_many_others(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def measure(config: TrialConfig, runtime: Runtime) -> int:
        calls.append(config)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainables.concurrent, "measure_memory", measure)
    alike = [dataclasses.replace(sized(CONFIGS[0], 16, steps=2), seed=seed) for seed in range(4)]
    records = run(group_of(tmp_path), [unit(config) for config in alike])
    assert [str(record.status) for record in records] == ["ok"] * 4
    assert len(calls) == 1


def test_the_measured_memory_is_that_of_two_steps_and_an_evaluation(
    cuda: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved = [GIB]
    advance, embed = Trainer.advance, evaluate._embedding

    def advance_and_take(self: Trainer) -> None:
        reserved[0] += GIB
        advance(self)

    def embed_and_take(*words: Any) -> Any:
        reserved[0] = max(reserved[0], 8 * GIB)
        return embed(*words)

    monkeypatch.setattr(Trainer, "advance", advance_and_take)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda *_: GIB)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda *_: reserved[0])
    config, runtime = CONFIGS[0], Runtime(device="cuda", concurrent=True)
    assert measure_memory(config, runtime) == 2 * GIB
    monkeypatch.setattr(evaluate, "_embedding", embed_and_take)
    assert measure_memory(config, runtime) == 7 * GIB
    other_rate = sized(config, 16, steps=9, lr=0.01)
    other_loss = dataclasses.replace(config, loss=CONFIGS[1].loss, seed=7)
    assert memory_key(other_rate) == memory_key(other_loss) == memory_key(config)
    resnet = dataclasses.replace(
        config, task=dataclasses.replace(config.task, encoder=EncoderConfig(name="resnet18"))
    )
    apart = (config, sized(config, 32), resnet, sized(config, 16, precision="bfloat16"))
    assert len({memory_key(each) for each in apart}) == 4


def test_the_measured_memory_includes_a_round_of_the_selection(
    cuda: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    embed = CandidateEmbeddings.__call__

    def embed_and_count(self: CandidateEmbeddings, candidates: torch.Tensor) -> Any:
        rows.append(len(candidates))
        return embed(self, candidates)

    monkeypatch.setattr(CandidateEmbeddings, "__call__", embed_and_count)
    config = CONFIGS[0]
    osgd = SelectionConfig(method="osgd", pool=4, keep=2)
    looking = dataclasses.replace(config, task=dataclasses.replace(config.task, selection=osgd))
    measure_memory(looking, Runtime(device="cuda", concurrent=True))
    assert rows == [4 * config.task.training.batch_size]  # the two steps are one round
    assert memory_key(looking) != memory_key(config)


def test_a_trial_whose_worker_died_runs_alone(cuda: Device, tmp_path: Path) -> None:
    group = group_of(tmp_path)
    suspect = dataclasses.replace(unit(CONFIGS[0]), suspect=True)
    group.start(unit(CONFIGS[1]))
    assert not group.has_room(suspect)
    group.close()
    group.start(suspect)
    assert not group.has_room(unit(CONFIGS[1]))
    group.close()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("execution", ["eager", pytest.param("graphed", marks=pytest.mark.slow)])
def test_stopped_trials_go_on_where_they_were(
    cuda: Device, tmp_path: Path, execution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after_two_turns(tmp_path, execution, CONFIGS)
    steps: list[int] = []
    advance = Trainer.advance

    def counted(self: Trainer) -> None:
        steps.append(self.done)
        advance(self)

    monkeypatch.setattr(Trainer, "advance", counted)
    records = run(group_of(tmp_path, execution=execution), [unit(config) for config in CONFIGS])
    assert sorted(steps) == [2, 2, 2, 3, 3, 4, 5]
    monkeypatch.undo()
    check_alone(records, CONFIGS)
    assert not list((tmp_path / "checkpoints").iterdir())


@pytest.mark.usefixtures("small")
def test_a_slow_trial_does_not_hold_back_a_fast_one(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device runs no step of the first trial. Both have full queues, and the thread waits for the other one."""
    monkeypatch.setattr(trainables.concurrent, "_MOST_QUEUED", 4)
    group = group_of(tmp_path)
    for config in CONFIGS[:2]:
        group.start(unit(sized(config, 16, steps=30)))
    slow, fast = group._members
    looks = itertools.count(1)

    def query(event: streams.Event) -> bool:
        assert event.recorded is not None
        return event.recorded[0] is not slow.stream and next(looks) % 3 == 0

    monkeypatch.setattr(streams.Event, "query", query)
    while fast.steps:
        group.turn()
        assert len(slow.queued) <= 4
        assert len(fast.queued) <= 4
    assert len(slow.queued) == 4  # nearly all this time, the fast one trained alone
    group.close()


@pytest.mark.usefixtures("small")
def test_early_stopping_ends_one_trial_of_a_group(cuda: Device, tmp_path: Path) -> None:
    def searched(config: TrialConfig, configuration: str) -> WorkUnit:
        stopping = rule(configuration, tmp_path, min_resource=2)
        return dataclasses.replace(unit(config), early_stopping=stopping)

    good, bad = CONFIGS[0], sized(CONFIGS[0], 16, steps=6, lr=1e-6)
    group = group_of(tmp_path)
    group.start(searched(good, "good"))
    group.start(searched(bad, "bad"))
    records = run(group, [])
    by_rate = {record.hp_lr: record for record in records}
    assert by_rate[0.3].status == "ok"
    assert by_rate[1e-6].status == "pruned"
    assert by_rate[1e-6].rung == by_rate[1e-6].steps_done == 4


@pytest.mark.usefixtures("small")
def test_a_time_limit_counts_the_share_of_a_trial(cuda: Device, tmp_path: Path) -> None:
    group = group_of(tmp_path, time_limit=1e-9)
    records = run(group, [unit(sized(CONFIGS[0], 16, steps=60)), unit(CONFIGS[1])])
    assert {str(record.status) for record in records} == {"timeout"}
