"""Stacks of one trial whose GPU share depends on the batch size alone."""

import dataclasses
from collections.abc import Sequence

from tests.trainables.tiny_trial import example
from trainables.config import TrialConfig
from trainables.work import Stack, WorkUnit


def sized(batch_size: int, **changes: object) -> TrialConfig:
    config = example()
    training = dataclasses.replace(config.task.training, batch_size=batch_size)
    task = dataclasses.replace(config.task, training=training, **changes)
    return dataclasses.replace(config, task=task)


def trial_id(batch_size: int, number: int) -> str:
    """A text of the form of a trial's id, as leases need it."""
    return f"{batch_size:04}{number:04}"


def stack(batch_size: int, number: int = 0) -> Stack:
    unit = WorkUnit(trial_id=trial_id(batch_size, number), attempt=0, config=sized(batch_size), title="0")
    return (unit,)


def by_size(stacks: Sequence[Stack]) -> list[float]:
    return [stacks_[0].config.task.training.batch_size / 256 for stacks_ in stacks]
