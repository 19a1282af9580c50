"""The task `diagnostic`: measures a population of pairs without training."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

from trainables.config import DiagnosticTask, TrialConfig
from trainables.diagnostics.batches import batch_statistics
from trainables.diagnostics.population import population
from trainables.diagnostics.precision import precision_statistics
from trainables.losses import build_loss
from trainables.metrics.alignment import alignment
from trainables.metrics.embedding import embedding_metrics
from trainables.runtime import Diverged, Runtime
from trainables.sphere.optimum import full_loss
from trainables.training.member import Report

Columns = Iterator[dict[str, Any]]


def run_diagnostic(configs: Sequence[TrialConfig], runtime: Runtime, report: Report) -> list[Columns]:
    """Measure each trial. This runs on the CPU, since the reference values need float64."""
    return [_columns(config, report) for config in configs]


def _columns(config: TrialConfig, report: Report) -> Columns:
    started = time.perf_counter()
    yield {"samples_seen": config.task.n_pairs}
    found = _MEASURES[config.task.measure](config, report)
    yield found | {"seconds_evaluate": time.perf_counter() - started}


def _batches(config: TrialConfig, report: Report) -> dict[str, Any]:
    """The statistics of batches. Raises `Diverged` if a gradient is not finite, for example at a kernel's pole."""
    task, done = config.task, 0

    def notice(value: float) -> None:
        nonlocal done
        done += 1
        report({"step": done, "steps": task.training.passes, "loss": value})

    loss = build_loss(config.loss.name, **config.loss.params)
    found = batch_statistics(task, loss, config.seed, notice)
    if any(value != value for value in found.values()):
        raise Diverged("a loss or a gradient was not finite")
    return found


def _precision(config: TrialConfig, report: Report) -> dict[str, Any]:
    loss = build_loss(config.loss.name, **config.loss.params)
    return precision_statistics(config.task, config.loss.name == "flatnce", loss.temperature, config.seed)


def _points(config: TrialConfig, report: Report) -> dict[str, Any]:
    z_a, z_b = population(config.task, config.seed)
    loss = build_loss(config.loss.name, **config.loss.params)
    return {
        "loss_population": full_loss(loss, z_a, z_b),
        "z_dim": config.task.dim,
        "z_alignment": alignment(z_a, z_b),
        **{f"z_{name}": value for name, value in embedding_metrics(z_a).items()},
    }


_MEASURES = {"batches": _batches, "precision": _precision, "points": _points}


def shorten_diagnostic(task: DiagnosticTask, steps: int, batch_size: int | None) -> DiagnosticTask:
    """The same measures with another batch size, for timing. `steps` is not used, since there is no training."""
    size = batch_size or task.training.batch_size
    return dataclasses.replace(task, training=dataclasses.replace(task.training, batch_size=size))
