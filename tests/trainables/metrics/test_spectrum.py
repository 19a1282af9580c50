"""Effective and numerical rank agree with known spectra, also when all metrics are computed together."""

import pytest
import torch

from tests.reference import metrics as reference
from tests.trainables.metrics.examples import collapsed, orthonormal, simplex, uniform
from trainables.metrics.effective_rank import effective_rank
from trainables.metrics.embedding import embedding_metrics
from trainables.metrics.energy_distance import energy_distance
from trainables.metrics.gaussian_mmd import gaussian_mmd
from trainables.metrics.relative_rank import relative_rank
from trainables.metrics.uniformity import uniformity
from trainables.metrics.wasserstein_uniformity import wasserstein_uniformity


def test_effective_rank_of_known_spectra() -> None:
    assert effective_rank(collapsed(20, 6)) == pytest.approx(1.0)
    assert effective_rank(orthonormal(5, 8)) == pytest.approx(5.0)
    assert effective_rank(simplex(5, 8)) == pytest.approx(4.0)
    # singular values 3 and 1: entropy of (3/4, 1/4)
    points = torch.diag(torch.tensor([3.0, 1.0]))
    assert effective_rank(points) == pytest.approx((4 / 3) ** 0.75 * 4**0.25)
    assert effective_rank(7 * points) == pytest.approx(effective_rank(points))


def test_effective_rank_equals_its_loop() -> None:
    points = uniform(30, 7)
    assert effective_rank(points) == pytest.approx(reference.effective_rank(points.numpy()), rel=1e-9)


def test_relative_rank_counts_above_the_tolerance() -> None:
    points = torch.diag(torch.tensor([1.0, 0.1, 1.1e-5, 0.9e-5, 0.0], dtype=torch.float64))
    assert relative_rank(points) == 3
    assert relative_rank(1e6 * points) == 3
    assert relative_rank(points, tolerance=0.5) == 1
    assert relative_rank(collapsed(20, 6).float()) == 1
    assert relative_rank(simplex(5, 8).float()) == 4


def test_all_together_equal_each_alone() -> None:
    points = uniform(40, 5)
    alone = (uniformity, wasserstein_uniformity, energy_distance, gaussian_mmd, effective_rank, relative_rank)
    assert embedding_metrics(points) == {metric.__name__: metric(points) for metric in alone}
