"""Slopes and drifts over batch sizes agree with known answers, and their intervals hold the true drift."""

import numpy as np
import pytest

from analysis.statistics.scores.batch_size import batch_elasticity, best_drift, candidates

BATCHES, AXIS = np.array([16.0, 64.0, 256.0]), np.geomspace(0.1, 1.6, 5)


def surface(drift: float = 0.0, slope: float = 0.01, seeds: int = 5) -> np.ndarray:
    """`0.8 + slope log2(x / 64) - 0.1 log2(y / (0.4 (x / 64)^drift))^2`."""
    x, y = np.log2(BATCHES / 64)[:, None], np.log2(AXIS / 0.4)[None]
    return np.repeat((0.8 + slope * x - 0.1 * (y - drift * x) ** 2)[..., None], seeds, axis=-1)


def test_known_slopes() -> None:
    flat = batch_elasticity(surface(), surface(), BATCHES, 2)
    assert flat.fixed.value == pytest.approx(0.01)
    assert flat.retuned.value == pytest.approx(0.01)
    moving = batch_elasticity(surface(drift=0.5), surface(drift=0.5), BATCHES, 3)
    # at y = 0.8 the drops are 0.1 * (1 - x / 2)^2 at x = -2, 0, 2: 0.4, 0.1, 0, a gain of 0.1 a doubling
    assert moving.fixed.value == pytest.approx(0.01 + 0.1)
    assert moving.retuned.value == pytest.approx(0.01)


def test_slopes_agree_with_polyfit_seed_by_seed() -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, 3, 5, 4))
    found = batch_elasticity(test, validation, BATCHES, 1)
    fixed, retuned = [], []
    for seed in range(4):
        best = validation[..., (seed + 1) % 2 :: 2].mean(axis=-1).argmax(axis=1)
        fixed.append(np.polyfit(np.log2(BATCHES), test[:, 1, seed], 1)[0])
        retuned.append(np.polyfit(np.log2(BATCHES), test[np.arange(3), best, seed], 1)[0])
    assert found.fixed.value == pytest.approx(np.mean(fixed))
    assert found.retuned.value == pytest.approx(np.mean(retuned))


def test_drift_of_the_best_value() -> None:
    found = best_drift(surface(drift=0.5), BATCHES, AXIS)
    assert (found.low, found.value, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert best_drift(surface(), BATCHES, AXIS).value == pytest.approx(0.0, abs=1e-12)


def test_the_drift_interval_holds_the_true_drift() -> None:
    rng, truth, held, width = np.random.default_rng(1), surface(drift=0.5), [], []
    for _ in range(200):
        found = best_drift(truth + 0.04 * rng.normal(size=truth.shape), BATCHES, AXIS)
        held.append(found.low <= 0.5 + 1e-9 and found.high >= 0.5 - 1e-9)
        width.append(found.high - found.low)
    assert np.mean(held) >= 0.95
    assert 0 < np.mean(width) < 1.5


def test_candidates_are_those_that_none_beats() -> None:
    wobble = np.array([-0.01, 0.02, 0.0, -0.02, 0.01])
    scores = np.array([0.8, 0.79, 0.5])[:, None] + wobble * np.array([1.0, -1.0, 0.5])[:, None]
    assert candidates(scores[None]).tolist() == [[True, True, False]]
    assert candidates(np.array([[[0.5, 0.5], [0.4, 0.4]]])).tolist() == [[True, False]]
    assert candidates(np.array([[[0.5, np.nan], [0.4, 0.4]]])).tolist() == [[True, True]]


def test_corners() -> None:
    one_batch = batch_elasticity(surface()[:1], surface()[:1], BATCHES[:1], 2)
    assert one_batch.fixed.note == one_batch.retuned.note == "one batch size"
    assert best_drift(surface()[:1], BATCHES[:1], AXIS).note == "one batch size"
    assert best_drift(surface(), BATCHES, AXIS - 0.1).note == "no logarithm"
    assert best_drift(surface(seeds=4), BATCHES, AXIS).note == "too few seeds"
    assert batch_elasticity(surface(seeds=1), surface(seeds=1), BATCHES, 2).retuned.note == "too few seeds"
    nothing = np.full((3, 5, 5), np.nan)
    assert np.isnan(best_drift(nothing, BATCHES, AXIS).value)
    assert np.isnan(batch_elasticity(nothing, nothing, BATCHES, 2).fixed.value)
    constant = best_drift(surface()[:, 2:3], BATCHES, AXIS[2:3])
    assert (constant.low, constant.value, constant.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_interval_holds_the_drift_of_the_observed_best_where_rows_are_missing() -> None:
    """A value that lacks a seed may beat the best one over the seeds that both know."""
    scores = surface() + 1e-4 * np.random.default_rng(0).normal(size=(3, 5, 5))
    scores[0, 4], scores[0, 4, 0] = 0.95, np.nan
    found = best_drift(scores, BATCHES, AXIS)
    assert candidates(scores)[0].tolist() == [False, False, False, False, True]
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(0.0, abs=1e-12)


def test_the_slope_at_the_tuned_value_is_chosen_and_scored_on_different_seeds() -> None:
    test, validation = np.random.default_rng(3).uniform(size=(2, 3, 5, 4))
    found = batch_elasticity(test, validation, BATCHES).fixed
    slow = []
    for seed in range(4):
        at = int(validation[..., (seed + 1) % 2 :: 2].mean(axis=-1).argmax()) % 5
        slow.append(np.polyfit(np.log2(BATCHES), test[:, at, seed], 1)[0])
    assert found.value == pytest.approx(np.mean(slow))
    assert "conservative" in found.method


def test_no_seed_with_all_batch_sizes_is_told() -> None:
    test = surface(seeds=2)
    test[0, 2, 0] = test[1, 2, 1] = np.nan
    assert batch_elasticity(test, surface(seeds=2), BATCHES, 2).fixed.note == "no complete seed"
