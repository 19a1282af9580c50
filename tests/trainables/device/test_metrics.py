"""Metrics on the pretended device: the numbers of the CPU, and sums whose order does not matter."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.trainables.device.device_state import Device
from trainables.metrics.effective_rank import singular_values
from trainables.metrics.pair_sums import BINS, _sums_by_bin, pair_sums


def points(count: int, dim: int) -> Tensor:
    return F.normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(0)), dim=1)


def test_pair_sums_are_those_of_the_cpu(cuda: Device) -> None:
    z = points(700, 8)  # more than one block
    there, here = pair_sums(z.cuda()), pair_sums(z)
    assert there.mean_potential == here.mean_potential
    assert np.array_equal(there.counts, here.counts)
    # Each product is rounded by 2^-35 at most.
    assert np.abs(there.sums - here.sums).max() <= here.counts.max() * 2**-35
    assert cuda.unordered == []


def test_sums_by_bin_do_not_depend_on_the_order(cuda: Device) -> None:
    z = points(512, 4).double()
    products, bins = (z @ z.T).flatten(), torch.zeros(512 * 512, dtype=torch.int32)
    order = torch.randperm(len(products), generator=torch.Generator().manual_seed(1))
    assert _sums_by_bin(bins, products)[0] != _sums_by_bin(bins, products[order])[0]  # what floats do
    there = [_sums_by_bin(bins.cuda(), each.cuda()).tolist() for each in (products, products[order])]
    assert there[0] == there[1]
    largest = _sums_by_bin(bins.cuda(), torch.ones(512 * 512, device="cuda"))
    assert largest.tolist() == [2.0**18] + [0.0] * (BINS - 1)


@pytest.mark.parametrize("shape", [(200, 16), (16, 16), (8, 16)])
def test_singular_values_are_those_of_the_cpu(cuda: Device, shape: tuple[int, int]) -> None:
    z = points(*shape)
    with cuda.counted() as count:
        there = singular_values(z.cuda())
    torch.testing.assert_close(there.cpu(), singular_values(z), rtol=1e-12, atol=1e-12)
    assert count.by_name["linalg_qr"] == (shape[0] > shape[1])
