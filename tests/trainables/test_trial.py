"""One trial: the same record from the same config, paired streams, failures as rows."""

import dataclasses
from pathlib import Path

import pytest
import torch

from study.launch.rerun import RUN_COLUMNS
from tests.file_size_limit import file_size_limit
from tests.trainables.tiny_trial import tiny
from trainables.config import (
    DataConfig,
    EncoderConfig,
    ProbeConfig,
    TrainingConfig,
)
from trainables.runtime import Runtime
from trainables.store.files import StoreError
from trainables.store.records import RecordStore
from trainables.store.schema import Status, TrialRecord, record_to_table
from trainables.trial import run_trial


def results(record: TrialRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in RUN_COLUMNS}


def test_a_trial_leaves_a_full_row() -> None:
    record = run_trial(tiny(temperature=0.25))
    assert record.status == Status.OK
    assert (record.loss, record.hp_temperature, record.hp_batch_size) == ("ntxent", 0.25, 16)
    assert record.steps_done == record.steps_planned == 6
    measured = (
        "val_probe10_accuracy test_knn_accuracy z_effective_rank h_alignment z_uniformity seconds_total"
    )
    for name in (*measured.split(), "h_wasserstein_uniformity", "peak_memory_bytes"):
        assert isinstance(getattr(record, name), float | int), name
    assert 0 <= record.test_probe10_accuracy <= 1
    assert 1 <= record.z_effective_rank <= record.z_dim == 8
    record_to_table(record)


def test_the_same_config_gives_the_same_record() -> None:
    torch.rand(3)  # whatever the process did before must not matter
    first = run_trial(tiny())
    torch.manual_seed(12345)
    torch.rand(7)
    assert results(run_trial(tiny())) == results(first)


def test_another_seed_gives_another_record() -> None:
    one, other = run_trial(tiny()), run_trial(tiny(seed=1))
    assert one.train_loss_first != other.train_loss_first
    assert one.config_id == other.config_id


def test_losses_at_one_seed_are_paired() -> None:
    """NT-Xent and DCL see the same views of the same batch through the same network in their first step."""
    losses = ("flatnce_plus", "ntxent", "dcl")
    first = {loss: run_trial(tiny(loss, temperature=0.25)).train_loss_first for loss in losses}
    # with 2 (M - 1) negatives, the two losses of one batch differ by less than the positive's share
    assert 0 < first["ntxent"] - first["dcl"] < 0.5
    assert first["flatnce_plus"] == 1


def test_the_null_control_is_null_to_the_bit() -> None:
    one, other = run_trial(tiny("flatnce", temperature=0.1)), run_trial(tiny("dcl", temperature=0.1))
    own = {"trial_id", "config_id", "pretrain_id", "loss", "config", "train_loss_first", "train_loss_last"}
    assert {name: value for name, value in results(one).items() if name not in own} == {
        name: value for name, value in results(other).items() if name not in own
    }


def test_a_record_holds_the_ends_of_a_very_long_error(tmp_path: Path) -> None:
    record = run_trial(tiny("tests.study.own_loss:Explodes", how="at length", at=16))
    for text in (record.error_message or "", record.error_traceback or ""):
        assert 100_000 < len(text) < 100_100
        assert text.rstrip().endswith("xxx")
        assert "characters left out" in text
    assert (record.error_message or "").startswith("long \\udcffxxx")
    RecordStore(tmp_path).put(record)


@pytest.mark.parametrize(
    ("how", "status", "error_class", "message"),
    [
        ("raise", Status.CRASHED, "RuntimeError", "the batch is too large"),
        ("memory", Status.OOM, "RuntimeError", "batch size 16, peak memory"),
        ("nan", Status.DIVERGED, "Diverged", "the loss was not finite at step 1 of 6"),
    ],
)
def test_failures_are_records(how: str, status: Status, error_class: str, message: str) -> None:
    record = run_trial(tiny("tests.study.own_loss:Explodes", how=how, at=16))
    assert (record.status, record.error_class) == (status, error_class)
    assert (record.error_message or "").startswith(message)
    assert "own_loss.py" in (record.error_traceback or "") or how == "nan"
    assert record.hp_other == {"at": "16", "how": f'"{how}"'}
    assert record.hp_lr == 0.3
    record_to_table(record)


def test_a_diverged_trial_keeps_what_was_known() -> None:
    record = run_trial(tiny("tests.study.own_loss:Explodes", how="nan", at=16))
    assert (record.steps_planned, record.steps_done) == (6, 0)
    assert record.seconds_pretrain is not None
    assert record.test_probe10_accuracy is None


def test_code_of_ones_own_is_part_of_the_id() -> None:
    own = run_trial(tiny("tests.study.own_loss:Explodes", at=100))
    assert own.status == Status.OK
    assert own.trial_id != run_trial(tiny("tests.study.own_loss:Spread")).trial_id


def test_a_resnet_on_real_colour_images(cifar10_root: Path) -> None:
    task = dataclasses.replace(
        tiny().task,
        data=DataConfig(name="parquet:cifar10_jpeg", train_limit=60, test_limit=20),
        views="cifar",
        encoder=EncoderConfig(name="resnet18"),
        training=TrainingConfig(batch_size=4, lr=0.1, steps=1),
        probe=ProbeConfig(suite=("probe5",), draws=1),
    )
    config = dataclasses.replace(tiny(), task=task)
    record = run_trial(config, runtime=Runtime(data_root=cifar10_root))
    assert record.status == Status.OK, record.error_traceback
    assert record.h_dim == 512
    assert record.test_probe5_accuracy is not None


def test_reports_come_step_by_step() -> None:
    heard: list[dict[str, object]] = []
    run_trial(tiny(), heard.append)
    assert [each["step"] for each in heard] == [1, 2, 3, 4, 5, 6]


def test_threads_are_those_of_the_runtime() -> None:
    assert run_trial(tiny()).threads == torch.get_num_threads() == 1


def test_a_full_disk_is_not_a_result_of_the_trial(tmp_path: Path) -> None:
    """The encoder cannot be kept. Every other trial would meet the same fault, so the launch stops."""
    runtime = Runtime(artefacts=tmp_path, keep_encoders=True)
    with file_size_limit(4096), pytest.raises(StoreError, match=r"encoders/\w+.pt \(File too large\); raise"):
        run_trial(tiny(), runtime=runtime)
    assert not list(tmp_path.rglob("*.pt"))
    assert run_trial(tiny(), runtime=runtime).status == Status.OK


def test_a_lack_of_memory_has_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch.Tensor, "backward", no_memory)
    record = run_trial(tiny())
    assert record.status == Status.OOM
    assert record.error_message.endswith("DefaultCPUAllocator: can't allocate memory")
