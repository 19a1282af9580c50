"""Evaluation of a frozen encoder on the splits of its data: features, metrics and probes.

The module also has the two measurements during training, for learning curves and early stopping.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import TrialConfig
from trainables.datasets.loaded import ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.corruptions import corrupted_copies
from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.probes.knn import MONITORED_IMAGES
from trainables.evaluation.representation import Layers, representation_metrics
from trainables.evaluation.suite import probe_columns
from trainables.loss_fields import LOSS_CARDS
from trainables.losses import LOSSES
from trainables.losses.analytic import AnalyticLoss
from trainables.metrics.effective_rank import effective_rank
from trainables.runtime import Diverged, Runtime
from trainables.streams import Stream, stream_generator
from trainables.training.member import Loss
from trainables.training.precision import matmul_precision
from trainables.training.trials import torch_images, views_of
from trainables.views.recipes import plain

#: Images per forward pass in evaluation. Fixed, because kernels may differ in the last bit between batch sizes.
_EVALUATION_BATCH = 512


def evaluate(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Iterator[dict[str, Any]]:
    """Yield record columns of a trained model in evaluation mode: first its metrics, then its probe accuracies.

    Products on a GPU have the precision of the training, as they have for the learning curves. Raises `Diverged` when
    an embedding is not finite.
    """
    stages, device = _stages(model, config, data, runtime), torch.device(runtime.device)
    precision = config.task.training.precision if device.type == "cuda" else "float32"
    while True:
        # Not around the whole loop: the caller may run other trials between two stages.
        with matmul_precision(precision, device):
            columns = next(stages, None)
        if columns is None:
            return
        yield columns


def _stages(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Iterator[dict[str, Any]]:
    layers = {name: _embed(model, split.images, plain, runtime) for name, split in data.splits.items()}
    if not all(layer.isfinite().all() for pair in layers.values() for layer in pair):
        raise Diverged("an embedding of the trained network was not finite")
    draw_pair = _pair_drawer(model, config, data, runtime)
    test_pair = draw_pair("test")  # before any other split, so that the metrics do not depend on the suite
    yield representation_metrics(layers["test"], *test_pair)

    @cache
    def pair(split: str) -> tuple[Layers, Layers]:
        return test_pair if split == "test" else draw_pair(split)

    def layer_of(split: str, layer: int) -> tuple[Tensor, Tensor]:
        view_a, view_b = pair(split)
        return view_a[layer], view_b[layer]

    def corrupted(split: str) -> Iterator[Tensor]:
        data_root, device = runtime.data_root, runtime.device
        for images in corrupted_copies(config.task, data, split, data_root=data_root, device=device):
            yield _embed(model, images, plain, runtime)[0]

    @cache
    def corrupted_views(split: str) -> tuple[Tensor, Tensor]:
        # A new generator per split, so that the order of the calls has no effect.
        draw = _drawer(model, config, data, runtime, Stream.CORRUPTED_VIEWS)
        copies = corrupted_copies(
            config.task, data, split, data_root=runtime.data_root, device=runtime.device
        )
        pairs = [(draw(images)[1], draw(images)[1]) for images in copies]
        z_a, z_b = (torch.stack(each) for each in zip(*pairs, strict=True))
        return z_a, z_b

    labelled = {
        name: Labelled(features=layers[name][0], labels=_labels(split.labels, runtime))
        for name, split in data.splits.items()
    }
    encoded = EncodedSplits(
        labelled=labelled,
        views=lambda split: layer_of(split, 0),
        corrupted=corrupted,
        projected_views=lambda split: layer_of(split, 1),
        corrupted_views=corrupted_views,
    )
    accuracies: dict[str, float] = {}
    for probe in config.task.probe.suite:
        yield {}  # other trials may train between two probes
        accuracies |= probe_columns(probe, config.task.probe, encoded, config.seed)
    yield accuracies


def monitor(
    model: ContrastiveModel, loss: Loss, config: TrialConfig, data: ImageData, runtime: Runtime
) -> dict[str, float]:
    """The metrics of one point of the learning curves, on the validation split. Training is not affected."""
    train, val, z = _embed_half_way(model, data, runtime)
    layers = {"h": val.features, "z": z}
    ranks = {name: effective_rank(F.normalize(layer, dim=1)) for name, layer in layers.items()}
    return {
        "val_knn_accuracy": knn_accuracy(train, val, k=config.task.probe.knn_k),
        **{f"{layer}_effective_rank": float(rank) for layer, rank in ranks.items()},
        **_information(model, loss, config, data, runtime),
    }


def _information(
    model: ContrastiveModel, loss: Loss, config: TrialConfig, data: ImageData, runtime: Runtime
) -> dict[str, float]:
    """The mutual information of two views of a validation image, for built-in losses that estimate it.

    The estimate is the mean over batches of M pairs. If there are fewer than M images, it uses one batch of all
    images. Every point of the curves uses the same views, drawn from a new generator.
    """
    if not isinstance(loss, AnalyticLoss) or LOSSES.get(loss.name) is not type(loss):
        return {}
    bound, images = LOSS_CARDS[loss.name].information, data.val.images
    pairs = min(config.task.training.batch_size, len(images))
    if bound is None or pairs < 2:
        return {}
    draw = _drawer(model.eval(), config, data, runtime, Stream.EVALUATION_VIEWS)
    z_a, z_b = (F.normalize(draw(images)[1], dim=1).split(pairs) for _ in range(2))
    model.train()
    whole = [(a, b) for a, b in zip(z_a, z_b, strict=True) if len(a) == pairs]
    values = [float(loss.per_anchor(a, b).double().mean()) for a, b in whole]
    return {"val_information": bound.estimate(fmean(values), pairs)}


def validation_score(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> float:
    """The score for early stopping: the nearest-neighbour accuracy of the learning curves on the validation split.

    NaN when an embedding is not finite. Training is not affected.
    """
    train, val, _ = _embed_half_way(model, data, runtime)
    if not (train.features.isfinite().all() and val.features.isfinite().all()):
        return math.nan
    return knn_accuracy(train, val, k=config.task.probe.knn_k)


def _embed_half_way(
    model: ContrastiveModel, data: ImageData, runtime: Runtime
) -> tuple[Labelled, Labelled, Tensor]:
    """`h` of part of the training split, and `h` and `z` of the validation split, for a model in training."""
    model.eval()
    train_h, _ = _embed(model, data.train.images[:MONITORED_IMAGES], plain, runtime)
    h, z = _embed(model, data.val.images, plain, runtime)
    model.train()
    train = Labelled(features=train_h, labels=_labels(data.train.labels[:MONITORED_IMAGES], runtime))
    return train, Labelled(features=h, labels=_labels(data.val.labels, runtime)), z


def _pair_drawer(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Callable[[str], tuple[Layers, Layers]]:
    """A function that returns both layers of two views of each image of a split. Every call draws new views."""
    draw = _drawer(model, config, data, runtime, Stream.EVALUATION_VIEWS)
    return lambda split: (draw(data.splits[split].images), draw(data.splits[split].images))


def _drawer(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime, stream: Stream
) -> Callable[[np.ndarray], Layers]:
    """A function that returns both layers of one view of each image, drawn from a new generator for `stream`."""
    views = views_of(config.task, data)
    randomness = stream_generator(config.seed, stream, runtime.device)
    return lambda images: _embed(model, images, lambda part: views(part, randomness), runtime)


def _labels(labels: np.ndarray, runtime: Runtime) -> Tensor:
    return torch.tensor(labels, device=runtime.device)


@torch.no_grad()
def _embed(
    model: ContrastiveModel, images: np.ndarray, prepare: Callable[[Tensor], Tensor], runtime: Runtime
) -> Layers:
    """`h (N, h_dim)` and `z (N, d)` of uint8 images `(N, C, H, W)`, float32 on the device."""
    parts = [
        model(prepare(part.to(runtime.device))) for part in torch_images(images).split(_EVALUATION_BATCH)
    ]
    h, z = (torch.cat(column).float() for column in zip(*parts, strict=True))
    return h, z
