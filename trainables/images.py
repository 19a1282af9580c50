"""The task `images`: pre-train on one data set, then probe and measure the frozen encoder on it.

A generator of facts: each stage yields the record columns that it settled, so that a trial that diverges or
crashes leaves what was known up to then.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import ImagesTask, TrialConfig
from trainables.datasets.catalogue import ImageData, load_dataset
from trainables.encoders.catalogue import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.linear_probe import probe_accuracies
from trainables.losses import build_loss
from trainables.metrics.alignment import alignment
from trainables.metrics.effective_rank import effective_rank
from trainables.metrics.uniformity import uniformity
from trainables.metrics.wasserstein_uniformity import wasserstein_uniformity
from trainables.pretrain import PretrainFacts, Report, pretrain
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
    features = {name: _embed(model, plain(_on(split.images, runtime))) for name, split in data.splits.items()}
    if not all(torch.isfinite(part).all() for pair in features.values() for part in pair):
        raise Diverged("an embedding of the trained network was not finite")
    labelled = {name: (features[name][0].numpy(), split.labels) for name, split in data.splits.items()}
    yield probe_accuracies(config.task.probe, labelled["train"], labelled["val"], labelled["test"])
    views = build_views(config.task.views, **_shape(data))
    randomness = stream_generator(config.seed, Stream.EVALUATION_VIEWS, runtime.device)
    test = _on(data.test.images, runtime)
    yield _representation(features["test"], *(_embed(model, views(test, randomness)) for _ in range(2)))


def _shape(data: ImageData) -> dict[str, int]:
    return {"channels": data.info.channels, "size": data.info.size}


def _on(images: np.ndarray, runtime: Runtime) -> Tensor:
    return torch.from_numpy(images).to(runtime.device)


@torch.no_grad()
def _embed(model: ContrastiveModel, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """`h (N, h_dim)` and unit-norm `z (N, d)`, float32 on the CPU."""
    parts = [model(part) for part in inputs.split(_EVALUATION_BATCH)]
    h, z = (torch.cat(column).float().cpu() for column in zip(*parts, strict=True))
    return h, F.normalize(z, dim=1)


def _representation(
    clean: tuple[Tensor, Tensor], view_a: tuple[Tensor, Tensor], view_b: tuple[Tensor, Tensor]
) -> dict[str, float]:
    """Metrics of h and z, both unit-norm: alignment between two views, the rest on the clean test images."""
    columns: dict[str, float] = {}
    for name, points, a, b in zip(("h", "z"), clean, view_a, view_b, strict=True):
        unit = F.normalize(points, dim=1)
        columns[f"{name}_alignment"] = float(alignment(F.normalize(a, dim=1), F.normalize(b, dim=1)))
        columns[f"{name}_uniformity"] = float(uniformity(unit))
        columns[f"{name}_wasserstein_uniformity"] = float(wasserstein_uniformity(unit))
        columns[f"{name}_effective_rank"] = float(effective_rank(unit))
        columns[f"{name}_dim"] = points.shape[1]
    return columns
