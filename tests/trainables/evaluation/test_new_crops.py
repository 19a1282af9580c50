"""Probes that draw new crops and flips of the training images in every epoch, within a trial."""

import dataclasses
from typing import Any

import pytest
import torch

from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig, TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.evaluation import evaluate
from trainables.evaluation.features import EncodedSplits
from trainables.runtime import Runtime
from trainables.store.schema import METRICS, TrialRecord
from trainables.training.trials import build_member
from trainables.trial import run_trial
from trainables.turns import Turns, finish, in_one_turn
from trainables.views.batched import Views
from trainables.views.recipes import VIEWS, ViewRecipe, crops_and_flips

SUITE = ("probe_sgd", "probe_adam", "knn", "retrieval", "probe10")


def probed(**settings: Any) -> TrialConfig:
    probe = ProbeConfig(suite=SUITE, draws=2, sgd_epochs=5, adam_epochs=5, **settings)
    config = tiny()
    return dataclasses.replace(config, task=dataclasses.replace(config.task, probe=probe))


def test_crops_and_flips_are_those_of_the_recipe_and_nothing_else() -> None:
    """The normalisation stays, because images without augmentation have it too."""
    kept = {"interpolation": "bilinear", "mean": (0.5,) * 3, "deviation": (0.2,) * 3}
    recipe = dataclasses.replace(VIEWS["imagenet"], noise=0.1, solarise_probability=0.2, **kept)
    assert crops_and_flips(recipe) == ViewRecipe(crop_scale=(0.08, 1.0), flip_probability=0.5, **kept)
    assert crops_and_flips(VIEWS["digits"]) == ViewRecipe(crop_scale=(0.6, 1.0))


def test_new_crops_of_one_probe_change_no_other_number() -> None:
    plain, sgd, adam = (
        run_trial(each) for each in (probed(), probed(sgd_augment=True), probed(adam_augment=True))
    )
    for name, changed in (("probe_sgd", sgd), ("probe_adam", adam)):
        assert changed.status == "ok", changed.error_traceback
        assert differing(plain, changed) == {f"{split}_{name}_accuracy" for split in ("val", "test")}


def differing(one: TrialRecord, other: TrialRecord) -> set[str]:
    names = [f"{split}_{metric}" for split in ("val", "test") for metric in METRICS]
    names += ["z_alignment", "h_uniformity", "train_loss_last"]
    return {name for name in names if getattr(one, name) != getattr(other, name)}


def test_the_features_of_an_epoch_are_those_of_new_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn batch by batch, in the order of the images, without the colours and the noise of the recipe."""
    seen: list[EncodedSplits] = []

    @in_one_turn
    def keep(config: ProbeConfig, splits: EncodedSplits, *, seed: int) -> dict[str, float]:
        seen.append(splits)
        return {}

    monkeypatch.setattr(evaluate, "probe_accuracies", keep)
    monkeypatch.setattr(evaluate, "_EVALUATION_BATCH", 64)
    config, runtime = tiny(), Runtime()
    data = load_dataset(config.task.data, None)
    model = build_member(config, data, "cpu").model.eval()
    for _ in evaluate.evaluate(model, config, data, runtime):
        pass
    ours, theirs = (torch.Generator().manual_seed(7) for _ in range(2))
    views = Views(recipe=crops_and_flips(VIEWS["digits"]), channels=1, size=8)
    epochs = []
    for _ in range(2):
        turns: Turns[torch.Tensor] = seen[0].augmented(ours)
        epochs.append(finish(turns))
        parts = torch.tensor(data.train.images).split(64)
        with torch.no_grad():
            expected = torch.cat([model(views(part, theirs))[0] for part in parts])
        assert torch.equal(epochs[-1], expected)
    assert not torch.equal(*epochs)
    assert epochs[0].shape == seen[0].labelled["train"].features.shape
