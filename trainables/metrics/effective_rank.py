"""The effective rank of a set of embeddings."""

import torch
from torch import Tensor

from trainables.metrics.points import check_points


def effective_rank(z: Tensor) -> float:
    """`exp(-sum_k p_k log p_k)`, in dimensions, from 1 to min(n, d); `p_k` are the singular values over their sum.

    Shape: `(n, d)`; rows need not be unit-norm. Raises `ValueError` if all are zero. The rows are not centred.
    Source: RankMe, Garrido et al. 2023, arXiv 2210.02885, equation 1, after Roy and Vetterli 2007.
    """
    return effective_rank_of(singular_values(z))


def effective_rank_of(values: Tensor) -> float:
    """`effective_rank` from singular values that are already computed."""
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def singular_values(z: Tensor) -> Tensor:
    """The singular values of `(n, d)` in descending order, in float64. Raises `ValueError` for a zero matrix."""
    check_points("z", z)
    z = z.double()
    if z.is_cuda and z.shape[0] > z.shape[1]:
        # R of `z = QR` has the same singular values. On CUDA, those of a small square matrix take far less time.
        z = torch.linalg.qr(z, mode="r").R
    values: Tensor = torch.linalg.svdvals(z)
    if not bool(values[0] > 0):
        raise ValueError("z: got all rows zero, must have a row that is not zero")
    return values
