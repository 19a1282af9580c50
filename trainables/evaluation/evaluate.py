"""Evaluation of a frozen encoder on the splits of its data: features once, then metrics and probes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import TrialConfig
from trainables.datasets.loaded import ImageData
from trainables.encoders.model import ContrastiveModel
from trainables.evaluation.corruptions.catalogue import corrupted_copies
from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.representation import Layers, representation_metrics
from trainables.evaluation.suite import probe_accuracies
from trainables.metrics.effective_rank import effective_rank
from trainables.runtime import Diverged, Runtime
from trainables.streams import Stream, stream_generator
from trainables.training.trials import torch_images, views_of
from trainables.views.catalogue import plain

#: Images of the training split that the learning curves' neighbours come from.
_MONITORED_IMAGES = 5000

#: Images a forward pass of evaluation; fixed, since kernels may differ in the last bit between batch sizes.
_EVALUATION_BATCH = 512


def evaluate(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Iterator[dict[str, Any]]:
    """Record columns of a trained model in evaluation mode, stage by stage. Raises `Diverged`."""
    layers = {name: _embed(model, split.images, plain, runtime) for name, split in data.splits.items()}
    if not all(layer.isfinite().all() for pair in layers.values() for layer in pair):
        raise Diverged("an embedding of the trained network was not finite")
    draw_pair = _pair_drawer(model, config, data, runtime)
    test_pair = draw_pair("test")  # before any other split, so that nothing here depends on the suite
    yield representation_metrics(layers["test"], *test_pair)

    def views(split: str) -> tuple[Tensor, Tensor]:
        (h_a, _), (h_b, _) = test_pair if split == "test" else draw_pair(split)
        return h_a, h_b

    def corrupted(split: str) -> Iterator[Tensor]:
        data_root, device = runtime.data_root, runtime.device
        for images in corrupted_copies(config.task, data, split, data_root=data_root, device=device):
            yield _embed(model, images, plain, runtime)[0]

    labelled = {
        name: Labelled(features=layers[name][0], labels=_labels(split.labels, runtime))
        for name, split in data.splits.items()
    }
    encoded = EncodedSplits(labelled=labelled, views=views, corrupted=corrupted)
    yield probe_accuracies(config.task.probe, encoded, seed=config.seed)


def monitor(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> dict[str, float]:
    """A point of the learning curves, on the validation split; the model trains on unchanged."""
    model.eval()
    train_h, _ = _embed(model, data.train.images[:_MONITORED_IMAGES], plain, runtime)
    h, z = _embed(model, data.val.images, plain, runtime)
    model.train()
    train = Labelled(features=train_h, labels=_labels(data.train.labels[:_MONITORED_IMAGES], runtime))
    val = Labelled(features=h, labels=_labels(data.val.labels, runtime))
    ranks = {"h": effective_rank(F.normalize(h, dim=1)), "z": effective_rank(F.normalize(z, dim=1))}
    return {
        "val_knn_accuracy": knn_accuracy(train, val, k=config.task.probe.knn_k),
        **{f"{layer}_effective_rank": float(rank) for layer, rank in ranks.items()},
    }


def _pair_drawer(
    model: ContrastiveModel, config: TrialConfig, data: ImageData, runtime: Runtime
) -> Callable[[str], tuple[Layers, Layers]]:
    """A function that gives both layers of two views of each image of a split, drawn anew at every call."""
    views = views_of(config.task, data)
    randomness = stream_generator(config.seed, Stream.EVALUATION_VIEWS, runtime.device)

    def draw(images: np.ndarray) -> Layers:
        return _embed(model, images, lambda part: views(part, randomness), runtime)

    return lambda split: (draw(data.splits[split].images), draw(data.splits[split].images))


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
