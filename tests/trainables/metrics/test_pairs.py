"""Alignment and the metrics made of pairs, against loops and closed forms."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.reference import metrics as reference
from tests.trainables.metrics.examples import collapsed, orthonormal, simplex, uniform
from trainables.metrics.alignment import alignment
from trainables.metrics.energy_distance import energy_distance
from trainables.metrics.gaussian_mmd import gaussian_mmd
from trainables.metrics.uniform_law import mean_distance, mean_potential
from trainables.metrics.uniformity import uniformity

_BY_LOOP: list[tuple[Callable[[Tensor], float], Callable[..., float]]] = [
    (uniformity, reference.uniformity),
    (energy_distance, reference.energy_distance),
    (gaussian_mmd, reference.gaussian_mmd),
]


@pytest.mark.parametrize(("metric", "loop"), _BY_LOOP, ids=lambda f: f.__module__.rpartition(".")[2])
@pytest.mark.parametrize("d", [2, 3, 16])
def test_pair_metrics_equal_their_loops(
    metric: Callable[[Tensor], float], loop: Callable[..., float], d: int
) -> None:
    for points in (uniform(40, d), uniform(2, d), torch.cat([uniform(9, d), uniform(9, d)])):
        assert metric(points) == pytest.approx(loop(points.numpy()), rel=1e-9, abs=1e-7)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    points = uniform(50, 4)
    metrics = (uniformity, energy_distance, gaussian_mmd)
    whole = [metric(points) for metric in metrics]
    monkeypatch.setattr("trainables.metrics.pair_sums._BLOCK", 7)
    assert [metric(points) for metric in metrics] == pytest.approx(whole, rel=1e-13)


def test_alignment() -> None:
    z_a, z_b = uniform(30, 5), uniform(30, 5, seed=1)
    assert alignment(z_a, z_a) == 0.0
    assert alignment(z_a, -z_a) == pytest.approx(4.0)
    assert alignment(orthonormal(4, 4), orthonormal(4, 4).flip(0)) == pytest.approx(2.0)
    assert alignment(z_a, z_b) == pytest.approx(2 - 2 * (z_a * z_b).sum(-1).mean().item())


def test_collapsed_points() -> None:
    for d in (2, 64):
        points = collapsed(50, d)
        assert uniformity(points) == pytest.approx(0.0, abs=1e-12)
        assert energy_distance(points) == pytest.approx(mean_distance(d), abs=1e-6)
        assert gaussian_mmd(points) == pytest.approx(1 - mean_potential(d, 2.0), rel=1e-12)


def test_regular_simplices_and_orthonormal_points() -> None:
    for points, product in ((simplex(9, 16), -1 / 8), (orthonormal(16, 16), 0.0)):
        squared = 2 - 2 * product
        assert uniformity(points) == pytest.approx(-2 * squared, rel=1e-12)
        assert energy_distance(points) == pytest.approx(mean_distance(16) - math.sqrt(squared), rel=1e-9)
        expected = math.exp(-2 * squared) - mean_potential(16, 2.0)
        assert gaussian_mmd(points) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("d", [2, 128, 4096])
def test_constants_of_the_uniform_law(d: int) -> None:
    # 4/pi on the circle; sqrt 2 and exp(-4) are the limits in many dimensions
    if d == 2:
        assert mean_distance(d) == pytest.approx(4 / math.pi, rel=1e-13)
        assert mean_potential(d, 2.0) == pytest.approx(
            math.exp(-4) * torch.special.i0(torch.tensor(4.0).double()).item()
        )
    else:
        # second order in the variance 1/d of the inner product
        assert mean_distance(d) == pytest.approx(math.sqrt(2) * (1 - 1 / (8 * d)), rel=1 / d**2)
        assert mean_potential(d, 2.0) == pytest.approx(math.exp(-4 + 8 / d), rel=100 / d**3)


@pytest.mark.parametrize("metric", [energy_distance, gaussian_mmd])
def test_unbiased_estimates_average_to_zero_over_uniform_points(metric: Callable[[Tensor], float]) -> None:
    # n = 3: a biased estimate with the diagonal in the mean would be far off
    values = torch.tensor([metric(uniform(3, 4, seed=seed)) for seed in range(300)])
    assert abs(values.mean()) <= 4 * values.std() / 300**0.5
    assert (values < 0).any()


@pytest.mark.parametrize("metric", [uniformity, energy_distance, gaussian_mmd])
def test_float32_is_enough(metric: Callable[[Tensor], float]) -> None:
    points = uniform(600, 32)
    assert metric(points.float()) == pytest.approx(metric(points), rel=1e-5, abs=1e-7)
