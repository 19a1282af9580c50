"""Tolerance to semantically alike samples."""

import torch
from torch import Tensor

from trainables.metrics.points import check_unit_norm


def tolerance(z: Tensor, labels: Tensor) -> float:
    """Mean inner product over all pairs `i != j` of the same class: 1 when each class is one point.

    Shapes: `(n, d)` unit-norm rows, `(n,)` integer labels. Raises `ValueError` for anything else, or when no
    class has two points. Source: Wang and Liu 2021, arXiv 2012.09740.
    """
    check_unit_norm("z", z)
    if labels.shape != z.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"labels: got {labels.dtype} {tuple(labels.shape)}, must be integers ({z.shape[0]},)"
        )
    _, classes, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    pairs = int((sizes * (sizes - 1)).sum())
    if pairs == 0:
        raise ValueError("labels: got no class with two points, must have one")
    # the sum over pairs of a class is the square of the class's sum minus its own squares: no Gram matrix
    # needed
    points = z.double()
    totals = points.new_zeros(len(sizes), z.shape[1]).index_add_(0, classes, points)
    return float((totals.square().sum() - points.square().sum()) / pairs)
