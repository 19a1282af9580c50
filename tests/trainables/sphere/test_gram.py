"""The distance to the ideal is invariant under rotation and order, and zero at the ideal alone."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.sphere.gram import gram_distance, least_matching
from trainables.sphere.ideal import ideal_points

SIZES = [(8, 16), (5, 4), (8, 4), (4, 2)]


def ideal(n_pairs: int, dim: int) -> Tensor:
    points = ideal_points(n_pairs, dim)
    assert points is not None
    return points


def random_pairs(n_pairs: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    z = F.normalize(torch.randn(2, n_pairs, dim, dtype=torch.float64, generator=generator), dim=-1)
    return z[0], z[1]


@pytest.mark.parametrize(("n_pairs", "dim"), SIZES)
def test_no_rotation_renaming_or_swap_matters(n_pairs: int, dim: int) -> None:
    rotation = torch.linalg.qr(random_pairs(dim, dim, seed=1)[0])[0]
    order = torch.randperm(n_pairs, generator=torch.Generator().manual_seed(2))
    points = (ideal(n_pairs, dim) @ rotation)[order]
    assert gram_distance(points, points) == pytest.approx(0, abs=1e-12)
    z_a, z_b = random_pairs(n_pairs, dim)
    before = gram_distance(z_a, z_b)
    z_a[0], z_b[0] = z_b[0].clone(), z_a[0].clone()
    assert gram_distance((z_a @ rotation)[order], (z_b @ rotation)[order]) == pytest.approx(before)
    assert before is not None
    assert before > 0.1


@pytest.mark.parametrize(("n_pairs", "dim"), SIZES)
def test_the_pairing_matters(n_pairs: int, dim: int) -> None:
    """Each view is ideal, but each anchor's positive is another one's."""
    points = ideal(n_pairs, dim)
    assert gram_distance(points, points.roll(1, 0)) > 0.3  # type: ignore[operator]


@pytest.mark.parametrize(("n_pairs", "dim"), [(8, 16), (8, 4), (4, 2)])
def test_collapse_has_its_closed_form(n_pairs: int, dim: int) -> None:
    together = F.one_hot(torch.zeros(n_pairs, dtype=torch.long), dim).double()
    simplex = (n_pairs / (n_pairs - 1)) ** 0.5
    expected = simplex if n_pairs <= dim + 1 else ((n_pairs + 2) / n_pairs) ** 0.5
    assert gram_distance(together, together) == pytest.approx(expected)


@pytest.mark.parametrize(("n_pairs", "dim"), [(4, 2), (6, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_least_over_all_renamings(n_pairs: int, dim: int, seed: int) -> None:
    z_a, z_b = random_pairs(n_pairs, dim, seed)
    gram, points = torch.cat([z_a, z_b]) @ torch.cat([z_a, z_b]).T, ideal(n_pairs, dim)
    distances = []
    for order in itertools.permutations(range(n_pairs)):
        renamed = points[list(order)].repeat(2, 1)
        distances.append(float((gram - renamed @ renamed.T).square().mean().sqrt()))
    assert gram_distance(z_a, z_b) == pytest.approx(min(distances), abs=1e-12)


def test_matchings_are_pairs_and_not_circles() -> None:
    """Two triangles of cheap edges: an assignment would send each round in a circle, a matching cannot."""
    weights = np.ones((6, 6))
    weights[:3, :3] = weights[3:, 3:] = -1.0
    pairs = least_matching(weights)
    assert sorted(point for pair in pairs for point in pair) == list(range(6))
    assert sum(weights[pair] for pair in pairs) == -1.0


def test_no_distance_without_an_ideal() -> None:
    assert gram_distance(*random_pairs(8, 5)) is None
