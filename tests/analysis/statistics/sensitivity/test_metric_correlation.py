"""Correlations of metrics agree with scipy seed by seed, and their intervals hold the true one."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.sensitivity.metric_correlation import (
    fisher_estimate,
    metric_correlations,
    rank_correlations,
)

LOSSES = np.repeat([0, 1, 2], 10)
NAMES = ("good", "weak", "loss", "constant")


def study(rng: np.random.Generator, seeds: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Scores that differ by loss and within it; a good and a weak metric, one of the loss alone, a constant."""
    quality = rng.normal(size=(30, 1))
    scores = 3.0 * LOSSES[:, None] + quality + 0.1 * rng.normal(size=(30, seeds))
    noise = rng.normal(size=(2, 30, seeds))
    good, weak = quality + 0.3 * noise[0], quality + 2.0 * noise[1]
    loss = LOSSES[:, None] + 0.01 * rng.normal(size=(30, seeds))
    return np.stack([good, weak, loss, np.ones((30, seeds))]), scores


def test_they_agree_with_scipy_seed_by_seed() -> None:
    metrics, scores = study(np.random.default_rng(0))
    metrics[0, :12, 2] = np.nan
    metrics[1] = np.round(metrics[1])  # with ties
    found = rank_correlations(metrics, scores)
    for metric in range(3):
        for seed in range(6):
            slow = stats.spearmanr(metrics[metric, :, seed], scores[:, seed], nan_policy="omit").statistic
            assert found[metric, seed] == pytest.approx(slow)
    assert np.isnan(found[3]).all()


def test_within_a_loss_and_over_all_of_them() -> None:
    good, weak, loss, constant = metric_correlations(*study(np.random.default_rng(1)), LOSSES, NAMES)
    assert good.within.value > 0.8 > weak.within.value > 0.1
    assert loss.overall.value > 0.8
    assert loss.within.low < 0 < loss.within.high
    assert np.isnan(constant.within.value)
    assert constant.within.note == "too few cells or nothing varies"


def test_intervals_hold_the_true_correlation() -> None:
    rng, held = np.random.default_rng(5), []
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a normal pair of correlation 0.6
    for _ in range(300):
        x, noise = rng.normal(size=(2, 60, 5))
        values = rank_correlations(x[None], 0.6 * x + 0.8 * noise)[0]
        found = fisher_estimate(values)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_corners() -> None:
    metrics, scores = study(np.random.default_rng(6), seeds=1)
    one = metric_correlations(metrics, scores, LOSSES, NAMES)[0]
    assert one.within.note == "too few seeds"
    nothing = metric_correlations(np.full((1, 30, 5), np.nan), np.ones((30, 5)), LOSSES, ("m",))[0]
    assert np.isnan([nothing.overall.value, nothing.within.value]).all()
    assert np.isnan(
        rank_correlations(np.ones((1, 3, 2)).cumsum(axis=1), np.ones((3, 2)).cumsum(axis=0))
    ).all()
    perfect = fisher_estimate(np.ones(5))
    assert perfect.value == perfect.high == 1.0
    with pytest.raises(ValueError, match="metrics: got shape"):
        metric_correlations(metrics, scores, LOSSES, ("one",))
