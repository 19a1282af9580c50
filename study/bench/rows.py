"""Which trials of a study a bench measures: those of one loss at each batch size, alone and as they are stacked."""

import dataclasses
from collections.abc import Sequence

from study.errors import StudyError
from study.launch.stacks import stack_key, stack_limit
from study.spec.expand import Expansion
from trainables.config import TrialConfig

#: Trials that are trained as one.
Row = list[TrialConfig]


def bench_rows(
    expansion: Expansion, loss: str | None, batch_sizes: Sequence[int], *, stacked: bool
) -> list[Row]:
    """For every batch size the first trial of the loss and, with `stacked`, the trials a worker would stack it with.

    `loss` is a label of the study, None for its first; no batch sizes means the study's own. Raises
    `StudyError` for a label that the study has not, and a batch size above the images.
    """
    configs = _configs_of(expansion, loss)
    own = list(dict.fromkeys(config.task.training.batch_size for config in configs))
    rows: list[Row] = []
    for size in dict.fromkeys(batch_sizes) or own:
        _check_size(size, expansion)
        alike = _alike([_resized(config, size) for config in configs], expansion.data.size**2)
        rows.append(alike[:1])
        if stacked and len(alike) > 1:
            rows.append(alike)
    return rows


def _configs_of(expansion: Expansion, loss: str | None) -> list[TrialConfig]:
    labels = [arm.label for arm in expansion.arms]
    if loss is not None and loss not in labels:
        raise StudyError(f"--loss: got '{loss}', must be one of {', '.join(labels)}")
    return [trial.config for trial in expansion.trials if trial.arm == (loss or labels[0])]


def _check_size(size: int, expansion: Expansion) -> None:
    images = expansion.data.n_pretraining
    if size > images:
        raise StudyError(
            f"--batch-size: got {size}, must be at most {images}, the training images of {expansion.data.name}"
        )


def _resized(config: TrialConfig, batch_size: int) -> TrialConfig:
    training = dataclasses.replace(config.task.training, batch_size=batch_size)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))


def _alike(configs: Sequence[TrialConfig], pixels: int) -> Row:
    """Different trials that can be trained as one with the first, as many as are worth it."""
    key, limit = stack_key(configs[0]), stack_limit(configs[0].task, pixels)
    alike = {repr(config): config for config in configs if stack_key(config) == key}
    return list(alike.values())[:limit]
