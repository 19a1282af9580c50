"""Trainings on random pixels, for benchmarks whose time does not hang on what the images show."""

from typing import Any

import numpy as np

from study.bench.subject import build_subject
from trainables.config import DataConfig, EncoderConfig, ImagesTask, LossConfig, TrainingConfig, TrialConfig
from trainables.datasets.loaded import DatasetInfo, ImageData, Split
from trainables.runtime import Runtime
from trainables.training.trainer import Trainer

RESNET18 = EncoderConfig(name="resnet18")
SMALL_CONV = EncoderConfig(name="small_conv", width=16, projection_dim=64)

#: Channels, pixels and recipe by the side of the images: grey digits, and colour above.
KINDS = {8: (1, "digits"), 16: (3, "cifar"), 32: (3, "cifar")}


def random_data(size: int, count: int = 2048) -> ImageData:
    """`count` training images of independent pixels, and none to evaluate on."""
    channels, views = KINDS[size]
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, size, size), dtype=np.uint8)
    labels = np.arange(count) % 10
    info = DatasetInfo(
        name="random",
        n_train=count,
        n_unlabelled=0,
        n_val=0,
        n_test=0,
        channels=channels,
        size=size,
        classes=tuple("0123456789"),
        fingerprint="",
        views=views,
        smallest_class=count // 10,
    )
    none = Split(images=pixels[:0], labels=labels[:0])
    train = Split(images=pixels, labels=labels)
    return ImageData(info=info, images=pixels, pretraining=pixels, train=train, val=none, test=none)


def trials(
    encoder: EncoderConfig, data: ImageData, batch_size: int, members: int = 1, **training: Any
) -> list[TrialConfig]:
    """NT-Xent at `members` seeds and temperatures: every one with views of its own, the dearest kind of stack."""
    task = ImagesTask(
        data=DataConfig(name=data.info.name),
        views=data.info.views,
        encoder=encoder,
        training=TrainingConfig(**({"batch_size": batch_size, "lr": 0.1, "steps": 1} | training)),
    )
    return [
        TrialConfig(
            seed=seed, loss=LossConfig(name="ntxent", params={"temperature": 0.2 + 0.01 * seed}), task=task
        )
        for seed in range(members)
    ]


def trainer(configs: list[TrialConfig], data: ImageData, runtime: Runtime | None = None) -> Trainer:
    """Their training as one network, at its first step."""
    runtime = runtime or Runtime()
    return build_subject(configs, data, runtime).trainer(runtime.execution)


def one_by_one(configs: list[TrialConfig], data: ImageData, runtime: Runtime | None = None) -> list[Trainer]:
    """A training for each."""
    return [trainer([config], data, runtime) for config in configs]
