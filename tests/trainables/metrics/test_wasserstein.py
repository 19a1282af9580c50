"""Wasserstein uniformity agrees with integration and closed forms to its stated accuracy."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from tests.reference import metrics as reference
from tests.trainables.metrics.examples import collapsed, orthonormal, simplex, uniform
from trainables.metrics.uniform_law import inner_product_cdf, inner_product_cdf_integral
from trainables.metrics.wasserstein_uniformity import wasserstein_uniformity


@pytest.mark.parametrize("d", [2, 3, 16, 512])
@pytest.mark.parametrize("make", [uniform, collapsed, lambda n, d: torch.cat([uniform(4, d), uniform(4, d)])])
def test_it_equals_the_integral_between_the_products(make: object, d: int) -> None:
    points = make(8, d)  # type: ignore[operator]
    assert wasserstein_uniformity(points) == pytest.approx(
        reference.wasserstein_uniformity(points.numpy()), abs=1e-6
    )


@pytest.mark.parametrize("d", [2, 3, 128, 512, 4096])
def test_the_law_is_the_beta_law_and_its_integral(d: int) -> None:
    points = np.linspace(-0.999, 0.999, 7)
    law, integral = inner_product_cdf(points, d), inner_product_cdf_integral(points, d)
    for s, value, area in zip(points, law, integral, strict=True):
        assert value == pytest.approx(reference.inner_product_cdf(s, d), abs=1e-14)
        breaks = [0.0] if s > 0 else None
        expected, _ = quad(reference.inner_product_cdf, -1, s, args=(d,), points=breaks, limit=400)
        assert area == pytest.approx(expected, abs=1e-8)
    assert inner_product_cdf_integral(np.array([-1.0, 1.0]), d).tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("d", [2, 64, 128, 512, 4096])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_collapsed_points_score_one(d: int, dtype: torch.dtype) -> None:
    assert wasserstein_uniformity(collapsed(100, d).to(dtype)) == pytest.approx(1.0, abs=1e-6)


def test_uniform_points_score_near_zero() -> None:
    for seed in range(3):
        assert wasserstein_uniformity(uniform(2000, 128, seed=seed).float()) < 5e-4


def _mean_distance_to(c: float, d: int) -> float:
    """`E |X - c|` for X the inner product of uniform points: W1 of an atom at c."""
    limits = ((-1.0, c), (c, 1.0))
    parts = [
        quad(lambda s: abs(s - c) * reference.inner_product_density(s, d), *limit, limit=400)[0]
        for limit in limits
    ]
    return sum(parts)


@pytest.mark.parametrize("d", [16, 64, 300])
@pytest.mark.parametrize("n", [3, 4, 10])
def test_a_regular_simplex_scores_the_distance_to_its_atom(n: int, d: int) -> None:
    for points, atom in ((simplex(n, d), -1 / (n - 1)), (orthonormal(n, d), 0.0)):
        expected = _mean_distance_to(atom, d)
        for given in (points, points.float()):
            assert wasserstein_uniformity(given) == pytest.approx(expected, abs=1e-6)


def test_two_atoms() -> None:
    # half the pairs of two antipodal groups at 1, half at -1 (n - 1 of 2n - 1 within a group): W1 to the arcsine law
    n = 500
    points = torch.cat([collapsed(n, 2), -collapsed(n, 2)])
    expected = _two_atoms((n - 1) / (2 * n - 1))
    assert wasserstein_uniformity(points) == pytest.approx(expected, abs=1e-6)


def _two_atoms(upper: float) -> float:
    level = 1 - upper
    crossing = -float(np.cos(np.pi * level))  # where the arcsine law reaches the level
    return sum(
        abs(quad(lambda s: reference.inner_product_cdf(s, 2) - level, low, high)[0])
        for low, high in ((-1.0, crossing), (crossing, 1.0))
    )


def test_block_size_and_order_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    points: Tensor = uniform(60, 8)
    whole = wasserstein_uniformity(points)
    assert wasserstein_uniformity(points.flip(0)) == pytest.approx(whole, rel=1e-12)
    monkeypatch.setattr("trainables.metrics.pair_sums._BLOCK", 7)
    assert wasserstein_uniformity(points) == pytest.approx(whole, rel=1e-12)
