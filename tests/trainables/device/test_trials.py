"""Whole trials on the pretended device have the records of the CPU: training, curves, metrics and probes."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from study.launch.rerun import RUN_COLUMNS
from tests.trainables.device.device_state import Device
from tests.trainables.device.fake_cuda import pretended_cuda
from tests.trainables.sphere.small import sphere_trial
from tests.trainables.stopping import rule
from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig, SelectionConfig, TrialConfig
from trainables.evaluation.probes import PROBES
from trainables.runtime import Runtime
from trainables.store.schema import TrialRecord
from trainables.training import pretrain
from trainables.trial import run_trials

#: Every probe for which the data has enough labels, the slow ones with little work.
_SUITE = tuple(name for name, probe in PROBES.items() if probe.labels_a_class <= 10)
EVERY_PROBE = ProbeConfig(
    suite=_SUITE,
    draws=2,
    sgd_epochs=3,
    sgd_batch_size=64,
    sgd_augment=True,
    adam_epochs=3,
    adam_batch_size=64,
    knn_weights="exponential",
)

#: What differs on another device: a card has its own path to these, with the same numbers but for rounding.
_ROUNDING = 1e-9


def changed(config: TrialConfig, training: dict[str, Any] | None = None, **task: Any) -> TrialConfig:
    """The config with other settings of its task and of its training."""
    settings = dataclasses.replace(config.task.training, **(training or {}))
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=settings, **task))


def run(configs: list[TrialConfig], device: str, **runtime: Any) -> list[TrialRecord]:
    """The records of trials that run as one stack. All must be complete."""
    records = list(
        run_trials(configs, runtime=Runtime(device=device, **runtime), attempts=[0] * len(configs))
    )
    for record in records:
        assert record.status == "ok", record.error_traceback
        assert record.device == device
    return records


def assert_same(there: list[TrialRecord], here: list[TrialRecord]) -> None:
    """The records agree in all that does not depend on the machine."""
    for one, other in zip(there, here, strict=True):
        assert_rows_same(*({k: v for k, v in vars(r).items() if k not in RUN_COLUMNS} for r in (one, other)))


def assert_rows_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for name, expected in other.items():
        if isinstance(expected, float):
            assert one[name] == pytest.approx(expected, rel=_ROUNDING, nan_ok=True), name
        else:
            assert one[name] == expected, name


def test_a_trial_with_every_probe_is_that_of_the_cpu(cuda: Device) -> None:
    config = changed(tiny("dhel"), probe=EVERY_PROBE)
    there = run([config], "cuda")
    assert_same(there, run([config], "cpu"))
    # Two runs on one card are equal to the bit only if nothing adds in a changing order.
    assert cuda.unordered == []


@pytest.mark.parametrize(
    ("precision", "settings"), [("float32", {"ieee", "none"}), ("tf32", {"tf32"})], ids=["float32", "tf32"]
)
def test_training_curves_and_evaluation_have_one_precision(
    cuda: Device, precision: str, settings: set[str], tmp_path: Path
) -> None:
    config = changed(tiny(), {"precision": precision, "steps": 2}, probe=ProbeConfig(suite=("knn",)))
    run([config], "cuda", artefacts=tmp_path, curve_epochs=1)
    convolutions = {setting for what, setting, _ in cuda.precisions if what == "convolution"}
    assert convolutions <= settings
    assert convolutions


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["eager", "graphed", "compiled_graphed"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_stacks_with_curves_are_those_of_the_cpu(precision: str, execution: str, tmp_path: Path) -> None:
    configs = [
        changed(tiny(seed=seed, temperature=0.2 + seed), {"precision": precision}) for seed in range(3)
    ]
    here = run(configs, "cpu", artefacts=tmp_path / "cpu", curve_epochs=1)
    with pretended_cuda() as cuda:
        there = run(configs, "cuda", artefacts=tmp_path / "cuda", curve_epochs=1, execution=execution)
    assert cuda.memory.hazards == []
    assert_same(there, here)
    curves = [sorted((tmp_path / device).rglob("curves/*.parquet")) for device in ("cuda", "cpu")]
    assert [path.name for path in curves[0]] == [path.name for path in curves[1]]
    assert len(curves[0]) == 3
    for one, other in zip(*curves, strict=True):
        found, expected = pq.read_table(one).to_pylist(), pq.read_table(other).to_pylist()
        assert len(found) == len(expected) > 0
        for a, b in zip(found, expected, strict=True):
            assert_rows_same(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["eager", "graphed"])
@pytest.mark.parametrize("method", ["osgd", "spectral"])
def test_selected_batches_are_those_of_the_cpu(cuda: Device, method: str, execution: str) -> None:
    keep = {"keep": 2} if method == "osgd" else {}
    config = changed(tiny("infonce"), selection=SelectionConfig(method=method, pool=4, **keep))
    assert_same(run([config], "cuda", execution=execution), run([config], "cpu"))
    assert cuda.memory.hazards == []


@pytest.mark.slow
def test_sphere_trials_are_those_of_the_cpu(cuda: Device) -> None:
    configs = [sphere_trial("kcl", seed, t=1.0 + seed, selection="shuffle", steps=30) for seed in range(2)]
    assert_same(run(configs, "cuda"), run(configs, "cpu"))


@pytest.mark.slow
def test_a_stack_of_own_losses_is_that_of_the_cpu(cuda: Device) -> None:
    """They are called one after the other."""
    configs = [tiny("tests.study.own_loss:Spread", seed, weight=0.1 * seed) for seed in range(2)]
    assert_same(run(configs, "cuda", execution="graphed"), run(configs, "cpu"))


@pytest.mark.slow
def test_a_kept_encoder_is_evaluated_again(cuda: Device, tmp_path: Path) -> None:
    there = run([tiny()], "cuda", artefacts=tmp_path, keep_encoders=True)
    with cuda.counted() as count:
        again = run([tiny()], "cuda", artefacts=tmp_path)
    assert count.by_name["convolution"] > count.by_name["convolution_backward"] == 0
    assert_same(again, there)
    assert_same(again, run([tiny()], "cpu"))


@pytest.mark.slow
def test_a_rung_measures_what_it_does_on_the_cpu(cuda: Device, tmp_path: Path) -> None:
    scores = {}
    for device in ("cpu", "cuda"):
        store = tmp_path / device
        rung = dataclasses.replace(rule(min_resource=2), store=str(store))
        run([changed(tiny(), {"steps": 4})], device, early_stopping=rung)
        scores[device] = {path.name: path.read_text() for path in store.rglob("*") if path.is_file()}
    assert scores["cpu"] == scores["cuda"] != {}


class _StopError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("members", "selection", "execution"),
    [
        (1, SelectionConfig(), "eager"),
        (3, SelectionConfig(), "graphed"),
        (1, SelectionConfig(method="osgd", pool=4, keep=2), "graphed"),
    ],
    ids=["one", "stack", "osgd"],
)
def test_a_trial_that_continues_is_an_uninterrupted_one(
    cuda: Device,
    members: int,
    selection: SelectionConfig,
    execution: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(pretrain._STEPS_A_LOOK, "cuda", 2)
    configs = [changed(tiny(seed=seed), {"steps": 9}, selection=selection) for seed in range(members)]
    runtime = Runtime(device="cuda", execution=execution, artefacts=tmp_path, checkpoint_seconds=0.0)
    steps: list[int] = []

    def stop(facts: dict[str, Any]) -> None:
        steps.append(facts["step"])
        if facts["step"] == 6 and "stopped" not in vars(stop):
            stop.stopped = len(steps)  # type: ignore[attr-defined]
            raise _StopError

    with pytest.raises(_StopError):
        list(run_trials(configs, stop, runtime=runtime, attempts=[0] * members))
    records = list(run_trials(configs, stop, runtime=runtime, attempts=[0] * members))
    assert steps[-1] == 9
    assert min(steps[stop.stopped :]) > 4  # type: ignore[attr-defined]
    assert_same(records, run(configs, "cpu"))


def test_waits_do_not_grow_with_the_steps(cuda: Device) -> None:
    """The host looks at the losses of a training on a card every 50 steps."""

    def waits(steps: int) -> int:
        cuda.notes.clear()
        run([changed(tiny(), {"steps": steps})], "cuda")
        return len(cuda.notes)

    epoch = 140 // 16  # one copy of the order for each epoch
    assert waits(2 * epoch) - waits(epoch) <= 2
