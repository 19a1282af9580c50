"""How long the missing trials will take, from what the store has seen.

A trial's time is taken from finished trials of the same encoder, data and batch size; where there are none, from
all finished trials of the study, scaled by the images they see. Without any the estimate is None: no invention.
"""

import statistics
from collections import defaultdict
from collections.abc import Sequence

from study.plan import Plan
from study.spec.expand import PlannedTrial, TrialSet
from trainables.config import DiagnosticTask, SphereTask, Task, TrialConfig
from trainables.selection import rounds
from trainables.sphere import budget


def trial_steps(config: TrialConfig, trial_set: TrialSet) -> int:
    """Optimiser steps of a trial's whole budget."""
    return _steps(config.task, trial_set.task.images)


def _steps(task: Task, images: int) -> int:
    if isinstance(task, SphereTask):
        return budget.step_count(task)
    if isinstance(task, DiagnosticTask):
        return task.training.passes
    return rounds.step_count(task.training, task.selection, images)


def relative_cost(trial: PlannedTrial, train_images: int) -> float:
    """Work of a trial in arbitrary units: images seen, plus a step's fixed cost counted as so many images.

    Good for ordering and for splitting work evenly; a step of a small network costs as much as some 48 images.
    """
    training = trial.config.task.training
    return _steps(trial.config.task, train_images) * (training.batch_size + 48)


def seconds_by_trial(plan: Plan, trials: Sequence[PlannedTrial]) -> list[float] | None:
    """Expected seconds of each trial on one worker; None when the store holds no finished trial of the study."""
    known = _seconds_per_unit(plan)
    if not known:
        return None
    overall = statistics.fmean(known.values())
    images = plan.trial_set.task.images
    return [
        known.get(trial.config.task.training.batch_size, overall) * relative_cost(trial, images)
        for trial in trials
    ]


def _seconds_per_unit(plan: Plan) -> dict[int, float]:
    """Seconds a unit of relative cost, by batch size, over the finished trials of the plan."""
    columns = plan.records.table.select(["trial_id", "seconds_total", "status"]).to_pydict()
    seconds = {
        key: value
        for key, value, status in zip(*columns.values(), strict=True)
        if status == "ok" and value is not None
    }
    samples = defaultdict(list)
    for trial in plan.trials:
        if trial.keys.trial_id in seconds:
            unit = relative_cost(trial, plan.trial_set.task.images)
            samples[trial.config.task.training.batch_size].append(seconds[trial.keys.trial_id] / unit)
    return {size: statistics.median(values) for size, values in samples.items()}
