"""GPU shares follow from the memory that trials need, and trials of one share run together on Ray Tune.

No GPU is needed: the cards are numbers, and Ray is told that its machine has one.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from study.cost.gpu_shares import (
    CONTEXT_BYTES,
    HEAD_ROOM,
    AutoShares,
    Card,
    SharesOf,
    gpu_share,
    look_at_card,
    measure_peaks,
    shares_of,
)
from study.cost.model import CostModel, memory_key, past_peaks
from study.errors import StudyError
from study.launch.scheduling import group_lists, same_share
from study.loaded import LoadedStudy, load_study
from study.spec.schema import ResourcesSection
from tests.study.conftest import WriteStudy
from tests.study.cost.gpu_stacks import by_size, sized, stack, trial_id
from tests.study.running import invoke
from trainables.config import TrialConfig
from trainables.runtime import Runtime
from trainables.trial import run_trials

GIB = 2**30


@pytest.mark.parametrize("card", [8 * GIB, 16 * GIB, 80 * GIB])
@pytest.mark.parametrize("peak", [50 * 2**20, GIB, 3 * GIB, 7 * GIB])
def test_trials_of_one_share_fit_on_the_card_and_one_more_does_not(card: int, peak: int) -> None:
    share = gpu_share(peak, card)
    trials = int(1 / share)
    need = peak * (1 + HEAD_ROOM) + CONTEXT_BYTES
    assert trials == 1 or trials * need <= card
    assert trials == 16 or (trials + 1) * need > card
    assert share * trials <= 1 < share * (trials + 1)


def test_a_card_holds_sixteen_at_most_and_one_that_just_fits_has_it_alone() -> None:
    assert gpu_share(1, 80 * GIB) == 1 / 16
    assert gpu_share(8 * GIB - CONTEXT_BYTES, 8 * GIB) == 1
    assert gpu_share(2.2 * GIB, 16 * GIB) == 0.25
    assert gpu_share(3.2 * GIB, 16 * GIB) == 0.3333


def test_what_fits_on_no_card_is_one_line() -> None:
    with pytest.raises(StudyError, match=r"gpus_per_trial: a trial needs 40.0 GiB .* smaller batch size"):
        shares_of({"large": 40 * GIB}, 16 * GIB)


def test_memory_goes_by_network_data_batch_size_and_precision() -> None:
    config = sized(64)
    other_loss = dataclasses.replace(config, loss=dataclasses.replace(config.loss, name="dcl"), seed=7)
    assert memory_key(other_loss) == memory_key(config)
    encoder = dataclasses.replace(config.task.encoder, name="resnet50")
    training = dataclasses.replace(config.task.training, precision="bfloat16")
    different = [sized(128), sized(64, encoder=encoder)]
    different.append(dataclasses.replace(config, task=dataclasses.replace(config.task, training=training)))
    assert len({memory_key(each) for each in (config, *different)}) == 4


def test_lists_are_cut_where_the_share_changes_and_large_ones_go_first() -> None:
    lists = [[stack(64), stack(256), stack(256, 1)], [stack(64, 1), stack(64, 2)]]
    grouped, gpus = group_lists(lists, by_size)
    assert gpus == [1.0, 0.25, 0.25]
    names = [[unit.trial_id for (unit,) in stacks] for stacks in grouped]
    assert names == [
        [trial_id(256, 0), trial_id(256, 1)],
        [trial_id(64, 0)],
        [trial_id(64, 1), trial_id(64, 2)],
    ]
    assert group_lists(lists, same_share(0)) == (lists, [0, 0])


def finished(loaded: LoadedStudy, **columns: object) -> list[TrialConfig]:
    """One finished trial a batch size, as if on a GPU."""
    configs = [loaded.plan.trials[0].config, loaded.plan.trials[4].config]
    for number, config in enumerate(configs):
        (record,) = run_trials([config], runtime=Runtime(), attempts=[0])
        there = {"device": "cuda", "device_name": "Card", "peak_memory_bytes": (number + 1) * GIB}
        loaded.store.put(dataclasses.replace(record, **(there | columns)))
    return configs


@pytest.fixture
def loaded(write_study: WriteStudy, tmp_path: Path) -> LoadedStudy:
    loaded = load_study(str(write_study()), str(tmp_path / "store"), None)
    loaded.store.prepare()
    return loaded


def costs_of(loaded: LoadedStudy) -> CostModel:
    """The model of a study on a machine with a GPU."""
    peaks = past_peaks(loaded.store.read().table, "eager")
    return CostModel(task=loaded.plan.trial_set.task, peaks=peaks)


def test_shares_come_from_records_and_what_they_do_not_tell_is_measured_once(loaded: LoadedStudy) -> None:
    small, large = finished(loaded)
    assert (small.task.training.batch_size, large.task.training.batch_size) == (8, 16)
    calls: list[str] = []

    def on_gpu(function: object, *arguments: object) -> object:
        calls.append(function.__name__)  # type: ignore[attr-defined]
        if function is look_at_card:
            return Card(name="Card", bytes=16 * GIB)
        configs = arguments[0]
        assert isinstance(configs, dict)
        return dict.fromkeys(configs, 12 * GIB)

    runtime = Runtime(device="cuda")
    shares: SharesOf = AutoShares(costs_of(loaded), runtime, on_gpu)
    new = (dataclasses.replace(stack(8)[0], config=sized(32)),)
    known = [(dataclasses.replace(new[0], config=config),) for config in (small, large)]
    assert shares(known) == [gpu_share(GIB, 16 * GIB), gpu_share(2 * GIB, 16 * GIB)]
    assert calls == ["look_at_card"]
    assert shares([*known, new])[2] == 1
    assert shares([new]) == [1]
    assert calls == ["look_at_card", "measure_peaks"]


@pytest.mark.parametrize(
    "other",
    [
        {"device": "cpu"},
        {"device_name": "Other"},
        {"status": "crashed"},
        {"execution_mode": "single:compiled"},
    ],
)
def test_records_of_other_conditions_tell_nothing(loaded: LoadedStudy, other: dict[str, object]) -> None:
    finished(loaded, **other)
    assert "Card" not in past_peaks(loaded.store.read().table, "eager")


def test_a_measurement_that_fails_is_one_line(loaded: LoadedStudy) -> None:
    def on_gpu(function: object, *arguments: object) -> object:
        raise RuntimeError("CUDA error:\nno device")

    with pytest.raises(StudyError, match=r"got auto, and memory could not be measured \(no device\)"):
        AutoShares(costs_of(loaded), Runtime(device="cuda"), on_gpu)([stack(8)])


def test_peaks_are_those_of_steps_and_of_the_evaluation(loaded: LoadedStudy) -> None:
    configs = {"small": loaded.plan.trials[0].config}
    assert measure_peaks(configs, Runtime())["small"] > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_peaks_on_a_gpu_grow_with_the_batch() -> None:
    peaks = measure_peaks({"8": sized(8), "256": sized(256)}, Runtime(device="cuda"))
    assert 0 < peaks["8"] < peaks["256"] < look_at_card().bytes


def test_auto_is_for_machines_with_a_gpu(write_study: WriteStudy, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    study = write_study(("[axes]", '[resources]\ngpus_per_trial = "auto"\n[axes]'))
    result = invoke("run", study, "--store", tmp_path / "store")
    assert result.exit_code == 2
    assert "gpus_per_trial: got auto, this machine has 0 usable GPUs" in result.stderr
    assert not (tmp_path / "store").exists()
    assert ResourcesSection(gpus_per_trial="auto").gpus_per_trial == "auto"


@pytest.mark.slow
@pytest.mark.ray
def test_tune_asks_ray_for_the_share_of_each_list(tmp_path: Path) -> None:
    """On a Ray that believes in one GPU: workers get their shares, and those that fit run side by side."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.study.cost.pretended_gpu", tmp_path],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    runs = json.loads(told.stdout.splitlines()[-1])
    assert {run["title"]: run["gpu"] for run in runs} == {
        trial_id(256, 0): 1.0,
        trial_id(64, 0): 0.25,
        trial_id(64, 1): 0.25,
        trial_id(64, 2): 0.25,
    }
    whole = next(run for run in runs if run["gpu"] == 1.0)
    shared = [run for run in runs if run["gpu"] < 1]
    assert all(run["began"] >= whole["ended"] for run in shared)
    assert min(run["ended"] for run in shared) > max(run["began"] for run in shared)
