"""The task `images`: pre-train on one data set, then probe and measure the frozen encoder on it.

A generator of facts: each stage yields the record columns that it settled, so that a trial that diverges or
crashes leaves what was known up to then.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from trainables.config import TrialConfig
from trainables.datasets.datasets import load_dataset
from trainables.datasets.loaded import ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.corruptions import check_corruptions
from trainables.evaluation.evaluate import evaluate, monitor, validation_score
from trainables.runtime import Diverged, Pruned, Runtime
from trainables.training.member import PretrainFacts, Report
from trainables.training.trials import pretrain_trials

Columns = Iterator[dict[str, Any]]


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
