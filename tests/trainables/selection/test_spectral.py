"""Spectral batches agree with their formulas, find known clusters, and accept inputs that have none."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.manifold import spectral_embedding
from torch import Tensor
from torch.nn import functional as F

from tests.reference.selection import affinities, even_partitions, normalised_laplacian
from trainables.config import SelectionConfig
from trainables.losses import build_loss
from trainables.selection.methods import build_selection, build_selector
from trainables.selection.spectral import even_clusters, log_affinity, spectral_rows


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    z_a = F.normalize(torch.randn(n, d, generator=seeded(seed), dtype=torch.float64), dim=1)
    return z_a, F.normalize(
        z_a + 0.3 * torch.randn(n, d, generator=seeded(seed + 1), dtype=torch.float64), dim=1
    )


def batches_of(
    z_a: Tensor, z_b: Tensor, size: int, *, seed: int = 0, temperature: float = 0.5
) -> list[set[int]]:
    loss = build_loss("infonce", temperature=temperature)
    built = build_selector(SelectionConfig(method="spectral"), len(z_a), size, loss, seeded(seed))
    return [set(batch) for batch in built.next_batches(z_a, z_b).tolist()]


@pytest.mark.parametrize(("temperature", "size"), [(1.0, 2), (0.1, 4), (0.5, 32)])
def test_affinities_are_those_of_the_formula(temperature: float, size: int) -> None:
    z_a, z_b = pairs(9, 4)
    got = log_affinity(z_a.numpy(), z_b.numpy(), temperature, size)
    np.testing.assert_allclose(
        got, affinities(z_a, z_b, temperature, size).log().numpy(), rtol=1e-10, atol=1e-12
    )


def test_rows_are_eigenvectors_of_the_normalised_laplacian() -> None:
    z_a, z_b = pairs(12, 4)
    laplacian = normalised_laplacian(affinities(z_a, z_b, 0.5, 3))
    values, vectors = torch.linalg.eigh(laplacian)
    affinity = log_affinity(z_a.numpy(), z_b.numpy(), 0.5, 3)
    rows = torch.from_numpy(spectral_rows(affinity, 4))
    weights = affinities(z_a, z_b, 0.5, 3)
    degrees = weights.sum(1) - weights.diagonal()
    for column, (value, vector) in enumerate(zip(values[:4], vectors.T[:4], strict=True)):
        scaled = rows[:, column] * degrees.sqrt()
        assert abs(float(F.cosine_similarity(scaled, vector, dim=0))) == pytest.approx(1, abs=1e-8)
        torch.testing.assert_close(laplacian @ scaled, value * scaled)


def test_rows_span_what_scikit_learn_finds() -> None:
    z_a, z_b = pairs(40, 6)
    affinity = log_affinity(z_a.numpy(), z_b.numpy(), 0.2, 8)
    theirs = spectral_embedding(
        np.exp(affinity - affinity.max()), n_components=5, random_state=0, drop_first=False
    )
    ours, theirs = (np.linalg.qr(rows)[0] for rows in (spectral_rows(affinity, 5), theirs))
    assert np.linalg.svd(ours.T @ theirs)[1].min() == pytest.approx(1, abs=1e-6)


def test_similar_pairs_share_a_batch() -> None:
    """Four bundles of three pairs around four corners, in scrambled order."""
    corners = torch.eye(4, dtype=torch.float64)[torch.arange(12) % 4]
    noise = 0.05 * torch.randn(2, 12, 4, generator=seeded(3), dtype=torch.float64)
    z_a, z_b = F.normalize(corners + noise, dim=2)
    expected = [set(range(corner, 12, 4)) for corner in range(4)]
    for seed in range(5):
        found = batches_of(z_a, z_b, 3, seed=seed)
        assert sorted(map(sorted, found)) == sorted(map(sorted, expected))


def test_clusters_of_uneven_size_come_out_even() -> None:
    """Seven pairs at one corner, five at another, in batches of six: one of the seven joins the five."""
    corners = torch.eye(2, dtype=torch.float64)[(torch.arange(12) >= 7).long()]
    noise = 0.05 * torch.randn(2, 12, 2, generator=seeded(3), dtype=torch.float64)
    z_a, z_b = F.normalize(corners + noise, dim=2)
    large, small = sorted(batches_of(z_a, z_b, 6), key=lambda batch: len(batch & set(range(7))), reverse=True)
    assert (len(large), len(small)) == (6, 6)
    assert large < set(range(7))
    assert set(range(7, 12)) < small


def test_the_assignment_is_the_best_of_all_even_partitions() -> None:
    """Around the centres that k-means gives, against every partition and every order of its batches."""
    rows = np.random.default_rng(0).standard_normal((6, 2))
    rows[0] += 8  # a cluster of one, which must take in a second
    labels = even_clusters(rows, 2, seed=0)
    centres = KMeans(3, n_init=10, random_state=0).fit(rows).cluster_centers_

    def cost(batches: list[tuple[int, ...]]) -> float:
        return sum(
            float(np.linalg.norm(rows[member] - centres[label]))
            for label, batch in enumerate(batches)
            for member in batch
        )

    best = min(
        cost(list(order))
        for partition in even_partitions(tuple(range(6)), 2)
        for order in itertools.permutations(partition)
    )
    ours = [tuple(np.flatnonzero(labels == label)) for label in range(3)]
    assert cost(ours) == pytest.approx(best)
    assert np.bincount(labels).tolist() == [2, 2, 2]


def test_equal_embeddings_are_a_shuffle() -> None:
    z = F.normalize(torch.ones(12, 3), dim=1)
    drawn = build_selection(SelectionConfig(method="spectral"), 12, 3).draw(seeded())
    assert batches_of(z, z, 3) == [set(batch) for batch in drawn.tolist()]
    nearly = F.normalize(z + 1e-7 * torch.randn(12, 3, generator=seeded()), dim=1)
    assert batches_of(nearly, nearly, 3) == [set(batch) for batch in drawn.tolist()]


def test_embeddings_that_are_not_finite_are_a_shuffle() -> None:
    z_a, z_b = pairs(12, 3)
    z_a[4] = torch.nan
    drawn = build_selection(SelectionConfig(method="spectral"), 12, 3).draw(seeded())
    assert batches_of(z_a, z_b, 3) == [set(batch) for batch in drawn.tolist()]


def test_fewer_different_pairs_than_batches_are_still_cut_evenly() -> None:
    z = torch.eye(3, dtype=torch.float64)[torch.arange(12) % 3]
    found = batches_of(z, z, 2)
    assert [len(batch) for batch in found] == [2] * 6
    assert set().union(*found) == set(range(12))


def test_one_batch_needs_no_clusters_and_the_rest_sits_out() -> None:
    z_a, z_b = pairs(7, 3)
    assert [len(batch) for batch in batches_of(z_a, z_b, 4)] == [4]
    found = batches_of(z_a, z_b, 3)
    assert [len(batch) for batch in found] == [3, 3]
    assert len(set().union(*found)) == 6


@pytest.mark.parametrize("temperature", [0.003, 0.05, 10.0])
def test_extreme_temperatures_cluster_without_overflow(temperature: float) -> None:
    z_a, z_b = pairs(24, 3)
    found = batches_of(z_a, z_b, 4, temperature=temperature)
    assert [len(batch) for batch in found] == [4] * 6
    assert set().union(*found) == set(range(24))


def test_a_loss_without_temperature_counts_as_at_one() -> None:
    z_a, z_b = pairs(16, 3)
    config = SelectionConfig(method="spectral")
    kcl, unit = (
        build_selector(config, 16, 4, loss, seeded()).next_batches(z_a, z_b)
        for loss in (build_loss("kcl"), build_loss("infonce", temperature=1.0))
    )
    assert torch.equal(kcl, unit)
