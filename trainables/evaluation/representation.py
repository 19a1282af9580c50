"""Metrics of the trained representation on the test set, for both of its layers.

`h` is the encoder's output, which the probe sees, `z` the projection, which the loss sees; both unit-norm. A layer
with a row of length zero has no direction to measure (a dead encoder's output is all zeros): its metrics are null.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.metrics.alignment import alignment
from trainables.metrics.embedding import embedding_metrics

#: Both layers of the same images: `h (N, h_dim)` and `z (N, d)`, of any length.
Layers = tuple[Tensor, Tensor]


def representation_metrics(clean: Layers, view_a: Layers, view_b: Layers) -> dict[str, float | int]:
    """Record columns: alignment between two views of each image, everything else on the clean images."""
    columns: dict[str, float | int] = {}
    for name, points, a, b in zip(("h", "z"), clean, view_a, view_b, strict=True):
        columns[f"{name}_dim"] = points.shape[1]
        if all(_have_directions(layer) for layer in (points, a, b)):
            measured = embedding_metrics(F.normalize(points, dim=1))
            measured["alignment"] = float(alignment(F.normalize(a, dim=1), F.normalize(b, dim=1)))
            columns |= {f"{name}_{metric}": value for metric, value in measured.items()}
    return columns


def _have_directions(points: Tensor) -> bool:
    return bool((torch.linalg.vector_norm(points, dim=1) > torch.finfo(points.dtype).tiny).all())
