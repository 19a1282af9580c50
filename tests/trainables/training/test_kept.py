"""Kept encoders can be evaluated by another suite of probes, and learning curves follow the training."""

import dataclasses
import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig, TrialConfig
from trainables.loss_fields import LOSS_CARDS
from trainables.runtime import Runtime
from trainables.store.artefacts import curve_path, kept_path
from trainables.trial import run_trial, run_trials


def with_probes(config: TrialConfig, *suite: str) -> TrialConfig:
    probe = ProbeConfig(suite=suite, draws=2)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, probe=probe))


def test_another_suite_needs_no_training(tmp_path: Path) -> None:
    runtime = Runtime(artefacts=tmp_path, keep_encoders=True)
    first = run_trial(tiny(), runtime=runtime)
    steps: list[object] = []
    other = with_probes(tiny(), "knn", "probe5")
    probed = run_trial(other, steps.append, runtime=runtime)
    trained = run_trial(other)
    assert steps == []
    assert first.pretrain_id == probed.pretrain_id
    assert first.trial_id != probed.trial_id
    assert probed.test_probe5_accuracy == trained.test_probe5_accuracy
    assert probed.test_knn_accuracy == first.test_knn_accuracy
    assert (probed.train_loss_last, probed.steps_done) == (first.train_loss_last, first.steps_done)


def test_a_damaged_encoder_is_trained_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runtime = Runtime(artefacts=tmp_path, keep_encoders=True)
    first = run_trial(tiny(), runtime=runtime)
    path = kept_path(tmp_path, first.pretrain_id)
    path.write_bytes(path.read_bytes()[:1000])
    again = run_trial(tiny(), runtime=runtime)
    assert again.test_knn_accuracy == first.test_knn_accuracy
    assert caplog.messages[-1].endswith("the encoder is trained again")


def test_encoders_are_kept_on_request_only(tmp_path: Path) -> None:
    record = run_trial(tiny(), runtime=Runtime(artefacts=tmp_path))
    assert not kept_path(tmp_path, record.pretrain_id).exists()


def test_learning_curves_are_a_table_a_trial(tmp_path: Path) -> None:
    runtime = Runtime(artefacts=tmp_path, curve_epochs=1)
    stacked = [tiny(seed=0), tiny("dhel", seed=1)]
    watched = list(run_trials(stacked, runtime=runtime, attempts=[0, 0]))
    unwatched = list(run_trials(stacked, attempts=[0, 0]))
    for one, other in zip(watched, unwatched, strict=True):
        assert one.test_knn_accuracy == other.test_knn_accuracy, "watching changes nothing"
        curve = pq.read_table(curve_path(tmp_path, one.pretrain_id)).to_pandas()
        assert set(curve["pretrain_id"]) == {one.pretrain_id}
        assert curve["step"].tolist() == [6]  # an epoch has more steps than the whole budget
        assert curve["samples_seen"].tolist() == [96]
        assert 0 <= curve["val_knn_accuracy"].iloc[0] <= 1
        assert 1 <= curve["z_effective_rank"].iloc[0] <= 8
        assert curve["lr"].iloc[0] > 0
    assert abs(curve["train_loss"].iloc[0] - watched[-1].train_loss_last) < abs(watched[-1].train_loss_first)


@pytest.mark.parametrize("loss", [name for name, card in LOSS_CARDS.items() if card.information])
def test_learning_curves_have_the_information_that_a_loss_estimates(loss: str, tmp_path: Path) -> None:
    """Of 60 validation images the first 48 make batches of 16. Two views of an image share information."""
    config = tiny(loss)
    longer = dataclasses.replace(config.task.training, steps=40)
    config = dataclasses.replace(config, task=dataclasses.replace(config.task, training=longer))
    record = run_trial(config, runtime=Runtime(artefacts=tmp_path, curve_epochs=1))
    found = pq.read_table(curve_path(tmp_path, record.pretrain_id)).to_pandas()["val_information"]
    assert len(found) >= 3
    assert 0.1 < found.iloc[-1] < 6
    if loss == "infonce":
        assert found.max() <= math.log(16)


def test_curves_of_other_losses_have_no_information(tmp_path: Path) -> None:
    record = run_trial(tiny("kcl"), runtime=Runtime(artefacts=tmp_path, curve_epochs=1))
    assert pq.read_table(curve_path(tmp_path, record.pretrain_id))["val_information"].null_count == 1
