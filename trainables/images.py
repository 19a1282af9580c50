"""The task `images`: pre-train on one data set, then probe and measure the frozen encoder on it.

A generator of facts: each stage yields the record columns that it settled, so that a trial that diverges or
crashes leaves what was known up to then.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.config import ImagesTask, TrialConfig
from trainables.datasets.catalogue import ImageData, load_dataset
from trainables.encoders.catalogue import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.linear_probe import probe_accuracies
from trainables.losses import build_loss
from trainables.pretrain import PretrainFacts, Report, pretrain
from trainables.representation import Layers, representation_metrics
from trainables.runtime import Diverged, Runtime
from trainables.streams import Stream, stream_generator
from trainables.views.catalogue import build_views, plain

#: Images a forward pass of evaluation; fixed, since kernels may differ in the last bit between batch sizes.
_EVALUATION_BATCH = 512


def run_images(config: TrialConfig, runtime: Runtime, report: Report) -> Iterator[dict[str, Any]]:
    """Pre-train and evaluate; yields record columns stage by stage. Raises `Diverged`."""
    data = load_dataset(config.task.data, runtime.data_root)
    started = time.perf_counter()
    model, facts = pretrain_model(config, data, runtime, report)
    known = vars(facts) | {"seconds_pretrain": time.perf_counter() - started}
    diverged = known.pop("diverged")
    yield known
    if diverged:
        raise Diverged(f"the loss was not finite at step {facts.steps_done + 1} of {facts.steps_planned}")
    started = time.perf_counter()
    yield from _evaluate(model.eval(), config, data, runtime)
    yield {"seconds_evaluate": time.perf_counter() - started}


def image_columns(task: ImagesTask) -> dict[str, Any]:
    """The record columns that a task's config fills."""
    training = task.training
    return {
        "data": task.data.name,
        "encoder": task.encoder.name,
        "views": task.views,
        "views_form": task.views_form,
        "hp_batch_size": training.batch_size,
        "hp_lr": training.lr,
        "hp_lr_rule": training.lr_rule,
        "hp_epochs": training.epochs,
        "hp_steps": training.steps,
        "hp_samples": training.samples,
        "hp_optimizer": training.optimizer,
        "hp_weight_decay": training.weight_decay,
        "hp_momentum": training.momentum,
        "hp_warmup_fraction": training.warmup_fraction,
        "hp_precision": training.precision,
    }


def pretrain_model(
    config: TrialConfig, data: ImageData, runtime: Runtime, report: Report
) -> tuple[ContrastiveModel, PretrainFacts]:
    """A model initialised and trained as `config` says, on the training split of `data`."""
    task: ImagesTask = config.task
    initialisation = stream_generator(config.seed, Stream.INITIALISATION)
    model = build_model(task.encoder, **_shape(data), seed_generator=initialisation).to(runtime.device)
    facts = pretrain(
        model,
        _on(data.pretraining, runtime),
        build_loss(config.loss.name, **config.loss.params),
        build_views(task.views, **_shape(data)),
        task.training,
        order=stream_generator(config.seed, Stream.BATCH_ORDER),
        view_randomness=stream_generator(config.seed, Stream.VIEWS, runtime.device),
        report=report,
    )
    return model, facts


def _evaluate(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Iterator[dict[str, Any]]:
    layers = {name: _embed(model, split.images, plain, runtime) for name, split in data.splits.items()}
    if not all(layer.isfinite().all() for pair in layers.values() for layer in pair):
        raise Diverged("an embedding of the trained network was not finite")
    labelled = {name: (layers[name][0].numpy(), split.labels) for name, split in data.splits.items()}
    yield probe_accuracies(config.task.probe, labelled["train"], labelled["val"], labelled["test"])
    views = build_views(config.task.views, **_shape(data))
    randomness = stream_generator(config.seed, Stream.EVALUATION_VIEWS, runtime.device)
    pair = [_embed(model, data.test.images, lambda part: views(part, randomness), runtime) for _ in range(2)]
    yield representation_metrics(layers["test"], *pair)


def _shape(data: ImageData) -> dict[str, int]:
    return {"channels": data.info.channels, "size": data.info.size}


def _on(images: np.ndarray, runtime: Runtime) -> Tensor:
    return torch.from_numpy(images).to(runtime.device)


@torch.no_grad()
def _embed(
    model: ContrastiveModel, images: np.ndarray, prepare: Callable[[Tensor], Tensor], runtime: Runtime
) -> Layers:
    """`h (N, h_dim)` and `z (N, d)` of uint8 images `(N, C, H, W)`, float32 on the CPU."""
    parts = [model(prepare(part)) for part in _on(images, runtime).split(_EVALUATION_BATCH)]
    h, z = (torch.cat(column).float().cpu() for column in zip(*parts, strict=True))
    return h, z
