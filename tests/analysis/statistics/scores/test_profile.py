"""Performance profiles agree with a loop, and their bands hold the true curve."""

import numpy as np
import pytest

from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.scores.profile import profile


def test_it_agrees_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    scores, weights = np.round(rng.uniform(size=(40, 6)), 1), rng.dirichlet(np.ones(40))
    thresholds = np.linspace(0, 1, 23)
    found = profile(scores, weights, thresholds)
    means = scores.mean(axis=1)
    slow = [sum(w for w, m in zip(weights, means, strict=True) if m >= t - 1e-12) for t in thresholds]
    assert found.share == pytest.approx(slow)
    assert np.all(found.low <= found.share)
    assert np.all(found.high >= found.share)


def test_bands_hold_the_true_curve() -> None:
    rng, means, weights = np.random.default_rng(3), 0.5 + 0.02 * np.arange(20), np.full(20, 0.05)
    thresholds = np.linspace(0.45, 1.0, 57)
    truth = np.array([(means >= t).mean() for t in thresholds])
    held = []
    for _ in range(300):
        scores = means[:, None] + 0.01 * rng.normal(size=5) + 0.01 * rng.normal(size=(20, 5))
        curve = profile(scores, weights, thresholds)
        held.append(np.all((curve.low <= truth + 1e-9) & (truth <= curve.high + 1e-9)))
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_corners() -> None:
    empty = profile(np.full((2, 5), np.nan), np.full(2, 0.5), np.array([0.5]))
    assert np.isnan(empty.share).all()
    assert empty.note == "no trials"
    few = profile(np.ones((2, 4)), np.full(2, 0.5), np.array([0.5, 2.0]))
    assert few.share.tolist() == [1.0, 0.0]
    assert np.isnan(few.low).all()
    assert few.note == "too few seeds"


def test_a_cell_of_one_seed_may_lie_anywhere() -> None:
    scores = np.full((2, 5), 0.8)
    scores[1, 1:] = np.nan
    found = profile(scores, np.full(2, 0.5), np.array([0.5, 0.9]))
    assert found.low.tolist() == [0.5, 0.0]
    assert found.high.tolist() == [1.0, 0.5]


def test_moderated_bands_are_narrower_than_each_cell_by_itself_and_hold_together() -> None:
    rng, held, width = np.random.default_rng(4), [], []
    for _ in range(300):
        scores = 0.02 * rng.normal(size=5) + 0.01 * rng.normal(size=(50, 5))
        low, high = moderated_bands(scores)
        held.append(np.all((low <= 0) & (high >= 0)))
        width.append(np.mean(high - low))
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)
    assert np.mean(width) < 2 * 8.6 * np.hypot(0.02, 0.01) / np.sqrt(5)  # t(4) at 0.05 / 100 is 8.6


def test_moderated_bands_of_no_spread_and_of_gaps() -> None:
    low, high = moderated_bands(np.full((3, 5), 0.5))
    assert low.tolist() == high.tolist() == [0.5] * 3
    gap = np.random.default_rng(0).normal(size=(3, 5))
    gap[0, 0] = np.nan
    assert np.isfinite(moderated_bands(gap)).all()
    assert np.isnan(moderated_bands(np.ones((3, 1)))).all()
