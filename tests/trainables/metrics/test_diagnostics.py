"""Effective sample size and bounds on the mutual information agree with closed forms."""

import math

import pytest
import torch

from tests.trainables.metrics.examples import collapsed, uniform
from trainables.loss_fields import LOSS_CARDS
from trainables.losses import build_loss
from trainables.metrics.effective_sample_size import effective_sample_size, negatives_sample_size
from trainables.metrics.mutual_information import InformationBound

#: Of losses in which each of M anchors looks for its positive among M candidates.
AMONG_PAIRS = InformationBound(meaning="log M - L", candidates=lambda pairs: pairs, source="")


def test_effective_sample_size_of_known_weights() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0], [500.0, 0.0, 0.0, 0.0], [1.0, 1.0, -torch.inf, -torch.inf]])
    assert effective_sample_size(logits).tolist() == pytest.approx([4.0, 1.0, 2.0])
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    expected = 1 / (0.25 + 0.09 + 0.04)
    assert effective_sample_size(weights.log()).item() == pytest.approx(expected)
    assert effective_sample_size(weights.log() + 1000).item() == pytest.approx(expected)


def test_negatives_sample_size_equals_its_loop() -> None:
    z_a, z_b = uniform(5, 4), uniform(5, 4, seed=1)
    z = torch.cat([z_a, z_b])
    found = negatives_sample_size(z_a, z_b, 0.3)
    for i in range(10):
        weights = [math.exp(float(z[i] @ z[j]) / 0.3) for j in range(10) if j % 5 != i % 5]
        assert found[i].item() == pytest.approx(sum(weights) ** 2 / sum(weight**2 for weight in weights))


def test_alike_negatives_all_count() -> None:
    points = collapsed(6, 4)
    assert negatives_sample_size(points, points, 0.01).tolist() == pytest.approx([10.0] * 12)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature: got"):
        negatives_sample_size(uniform(4, 3), uniform(4, 3), temperature)


def _gaussian_losses(correlation: float, batches: int, pairs: int) -> tuple[float, float]:
    """Mean InfoNCE loss and mean log xi with the best critic `log p(y | x)` for correlated Gaussians, d = 1."""
    generator = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, batches, pairs, generator=generator, dtype=torch.float64)
    variance = 1 - correlation**2
    y = correlation * x + math.sqrt(variance) * noise
    # log p(y_j | x_i) up to what does not depend on the candidate x_i: anchors are y, candidates x
    scores = -((y[:, :, None] - correlation * x[:, None, :]) ** 2) / (2 * variance)
    positives = scores.diagonal(dim1=-2, dim2=-1)
    loss = (scores.logsumexp(-1) - positives).mean()
    scores = scores.clone()
    scores.diagonal(dim1=-2, dim2=-1).fill_(-torch.inf)
    return loss.item(), (scores.logsumexp(-1) - positives).mean().item()


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_bounds_enclose_the_mutual_information_of_correlated_gaussians(correlation: float) -> None:
    information = -0.5 * math.log(1 - correlation**2)
    pairs = 128
    loss, log_xi = _gaussian_losses(correlation, batches=60, pairs=pairs)
    lower, upper = AMONG_PAIRS.estimate(loss, pairs), AMONG_PAIRS.estimate(log_xi, pairs)
    noise = 0.02
    assert lower <= information + noise
    assert upper >= information - noise
    assert lower == pytest.approx(information, abs=0.05)
    assert upper == pytest.approx(information, abs=0.08)


def test_infonce_is_limited_by_the_number_of_candidates_and_flatnce_is_not() -> None:
    # mutual information 3.1 nats, 4 candidates
    loss, log_xi = _gaussian_losses(0.999, batches=2000, pairs=4)
    assert AMONG_PAIRS.estimate(loss, 4) <= math.log(4)
    assert AMONG_PAIRS.estimate(log_xi, 4) > -0.5 * math.log(1 - 0.999**2)


def test_one_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="pairs: got 1, must be at least 2"):
        AMONG_PAIRS.estimate(0.5, 1)


#: Losses with an estimate, and what it is for M pairs of collapsed embeddings, which tell nothing.
OF_COLLAPSED = {
    "infonce": lambda pairs: 0.0,
    "ntxent": lambda pairs: 0.0,
    "flatnce": lambda pairs: math.log((2 * pairs - 1) / (2 * pairs - 2)),  # no lower bound
    "flatnce_plus": lambda pairs: 0.0,
}


def test_the_losses_with_an_estimate_are_the_tested_ones() -> None:
    assert {name for name, card in LOSS_CARDS.items() if card.information} == set(OF_COLLAPSED)


@pytest.mark.parametrize("name", OF_COLLAPSED)
def test_collapsed_embeddings_carry_no_information(name: str) -> None:
    bound, z = LOSS_CARDS[name].information, collapsed(6, 4).double()
    assert bound is not None
    assert bound.source
    value = float(build_loss(name).per_anchor(z, z).mean())
    assert bound.estimate(value, 6) == pytest.approx(OF_COLLAPSED[name](6))
