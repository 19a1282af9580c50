"""Evaluation of a frozen encoder on the splits of its data: features, metrics and probes.

The module also has the measurements during training: for learning curves, for early stopping, and for the choice of
the epoch that is evaluated.
"""

import dataclasses
import math
from collections.abc import Callable, Generator, Iterator
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import TrialConfig
from trainables.copies import copy_ahead
from trainables.datasets.loaded import ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.corruptions import corrupted_copies
from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.probes.knn import MONITORED_IMAGES
from trainables.evaluation.representation import Layers, representation_metrics
from trainables.evaluation.suite import probe_accuracies
from trainables.loss_fields import LOSS_CARDS
from trainables.losses import LOSSES
from trainables.losses.analytic import AnalyticLoss
from trainables.metrics.effective_rank import effective_rank
from trainables.runtime import Diverged, Runtime
from trainables.streams import Stream, stream_generator
from trainables.training.member import Loss
from trainables.training.precision import matmul_precision
from trainables.training.trials import resident, torch_images, views_of
from trainables.turns import Columns, Turn, Turns, each_within, finish
from trainables.views.recipes import crops_and_flips

#: Images per forward pass in evaluation. Fixed, because kernels may differ in the last bit between batch sizes.
_EVALUATION_BATCH = 512


def evaluate(model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime) -> Columns:
    """Yield record columns of a trained model in evaluation mode: first its metrics, then its probe accuracies.

    It pauses within long stages, where the caller may run other trials. Products on a GPU have the precision of the
    training, as they have for the learning curves. Raises `Diverged` when an embedding is not finite.
    """
    device = torch.device(runtime.device)
    precision = config.task.training.precision if device.type == "cuda" else "float32"
    return each_within(lambda: matmul_precision(precision, device), _stages(model, config, data, runtime))


def _stages(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Generator[dict[str, Any] | Turn, None, None]:
    plain = views_of(config.task, data).plain
    layers = {}
    for name, split in data.splits.items():
        layers[name] = yield from _embedding(model, torch_images(split.images), plain, runtime)
    yield Turn.STAGE
    if not all(layer.isfinite().all() for pair in layers.values() for layer in pair):
        raise Diverged("an embedding of the trained network was not finite")
    draw = _drawer(model, config, data, runtime, Stream.EVALUATION_VIEWS)
    # The test split is drawn before any other, so that the metrics do not depend on the suite.
    test_pair = (yield from draw(data.test.images)), (yield from draw(data.test.images))
    yield Turn.STAGE
    yield representation_metrics(layers["test"], *test_pair)

    @cache
    def pair(split: str) -> tuple[Layers, Layers]:
        if split == "test":
            return test_pair
        images = data.splits[split].images
        return finish(draw(images)), finish(draw(images))

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
        pairs = [(finish(draw(images))[1], finish(draw(images))[1]) for images in copies]
        z_a, z_b = (torch.stack(each) for each in zip(*pairs, strict=True))
        return z_a, z_b

    @cache
    def training_images() -> Tensor:
        return resident(torch_images(data.train.images), runtime.device)

    def augmented(randomness: torch.Generator) -> Turns[Tensor]:
        views = views_of(config.task, data)
        views = dataclasses.replace(views, recipe=crops_and_flips(views.recipe))
        h, _ = yield from _embedding(model, training_images(), lambda part: views(part, randomness), runtime)
        return h

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
        augmented=augmented,
    )
    accuracies: dict[str, Any] = yield from probe_accuracies(config.task.probe, encoded, seed=config.seed)
    yield accuracies


def monitor(
    model: ContrastiveModel, loss: Loss, config: TrialConfig, data: ImageData, runtime: Runtime
) -> dict[str, float]:
    """The metrics of one point of the learning curves, on the validation split. Training is not affected."""
    train, val, z = _embed_half_way(model, config, data, runtime)
    layers = {"h": val.features, "z": z}
    ranks = {name: effective_rank(F.normalize(layer, dim=1)) for name, layer in layers.items()}
    return {
        "val_knn_accuracy": knn_accuracy(train, val, config.task.probe),
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
    z_a, z_b = (F.normalize(finish(draw(images))[1], dim=1).split(pairs) for _ in range(2))
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
    train, val, _ = _embed_half_way(model, config, data, runtime)
    if not (train.features.isfinite().all() and val.features.isfinite().all()):
        return math.nan
    return knn_accuracy(train, val, config.task.probe)


def epoch_score(model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime) -> float:
    """The accuracy of the probe `knn` on the split that chooses the evaluated epoch, by all training images.

    With the last epoch's weights, it is the accuracy that the record has for that split. NaN when an embedding is not
    finite. Training is not affected.
    """
    split, plain = config.task.training.epoch_split, views_of(config.task, data).plain
    assert split is not None
    model.eval()
    labelled = {
        name: Labelled(
            features=_embed(model, data.splits[name].images, plain, runtime)[0],
            labels=_labels(data.splits[name].labels, runtime),
        )
        for name in ("train", split)
    }
    model.train()
    if not all(each.features.isfinite().all() for each in labelled.values()):
        return math.nan
    return knn_accuracy(labelled["train"], labelled[split], config.task.probe)


def _embed_half_way(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> tuple[Labelled, Labelled, Tensor]:
    """`h` of part of the training split, and `h` and `z` of the validation split, for a model in training."""
    plain = views_of(config.task, data).plain
    model.eval()
    train_h, _ = _embed(model, data.train.images[:MONITORED_IMAGES], plain, runtime)
    h, z = _embed(model, data.val.images, plain, runtime)
    model.train()
    train = Labelled(features=train_h, labels=_labels(data.train.labels[:MONITORED_IMAGES], runtime))
    return train, Labelled(features=h, labels=_labels(data.val.labels, runtime)), z


def _drawer(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime, stream: Stream
) -> Callable[[np.ndarray], Turns[Layers]]:
    """A function that returns both layers of one view of each image, drawn from a new generator for `stream`.

    Every call draws new views.
    """
    views = views_of(config.task, data)
    randomness = stream_generator(config.seed, stream, runtime.device)
    return lambda images: _embedding(
        model, torch_images(images), lambda part: views(part, randomness), runtime
    )


def _labels(labels: np.ndarray, runtime: Runtime) -> Tensor:
    return torch.tensor(labels, device=runtime.device)


def _embed(
    model: ContrastiveModel, images: np.ndarray, prepare: Callable[[Tensor], Tensor], runtime: Runtime
) -> Layers:
    return finish(_embedding(model, torch_images(images), prepare, runtime))


@torch.no_grad()
def _embedding(
    model: ContrastiveModel, images: Tensor, prepare: Callable[[Tensor], Tensor], runtime: Runtime
) -> Turns[Layers]:
    """`h (N, h_dim)` and `z (N, d)` of uint8 images `(N, C, H, W)`, float32 on the device.

    It pauses after each batch.
    """
    parts = []
    for part in images.split(_EVALUATION_BATCH):
        parts.append(model(prepare(copy_ahead(part, runtime.device))))
        yield Turn.STEP
    h, z = (torch.cat(column).float() for column in zip(*parts, strict=True))
    return h, z
