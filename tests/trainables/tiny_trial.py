"""A trial that takes a fraction of a second."""

import dataclasses

from tests.trainables.test_config import example
from trainables.config import (
    DataConfig,
    EncoderConfig,
    LossConfig,
    ProbeConfig,
    TrainingConfig,
    TrialConfig,
)


def tiny(loss: str = "ntxent", seed: int = 0, **params: object) -> TrialConfig:
    task = dataclasses.replace(
        example().task,
        data=DataConfig(name="digits", train_limit=200, test_limit=60),
        encoder=EncoderConfig(name="small_conv", width=4, projection_dim=8),
        training=TrainingConfig(batch_size=16, lr=0.3, steps=6),
        probe=ProbeConfig(suite=("probe10", "knn"), draws=2),
    )
    return TrialConfig(seed=seed, loss=LossConfig(name=loss, params=params), task=task)
