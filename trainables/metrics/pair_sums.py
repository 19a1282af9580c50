"""Sums over all pairs of a set of points, from one pass over the Gram matrix, for the metrics of uniformity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainables.metrics.points import check_unit_norm

#: Bins of the histogram of inner products over [-1, 1].
BINS = 1 << 14

#: The parameter t of the Gaussian potential `exp(-t d^2)` in the definition of uniformity.
POTENTIAL_T = 2.0

#: Number of rows and of columns in a block of the Gram matrix. A float32 block takes 1 MB.
_BLOCK = 512

#: Multiples of the rounding of products on CUDA in 1: `_BLOCK**2 * _GRAINS` is 2^52.
_GRAINS = 2.0**34


@dataclass(frozen=True, kw_only=True)
class PairSums:
    """Means and sums over the `n (n - 1) / 2` pairs of `n` unit-norm points in `d` dimensions, in float64."""

    d: int
    mean_potential: float  # mean of exp(-2 d_ij^2)
    mean_distance: float  # mean of d_ij
    counts: np.ndarray  # (BINS,), the number of pairs whose inner product is in the bin
    sums: np.ndarray  # (BINS,), the sum of their inner products


def pair_sums(z: Tensor) -> PairSums:
    """Sum over blocks of the Gram matrix of `(n, d)` unit-norm rows; blocks are float32 unless `z` is float64.

    The memory does not grow with n. Raises `ValueError` for rows that are not unit-norm.
    """
    check_unit_norm("z", z)
    z = z if z.dtype == torch.float64 else z.float()
    potential = distance = 0.0
    counts = torch.zeros(BINS, dtype=torch.int64, device=z.device)
    sums = torch.zeros(BINS, dtype=torch.float64, device=z.device)
    for products in _inner_products(z):
        squared_distance = (2.0 - 2.0 * products).clamp_min_(0.0)
        potential += float((-POTENTIAL_T * squared_distance).exp_().sum(dtype=torch.float64))
        distance += float(squared_distance.sqrt_().sum(dtype=torch.float64))
        bins = ((products + 1.0) * (BINS / 2)).int().clamp_(0, BINS - 1)
        counts += torch.bincount(bins, minlength=BINS)
        sums += _sums_by_bin(bins, products)
    pairs = z.shape[0] * (z.shape[0] - 1) // 2
    return PairSums(
        d=z.shape[1],
        mean_potential=potential / pairs,
        mean_distance=distance / pairs,
        counts=counts.cpu().numpy(),
        sums=sums.cpu().numpy(),
    )


def _sums_by_bin(bins: Tensor, products: Tensor) -> Tensor:
    """The sum of the products in each bin, `(BINS,)`, in float64.

    CUDA adds in no fixed order. Whole numbers below 2^53 have the same sum in every order, so products are rounded to
    multiples of 2^-34 there. A block has at most 2^18 products of size one.
    """
    weights = products.double()
    if not weights.is_cuda:
        return torch.bincount(bins, weights=weights, minlength=BINS)
    return torch.bincount(bins, weights=(weights * _GRAINS).round_(), minlength=BINS) / _GRAINS


def _inner_products(z: Tensor) -> Iterator[Tensor]:
    """Yield the inner product of each pair once, in flat blocks."""
    starts = range(0, z.shape[0], _BLOCK)
    for row in starts:
        rows = z[row : row + _BLOCK]
        for column in range(0, row, _BLOCK):
            yield (rows @ z[column : column + _BLOCK].T).flatten()
        below = torch.tril_indices(len(rows), len(rows), offset=-1, device=z.device)
        yield (rows @ rows.T)[below[0], below[1]]
