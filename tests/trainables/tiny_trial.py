"""Configurations of trials: an example for plans and ids, and one that runs in a fraction of a second."""

import dataclasses

from trainables.config import (
    DataConfig,
    EncoderConfig,
    ImagesTask,
    LossConfig,
    ProbeConfig,
    TrainingConfig,
    TrialConfig,
)


def example(**changes: object) -> TrialConfig:
    config = TrialConfig(
        seed=0,
        loss=LossConfig(name="ntxent", params={"temperature": 0.25}),
        task=ImagesTask(
            data=DataConfig(name="digits"),
            views="digits",
            encoder=EncoderConfig(name="small_conv"),
            training=TrainingConfig(batch_size=64, lr=0.3, epochs=12),
        ),
    )
    return dataclasses.replace(config, **changes)


def tiny(loss: str = "ntxent", seed: int = 0, **params: object) -> TrialConfig:
    task = dataclasses.replace(
        example().task,
        data=DataConfig(name="digits", train_limit=200, test_limit=60),
        encoder=EncoderConfig(name="small_conv", width=4, projection_dim=8),
        training=TrainingConfig(batch_size=16, lr=0.3, steps=6),
        probe=ProbeConfig(suite=("probe10", "knn"), draws=2),
    )
    return TrialConfig(seed=seed, loss=LossConfig(name=loss, params=params), task=task)
