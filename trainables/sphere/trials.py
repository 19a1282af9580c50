"""The task `sphere`: train free embeddings with a loss, then measure their final configuration."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from trainables.config import SphereTask, TrialConfig
from trainables.losses import build_loss
from trainables.metrics.alignment import alignment
from trainables.metrics.embedding import embedding_metrics
from trainables.runtime import Diverged, Runtime
from trainables.sphere.budget import pairs_a_step, step_count
from trainables.sphere.curves import GapCurves, due_steps, write_embeddings
from trainables.sphere.gram import gram_distance
from trainables.sphere.known import ideal_name
from trainables.sphere.optimum import full_loss, optimum_loss
from trainables.sphere.training import Trained, train
from trainables.training.curves import write_curves
from trainables.training.member import Report
from trainables.training.trials import pretrain_id

Columns = Iterator[dict[str, Any]]


def run_sphere(configs: Sequence[TrialConfig], runtime: Runtime, report: Report) -> list[Columns]:
    """Train trials of equal shapes as one, then measure each.

    Returns an iterator for each trial. It yields the trial's record columns stage by stage, and raises `Diverged` if
    the trial ends early.
    """
    started = time.perf_counter()
    curves = _curves(configs, runtime)
    trained = train(configs, runtime.device, report, curves)
    _leave(configs, trained, curves, runtime)
    seconds = (time.perf_counter() - started) / len(configs)
    return [_columns(config, trained, index, seconds) for index, config in enumerate(configs)]


def _curves(configs: Sequence[TrialConfig], runtime: Runtime) -> GapCurves | None:
    if runtime.curve_points is None or runtime.artefacts is None:
        return None
    return GapCurves(configs=configs, due=due_steps(step_count(configs[0].task), runtime.curve_points))


def _leave(
    configs: Sequence[TrialConfig], trained: Trained, curves: GapCurves | None, runtime: Runtime
) -> None:
    """Write the curves and the embeddings that are kept in files."""
    if runtime.artefacts is None:
        return
    ids = [pretrain_id(config, "") for config in configs]
    if curves:
        write_curves(curves.rows, ids, runtime.artefacts)
    if runtime.keep_embeddings:
        write_embeddings(trained.z, ids, runtime.artefacts)


def _columns(config: TrialConfig, trained: Trained, index: int, seconds: float) -> Columns:
    started, done = time.perf_counter(), int(trained.steps_done[index])
    ended = done == trained.steps_planned
    yield {
        "train_loss_first": float(trained.first[index]) if done else None,
        "train_loss_last": float(trained.last[index]) if ended else None,
        "steps_planned": trained.steps_planned,
        "steps_done": done,
        "samples_seen": done * pairs_a_step(config.task),
        "samples_selection": trained.samples_selection,
        "seconds_pretrain": seconds,
        "seconds_selection": trained.seconds_selection / len(trained.first),
    }
    if not ended:
        raise Diverged(f"the loss was not finite at step {done + 1} of {trained.steps_planned}")
    if not bool((trained.z[index].norm(dim=-1) > 0.5).all()):  # the norm is 1 unless the length overflowed
        raise Diverged("the length of an embedding was not finite after the last step")
    yield configuration_columns(config, *trained.z[index])
    yield {"seconds_evaluate": time.perf_counter() - started}


def configuration_columns(config: TrialConfig, z_a: Tensor, z_b: Tensor) -> dict[str, Any]:
    """Record columns of unit-norm embeddings `(N, d)`. Columns `z_*` except `z_alignment` are for the first view."""
    task: SphereTask = config.task
    loss = build_loss(config.loss.name, **config.loss.params)
    value, least = full_loss(loss, z_a, z_b), optimum_loss(config.loss, task.n_pairs, task.dim)
    return {
        "train_loss_full": value,
        "optimum_loss": least,
        "optimum_gap": None if least is None else value - least,
        "ideal": ideal_name(task.n_pairs, task.dim),
        "gram_distance": gram_distance(z_a, z_b),
        "z_dim": task.dim,
        "z_alignment": alignment(z_a, z_b),
        **{f"z_{name}": value for name, value in embedding_metrics(z_a).items()},
    }


def shorten_sphere(task: SphereTask, steps: int, batch_size: int | None) -> SphereTask:
    """The same training with a few steps, for timing."""
    size = batch_size or task.training.batch_size
    training = dataclasses.replace(task.training, steps=steps, samples=None, batch_size=size)
    return dataclasses.replace(task, training=training)
