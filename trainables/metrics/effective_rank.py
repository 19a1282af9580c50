"""Effective rank of a set of embeddings."""

import torch
from torch import Tensor

from trainables.metrics.points import check_points


def effective_rank(z: Tensor) -> float:
    """`exp(-sum_k p_k log p_k)` with `p_k` the singular values over their sum: from 1 to min(n, d)
    dimensions.

    Shape: `(n, d)`; rows need not be unit-norm, all zero raises `ValueError`. The rows are not centred.
    Source: RankMe, Garrido et al. 2023, arXiv 2210.02885, equation 1, after Roy and Vetterli 2007.
    """
    return effective_rank_of(singular_values(z))


def effective_rank_of(values: Tensor) -> float:
    """`effective_rank` from singular values that were computed already."""
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def singular_values(z: Tensor) -> Tensor:
    """Singular values of `(n, d)`, falling, in float64. Raises `ValueError` for a zero matrix."""
    check_points("z", z)
    values: Tensor = torch.linalg.svdvals(z.double())
    if not bool(values[0] > 0):
        raise ValueError("z: got all rows zero, must have a row that is not")
    return values
