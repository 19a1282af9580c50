"""The task `images`: pre-train on one data set, then evaluate the frozen encoder on the same data set.

Trials run as generators: each stage yields the record columns that it has determined. So a trial that diverges or
crashes keeps the columns of the stages before. `trainables.trial` uses this module.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

from trainables.config import ImagesTask, SelectionConfig, TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.datasets.loaded import DatasetInfo, ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.corruptions import check_corruptions
from trainables.evaluation.evaluate import epoch_score, evaluate, monitor, validation_score
from trainables.evaluation.probes import PROBES
from trainables.runtime import Diverged, Pruned, Runtime
from trainables.selection.rounds import relative_step_cost
from trainables.training.member import PretrainFacts, Report
from trainables.training.trials import pretrain_trials
from trainables.trial_clock import trial_seconds
from trainables.turns import Columns, Turns

#: Numbers of training images for timing the evaluation: the smallest subset, which is always timed, and the largest.
_FEW_EVALUATED, _EVALUATED = 250, 2000


def run_images(configs: Sequence[TrialConfig], runtime: Runtime, report: Report) -> Turns[list[Columns]]:
    """Pre-train trials of equal shapes, several of them as one network, then evaluate each. A step is a turn.

    Returns an iterator for each trial. It yields the trial's record columns stage by stage, and raises `Diverged` or
    `Pruned` if the trial ends early.
    """
    data = load_dataset(configs[0].task.data, runtime.data_root)
    check_corruptions(configs[0].task, data.info, runtime.data_root)
    chooses_epoch = configs[0].task.training.epoch_split is not None
    trained = yield from pretrain_trials(
        configs,
        data,
        runtime,
        lambda model, loss: monitor(model, loss, configs[0], data, runtime),
        report,
        score=lambda model: validation_score(model, configs[0], data, runtime),
        epoch_score=(lambda model: epoch_score(model, configs[0], data, runtime)) if chooses_epoch else None,
    )
    return [
        _columns(config, model, facts, data, runtime)
        for config, (model, facts) in zip(configs, trained, strict=True)
    ]


def _columns(
    config: TrialConfig, model: ContrastiveModel, facts: PretrainFacts, data: ImageData, runtime: Runtime
) -> Columns:
    known = dict(vars(facts))
    diverged, stop = known.pop("diverged"), known.pop("stop")
    yield known
    if stop:
        yield {"pruned_by": stop.search, "rung": stop.rung, "rung_score": stop.score}
        raise Pruned(stop.reason)
    if diverged:
        raise Diverged(f"the loss was not finite at step {facts.steps_done + 1} of {facts.steps_planned}")
    started = trial_seconds()
    yield from evaluate(model.eval(), config, data, runtime)
    yield {"seconds_evaluate": trial_seconds() - started}


def shorten_images(task: ImagesTask, steps: int, batch_size: int | None) -> ImagesTask:
    """The same training with a few steps of shuffled batches, for timing.

    Other selections may embed the whole data set before the first step, which can take minutes. So may the choice of
    an epoch, after the last step.
    """
    size = batch_size or task.training.batch_size
    training = dataclasses.replace(
        task.training, steps=steps, epochs=None, samples=None, batch_size=size, evaluated_epoch="last"
    )
    return dataclasses.replace(task, training=training, selection=SelectionConfig())


def images_step_work(task: ImagesTask, runtime: Runtime) -> float:
    """The work of a step relative to a step with shuffled batches.

    It includes the step's share of the batch selection. If an accuracy chooses the evaluated epoch, it also includes
    the step's share of measuring that accuracy.
    """
    info, training = load_dataset(task.data, runtime.data_root).info, task.training
    work = relative_step_cost(task.selection, info.n_pretraining, training.batch_size)
    if training.epoch_split is None:
        return work
    embedded = info.n_train + {"val": info.n_val, "test": info.n_test}[training.epoch_split]
    # A step passes two views of each pair, and a pass without gradient counts as a third.
    return work + embedded / (2 * training.batch_size) / 3 / training.epoch_steps(info.n_pretraining)


def images_evaluation_parts(task: ImagesTask, runtime: Runtime) -> list[tuple[float, ImagesTask]]:
    """Fractions of the images for timing the evaluation, each with its task.

    Each fraction is twice the previous one, or 1. The first has enough labels for every probe. Probes that draw new
    crops in every epoch use stored features here; `images_repeated_evaluation` has the rest of their work.
    """
    stored = dataclasses.replace(task.probe, sgd_augment=False, adam_augment=False)
    task = dataclasses.replace(task, probe=stored)
    info = load_dataset(task.data, runtime.data_root).info
    labels = len(info.classes) * max(PROBES[probe].labels_a_class for probe in task.probe.suite)
    first, most = (max(images, 2.2 * labels) / info.n_train for images in (_FEW_EVALUATED, _EVALUATED))
    parts = [first * 2**power for power in range(32) if first * 2**power <= max(first, min(most, 0.5))]
    if most >= 1 and first <= 0.5:
        parts.append(1.0)
    elif first >= 1:
        parts = [1.0]
    return [(part, _part_of(task, part, info) if part < 1 else task) for part in parts]


def images_repeated_evaluation(
    task: ImagesTask, runtime: Runtime
) -> tuple[Callable[[int], ImagesTask], float] | None:
    """How long epochs of new crops take: a task with any number of them, and how many of these the trial has.

    None if no probe draws new crops. The task has few images, because such an epoch is slow.
    """
    epochs = {
        name: count for name in task.probe.suite if (count := PROBES[name].augmented_epochs(task.probe))
    }
    if not epochs:
        return None
    part, smallest = images_evaluation_parts(task, runtime)[0]

    def with_epochs(number: int) -> ImagesTask:
        probe = dataclasses.replace(task.probe, suite=tuple(epochs), sgd_epochs=number, adam_epochs=number)
        return dataclasses.replace(smallest, probe=probe)

    return with_epochs, sum(epochs.values()) / len(epochs) / part


def _part_of(task: ImagesTask, part: float, info: DatasetInfo) -> ImagesTask:
    train, test = int(part * info.n_train), math.ceil(part * info.n_test)
    return dataclasses.replace(task, data=dataclasses.replace(task.data, train_limit=train, test_limit=test))
