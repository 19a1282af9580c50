"""The normalisation of a recipe reaches every image that the evaluation encodes without augmentation."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as F

from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig, TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.built_in import BUILT_IN, corrupt
from trainables.evaluation.evaluate import evaluate, monitor, validation_score
from trainables.runtime import Runtime
from trainables.training.trials import build_member
from trainables.views.recipes import changed_recipe

MEAN, DEVIATION = (0.3,), (0.4,)


def config() -> TrialConfig:
    views = changed_recipe("digits", {"mean": MEAN, "deviation": DEVIATION})
    probe = ProbeConfig(suite=("knn", "retrieval_corrupted"))
    return dataclasses.replace(tiny(), task=dataclasses.replace(tiny().task, views=views, probe=probe))


def normalised(images: np.ndarray) -> Tensor:
    return F.normalize(torch.tensor(images) / 255, MEAN, DEVIATION)


@pytest.fixture
def encoded() -> list[Tensor]:
    return []


@pytest.fixture
def model(encoded: list[Tensor]) -> ContrastiveModel:
    """A model that notes the images that it encodes."""
    model = build_member(config(), load_dataset(config().task.data, None), "cpu").model.eval()
    model.register_forward_pre_hook(lambda _, images: encoded.append(images[0].clone()))
    return model


def was_encoded(images: np.ndarray, encoded: list[Tensor]) -> bool:
    return any(torch.equal(each, normalised(images)) for each in encoded)


def test_the_evaluation_encodes_normalised_images(model: ContrastiveModel, encoded: list[Tensor]) -> None:
    data = load_dataset(config().task.data, None)
    for _ in evaluate(model, config(), data, Runtime()):
        pass
    for split in data.splits.values():
        assert was_encoded(split.images, encoded)
    for name in BUILT_IN:
        assert was_encoded(corrupt(data.test.images, name, 3, "test"), encoded)


def test_curves_and_early_stopping_encode_normalised_images(
    model: ContrastiveModel, encoded: list[Tensor]
) -> None:
    data = load_dataset(config().task.data, None)
    loss = build_member(config(), data, "cpu").loss
    monitor(model, loss, config(), data, Runtime())
    assert was_encoded(data.train.images, encoded)
    assert was_encoded(data.val.images, encoded)
    encoded.clear()
    validation_score(model, config(), data, Runtime())
    assert [len(each) for each in encoded] == [len(data.train.images), len(data.val.images)]
    assert was_encoded(data.train.images, encoded)
