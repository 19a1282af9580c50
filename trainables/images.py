"""The task `images`: pre-train on one data set, then probe and measure the frozen encoder on it.

A generator of facts: each stage yields the record columns that it settled, so that a trial that diverges or
crashes leaves what was known up to then.
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from trainables.config import ImagesTask, SelectionConfig, TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.datasets.loaded import DatasetInfo, ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.corruptions import check_corruptions
from trainables.evaluation.evaluate import evaluate, monitor, validation_score
from trainables.evaluation.probes import PROBES
from trainables.runtime import Diverged, Pruned, Runtime
from trainables.selection.rounds import relative_step_cost
from trainables.training.member import PretrainFacts, Report
from trainables.training.trials import pretrain_trials

Columns = Iterator[dict[str, Any]]

#: Training images on which evaluation is timed whatever it costs, and on which it is timed where there are more.
_FEW_EVALUATED, _EVALUATED = 250, 2000


def run_images(configs: Sequence[TrialConfig], runtime: Runtime, report: Report) -> list[Columns]:
    """Pre-train trials of equal shapes, as one network where there are several, then evaluate each.

    The result yields each trial's record columns stage by stage, and raises `Diverged` or `Pruned` where it ends
    early.
    """
    data = load_dataset(configs[0].task.data, runtime.data_root)
    check_corruptions(configs[0].task, data.info, runtime.data_root)
    trained = pretrain_trials(
        configs,
        data,
        runtime,
        lambda model, loss: monitor(model, loss, configs[0], data, runtime),
        report,
        score=lambda model: validation_score(model, configs[0], data, runtime),
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
    started = time.perf_counter()
    yield from evaluate(model.eval(), config, data, runtime)
    yield {"seconds_evaluate": time.perf_counter() - started}


def shorten_images(task: ImagesTask, steps: int, batch_size: int | None) -> ImagesTask:
    """The same training over a few steps of shuffled batches, for timing.

    Other selections may embed the whole data set before the first step, which alone would take minutes.
    """
    size = batch_size or task.training.batch_size
    training = dataclasses.replace(task.training, steps=steps, epochs=None, samples=None, batch_size=size)
    return dataclasses.replace(task, training=training, selection=SelectionConfig())


def images_step_work(task: ImagesTask, runtime: Runtime) -> float:
    """Work of a step, with its share of choosing batches, over the work of a step on shuffled batches."""
    images = load_dataset(task.data, runtime.data_root).info.n_pretraining
    return relative_step_cost(task.selection, images, task.training.batch_size)


def images_evaluation_parts(task: ImagesTask, runtime: Runtime) -> list[tuple[float, ImagesTask]]:
    """Parts of the images to time the evaluation on, each twice the one before or all of them.

    The first has the labels that every probe needs.
    """
    info = load_dataset(task.data, runtime.data_root).info
    labels = len(info.classes) * max(PROBES[probe].labels_a_class for probe in task.probe.suite)
    first, most = (max(images, 2.2 * labels) / info.n_train for images in (_FEW_EVALUATED, _EVALUATED))
    parts = [first * 2**power for power in range(32) if first * 2**power <= max(first, min(most, 0.5))]
    if most >= 1 and first <= 0.5:
        parts.append(1.0)
    elif first >= 1:
        parts = [1.0]
    return [(part, _part_of(task, part, info) if part < 1 else task) for part in parts]


def _part_of(task: ImagesTask, part: float, info: DatasetInfo) -> ImagesTask:
    train, test = int(part * info.n_train), math.ceil(part * info.n_test)
    return dataclasses.replace(task, data=dataclasses.replace(task.data, train_limit=train, test_limit=test))
