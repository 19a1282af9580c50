"""Chooses the trials of a study that a bench measures: one loss at each batch size, unstacked and stacked."""

import dataclasses
from collections.abc import Sequence

from study.errors import StudyError
from study.launch.scheduling import stack_key
from study.spec.expand import TrialSet
from study.spec.tasks.protocol import StudyTask
from trainables.config import TrialConfig

#: Trials that are trained as one stack.
Row = list[TrialConfig]


def bench_rows(
    trial_set: TrialSet, loss: str | None, batch_sizes: Sequence[int], *, stacked: bool
) -> list[Row]:
    """For every batch size the first trial of the loss and, with `stacked`, the stack that a worker would train.

    `loss` is a label of the study; None means its first label. An empty `batch_sizes` means the study's own batch
    sizes. Raises `StudyError` for a label that the study does not have, and for a batch size above the number of
    training images.
    """
    configs = _configs_of(trial_set, loss)
    own = list(dict.fromkeys(config.task.training.batch_size for config in configs))
    rows: list[Row] = []
    for size in dict.fromkeys(batch_sizes) or own:
        _check_size(size, trial_set)
        alike = _alike([_resized(config, size) for config in configs], trial_set.task)
        rows.append(alike[:1])
        if stacked and len(alike) > 1:
            rows.append(alike)
    return rows


def _configs_of(trial_set: TrialSet, loss: str | None) -> list[TrialConfig]:
    labels = [arm.label for arm in trial_set.arms]
    if loss is not None and loss not in labels:
        raise StudyError(f"--loss: got '{loss}', must be one of {', '.join(labels)}")
    return [trial.config for trial in trial_set.trials if trial.arm == (loss or labels[0])]


def _check_size(size: int, trial_set: TrialSet) -> None:
    images = trial_set.data.n_pretraining
    if size > images:
        raise StudyError(
            f"--batch-size: got {size}, must be at most {images}, the training images of {trial_set.data.name}"
        )


def _resized(config: TrialConfig, batch_size: int) -> TrialConfig:
    training = dataclasses.replace(config.task.training, batch_size=batch_size)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))


def _alike(configs: Sequence[TrialConfig], task: StudyTask) -> Row:
    """Different trials that can be stacked with the first one, up to the largest useful stack."""
    key, limit = stack_key(configs[0]), task.stack_limit(configs[0].task)
    alike = {repr(config): config for config in configs if stack_key(config) == key}
    return list(alike.values())[:limit]
