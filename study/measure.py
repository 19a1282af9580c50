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
from study.plan import Plan

if TYPE_CHECKING:
    from trainables.runtime import Runtime

_STEPS = 12
_ENOUGH_SECONDS = 3.0
_LARGEST_TIMED_BATCH = 64


class _EnoughError(Exception):
    """Ends pre-training once enough steps are timed."""


def measure_seconds(plan: Plan, trials: Sequence[PlannedTrial], runtime: "Runtime") -> list[float] | None:
    """Expected seconds of each trial on one worker, pre-training alone; None when the steps fail or diverge."""
    import torch

    torch.set_num_threads(runtime.threads)  # as workers do
    seconds_a_step: dict[int, float] = {}
    for trial in trials:
        size = trial.config.task.training.batch_size
        try:
            if size not in seconds_a_step:
                seconds_a_step[size] = _time_step(trial, runtime)
        except Exception:  # whatever it is, the trial itself will record it
            return None
    images = plan.expansion.data.n_pretraining
    trainings = [trial.config.task.training for trial in trials]
    return [seconds_a_step[training.batch_size] * training.step_count(images) for training in trainings]


def _time_step(trial: PlannedTrial, runtime: "Runtime") -> float:
    """Seconds of a step: the median, since the first ones load what later ones have."""
    from trainables.datasets.catalogue import load_dataset
    from trainables.images import pretrain_model

    task = trial.config.task
    timed = min(task.training.batch_size, _LARGEST_TIMED_BATCH)
    training = dataclasses.replace(task.training, batch_size=timed, epochs=None, steps=_STEPS + 1)
    config = dataclasses.replace(trial.config, task=dataclasses.replace(task, training=training))
    stamps: list[float] = []

    def stamp(_: object) -> None:
        stamps.append(time.perf_counter())
        if len(stamps) > 1 and stamps[-1] - stamps[0] > _ENOUGH_SECONDS:
            raise _EnoughError

    with suppress(_EnoughError):
        pretrain_model(config, load_dataset(task.data, runtime.data_root), runtime, stamp)
    return statistics.median(np.diff(stamps)) * task.training.batch_size / timed
