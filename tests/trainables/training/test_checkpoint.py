"""A trial that continues from a checkpoint ends as an uninterrupted one, whatever happens to process or file."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from study.launch.rerun import RUN_COLUMNS
from tests.file_size_limit import file_size_limit
from tests.trainables.tiny_trial import tiny
from tests.trainables.training.small import member, train
from tests.waiting import wait_until
from trainables.config import SelectionConfig, TrialConfig, canonical_json
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.store.schema import Status, TrialRecord
from trainables.training.checkpoint import Checkpoint, CheckpointError, load_weights, save_durably
from trainables.trial import run_trial, run_trials

#: Runs trials with a checkpoint after every step, in a process that can be killed.
_CHILD = """
import sys, time
from pathlib import Path
from tests.trainables.canonical import from_canonical
from trainables.store.records import RecordStore
from trainables.runtime import Runtime
from trainables.trial import run_trials
runtime = Runtime(artefacts=Path(sys.argv[1]), checkpoint_seconds=0.0, curve_epochs=1)
configs = [from_canonical(text) for text in sys.argv[2:]]
list(run_trials(configs, lambda facts: time.sleep(0.05), runtime=runtime, attempts=[0] * len(configs)))
"""


#: Rounds of seven steps: a kill mostly falls into one.
OSGD = SelectionConfig(method="osgd", pool=12, keep=7)
SHUFFLE = SelectionConfig()


def longer(seed: int, selection: SelectionConfig, **settings: Any) -> TrialConfig:
    config = tiny(seed=seed)
    training = dataclasses.replace(config.task.training, steps=40, **settings)
    return dataclasses.replace(
        config, task=dataclasses.replace(config.task, training=training, selection=selection)
    )


def results(record: TrialRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in RUN_COLUMNS}


def steps_done(folder: Path) -> int:
    """Steps in the one checkpoint below the folder; 0 without a checkpoint."""
    found = list(folder.glob("checkpoints/*.pt"))
    assert len(found) <= 1
    return load_weights(found[0])["losses"].shape[1] if found else 0


def checkpoint(folder: Path, *ids: str) -> Checkpoint:
    return Checkpoint(folder=folder, pretrain_ids=ids or ("a",), every_seconds=0.0)


@pytest.mark.parametrize(
    ("count", "selection", "settings"),
    [
        (1, SHUFFLE, {}),
        (3, SHUFFLE, {}),
        (1, OSGD, {}),
        (3, SHUFFLE, {"optimizer": "adam", "lr": 0.01, "schedule_by": "epoch", "warmup_epochs": 1}),
    ],
    ids=["one", "stack", "osgd", "adam"],
)
@pytest.mark.slow
def test_after_a_kill_the_record_is_that_of_an_uninterrupted_trial(
    count: int, selection: SelectionConfig, settings: dict[str, Any], tmp_path: Path
) -> None:
    configs = [longer(seed, selection, **settings) for seed in range(count)]
    arguments = [sys.executable, "-c", _CHILD, str(tmp_path), *map(canonical_json, configs)]
    with subprocess.Popen(arguments, cwd=Path(__file__).parents[3]) as child:
        wait_until(lambda: child.poll() is not None or steps_done(tmp_path) >= 3, seconds=100)
        os.kill(child.pid, signal.SIGKILL)
    done = steps_done(tmp_path)
    assert 0 < done < 40, "the kill came too late or too early to say anything"
    steps: list[int] = []
    runtime = Runtime(artefacts=tmp_path, curve_epochs=1)
    resumed = list(
        run_trials(configs, lambda facts: steps.append(facts["step"]), runtime=runtime, attempts=[0] * count)
    )
    assert steps[0] >= done
    whole = list(run_trials(configs, attempts=[0] * count))
    for one, other in zip(resumed, whole, strict=True):
        assert one.status == Status.OK
        assert results(one) == results(other)


def test_a_damaged_checkpoint_costs_the_way_so_far_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = train([member()])[0]
    place = checkpoint(tmp_path)
    train([member()], checkpoint=place)
    whole = place.path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no checkpoint at all"):
        place.path.write_bytes(content)
        (facts,) = train([member()], checkpoint=dataclasses.replace(place, every_seconds=1e9))
        assert facts.train_loss_last == expected.train_loss_last
        assert (
            caplog.messages[-1]
            == "checkpoint a.pt: it is damaged or cut short; training starts again from step 0"
        )


def test_a_checkpoint_of_another_trial_is_refused(tmp_path: Path) -> None:
    place, other = checkpoint(tmp_path, "a"), checkpoint(tmp_path, "b")
    train([member()], checkpoint=place)
    place.path.rename(other.path)
    with pytest.raises(CheckpointError, match=r"checkpoint b\.pt: it belongs to other trials"):
        other.load()


def test_a_checkpoint_of_another_network_starts_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = checkpoint(tmp_path)
    train([member()], checkpoint=place)
    state = load_weights(place.path)
    del state["network"]["head.0.weight"]  # all else fits, and is loaded before this is noticed
    save_durably(state, place.path)
    (facts,) = train([member()], checkpoint=dataclasses.replace(place, every_seconds=1e9))
    assert facts.train_loss_last == train([member()])[0].train_loss_last
    assert caplog.messages[-1].endswith("; training starts again from step 0")


def test_a_checkpoint_executes_nothing(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("touch harmed",)

    save_durably({"harm": Harmful()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="damaged"):
        load_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02.", b"\x80\x02K\x00.", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint a\.pt: it"):
        load_weights(tmp_path / "a.pt")


def test_a_disk_that_refuses_costs_a_checkpoint_and_not_the_trial(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "checkpoints").write_text("a file where a folder should be")
    (facts,) = train([member()], checkpoint=checkpoint(tmp_path / "checkpoints"))
    assert facts.steps_done == 5
    assert "not saved" in caplog.messages[-1]


def test_nothing_is_left_once_a_trial_has_its_record(tmp_path: Path) -> None:
    from trainables.config import trial_keys
    from trainables.provenance import provenance_of
    from trainables.work import LaunchContext, WorkUnit, run_stack

    config = tiny()
    key = trial_keys(config, provenance_of(config, None)).trial_id
    runtime = Runtime(artefacts=tmp_path, checkpoint_seconds=0.0)
    unit = WorkUnit(trial_id=key, attempt=0, config=config, title="")
    assert [
        each.trial_id
        for each in run_stack((unit,), LaunchContext(store=RecordStore(tmp_path), runtime=runtime))
    ] == [key]
    assert not list((tmp_path / "checkpoints").iterdir())


def test_without_a_place_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_trial(tiny(), runtime=Runtime(checkpoint_seconds=0.0, keep_encoders=True, curve_epochs=1))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Torch ends its file after a failed write, fails again, and hides the first error behind the second."""
    path = tmp_path / "one.pt"
    with file_size_limit(10_000), pytest.raises(OSError, match="File too large") as caught:
        save_durably({"weights": torch.zeros(100_000), "more": torch.zeros(3)}, path)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []
