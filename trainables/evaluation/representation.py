"""Metrics of the trained representation on the test set, for both layers; used by `evaluate`.

`h` is the encoder's output, the input of the probes. `z` is the projection, the input of the loss. Both are
normalised to unit norm. A row of length zero has no direction (the output of a collapsed encoder may be all zeros).
A layer with such a row gets null metrics.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.metrics.alignment import alignment
from trainables.metrics.embedding import embedding_metrics

#: Both layers of the same images: `h (N, h_dim)` and `z (N, d)`, not normalised.
Layers = tuple[Tensor, Tensor]


def representation_metrics(clean: Layers, view_a: Layers, view_b: Layers) -> dict[str, float | int]:
    """Record columns. Alignment compares two views of each image; all other metrics use the clean images."""
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
