"""Sphere trials that take a fraction of a second."""

from typing import Any

from trainables.config import LossConfig, SelectionConfig, SphereTask, SphereTraining, TrialConfig
from trainables.store.schema import TrialRecord
from trainables.trial import run_trials


def sphere_trial(
    loss: str = "infonce",
    seed: int = 0,
    *,
    n_pairs: int = 8,
    dim: int = 16,
    selection: str = "full",
    batch_size: int = 2,
    init: str = "independent",
    lr: float = 1.0,
    steps: int | None = 100,
    training: dict[str, Any] | None = None,
    **params: Any,
) -> TrialConfig:
    task = SphereTask(
        n_pairs=n_pairs,
        dim=dim,
        init=init,
        training=SphereTraining(batch_size=batch_size, lr=lr, steps=steps, **(training or {})),
        selection=SelectionConfig(method=selection),
    )
    return TrialConfig(seed=seed, loss=LossConfig(name=loss, params=params), task=task)


def records_of(*configs: TrialConfig) -> list[TrialRecord]:
    """The trials run as one stack."""
    return list(run_trials(configs, attempts=[0] * len(configs)))
