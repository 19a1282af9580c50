"""Prices a study that nothing is known of: a few real steps of each batch size, timed in this process.

Large batches are timed on fewer images and scaled up, so that a price never costs minutes itself.
"""

import dataclasses
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from study.expand import PlannedTrial
from study.packs import stack_key, stack_limit
from study.plan import Plan
from trainables.config import TrialConfig

if TYPE_CHECKING:
    from trainables.runtime import Runtime
    from trainables.work import Workshop

_STEPS = 12
_ENOUGH_SECONDS = 3.0
_LARGEST_TIMED_BATCH = 64


class _EnoughError(Exception):
    """Ends pre-training once enough steps are timed."""


def measure_seconds(plan: Plan, trials: Sequence[PlannedTrial], workshop: "Workshop") -> list[float] | None:
    """Expected seconds of each trial on one worker, pre-training alone; None when the steps fail or diverge."""
    import torch

    torch.set_num_threads(workshop.runtime.threads)  # as workers do
    seconds_a_step: dict[int, float] = {}
    for trial in trials:
        size = trial.config.task.training.batch_size
        try:
            if size not in seconds_a_step:
                alike = _stack_of(trial, trials, plan) if workshop.stacked else [trial]
                seconds_a_step[size] = _time_step(alike, workshop.runtime)
        except Exception:  # whatever it is, the trial itself will record it
            return None
    images = plan.expansion.data.n_pretraining
    trainings = [trial.config.task.training for trial in trials]
    return [seconds_a_step[training.batch_size] * training.step_count(images) for training in trainings]


def _stack_of(trial: PlannedTrial, trials: Sequence[PlannedTrial], plan: Plan) -> list[PlannedTrial]:
    """Trials that would be trained in one stack with `trial`."""
    key, limit = stack_key(trial.config), stack_limit(trial.config.task, plan.expansion.data.size**2)
    return [other for other in trials if stack_key(other.config) == key][:limit]


def _time_step(stack: Sequence[PlannedTrial], runtime: "Runtime") -> float:
    """Seconds of a step and trial: the median, since the first ones load what later ones have."""
    from trainables.datasets.catalogue import load_dataset
    from trainables.training.trials import pretrain_trials

    task = stack[0].config.task
    timed = min(task.training.batch_size, _LARGEST_TIMED_BATCH)
    stamps: list[float] = []

    def stamp(_: object) -> None:
        stamps.append(time.perf_counter())
        if len(stamps) > 1 and stamps[-1] - stamps[0] > _ENOUGH_SECONDS:
            raise _EnoughError

    data = load_dataset(task.data, runtime.data_root)
    runtime = dataclasses.replace(runtime, artefacts=None)
    with suppress(_EnoughError):
        pretrain_trials([_short(trial.config, timed) for trial in stack], data, runtime, lambda _: {}, stamp)
    seconds = statistics.median(np.diff(stamps)) / len(stack)
    return seconds * task.training.batch_size / timed


def _short(config: TrialConfig, batch_size: int) -> TrialConfig:
    """The same trial over a few steps of a small batch."""
    training = dataclasses.replace(
        config.task.training, batch_size=batch_size, epochs=None, samples=None, steps=_STEPS + 1
    )
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))
