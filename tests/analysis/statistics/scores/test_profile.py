"""Performance profiles agree with a loop and an integral, and their bands hold the true curve and area."""

import numpy as np
import pytest

from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.scores.profile import profile, profile_area


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


def test_its_area_is_the_integral() -> None:
    rng = np.random.default_rng(1)
    scores, weights = rng.uniform(0.2, 0.9, size=(20, 6)), rng.dirichlet(np.ones(20))
    for low, high in ((0.0, 1.0), (0.4, 0.6)):
        thresholds = low + (np.arange(4000) + 0.5) / 4000 * (high - low)
        area = profile(scores, weights, thresholds).share.mean()
        assert profile_area(scores, weights, low=low, high=high).value == pytest.approx(area, abs=1e-3)


def test_the_area_between_the_bounds_is_the_mean_with_its_interval() -> None:
    scores = np.random.default_rng(2).uniform(size=(10, 5))
    by_seed = scores.mean(axis=0)
    found = profile_area(scores, np.full(10, 0.1))
    half = 2.776445105 * by_seed.std(ddof=1) / np.sqrt(5)
    assert (found.value, found.high) == pytest.approx((by_seed.mean(), by_seed.mean() + half))


def test_bands_hold_the_true_curve_and_the_true_area() -> None:
    rng, means, weights = np.random.default_rng(3), 0.5 + 0.02 * np.arange(20), np.full(20, 0.05)
    thresholds = np.linspace(0.45, 1.0, 57)
    truth = np.array([(means >= t).mean() for t in thresholds])
    area = np.mean(np.clip(means, 0.6, 0.8) - 0.6) / 0.2
    held = []
    for _ in range(300):
        scores = means[:, None] + 0.01 * rng.normal(size=5) + 0.01 * rng.normal(size=(20, 5))
        curve, found = profile(scores, weights, thresholds), profile_area(scores, weights, low=0.6, high=0.8)
        inside = np.all((curve.low <= truth + 1e-9) & (truth <= curve.high + 1e-9))
        held.append([inside, found.low <= area <= found.high])
    assert np.mean(held, axis=0).min() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_corners() -> None:
    empty = profile(np.full((2, 5), np.nan), np.full(2, 0.5), np.array([0.5]))
    assert np.isnan(empty.share).all()
    assert empty.note == "no trials"
    few = profile(np.ones((2, 4)), np.full(2, 0.5), np.array([0.5, 2.0]))
    assert few.share.tolist() == [1.0, 0.0]
    assert np.isnan(few.low).all()
    assert few.note == "too few seeds"
    assert profile_area(np.full((2, 5), np.nan), np.full(2, 0.5)).note == "no trials"
    half = np.array([[0.4, np.nan], [np.nan, 0.6]])
    assert profile_area(half, np.full(2, 0.5)).value == pytest.approx(0.5)
    assert profile_area(half, np.full(2, 0.5)).note == "no complete seed"
    assert profile_area(np.array([[0.4]]), np.ones(1)).note == "too few seeds"


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
