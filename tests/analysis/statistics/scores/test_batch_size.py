"""Slopes over batch sizes agree with known answers."""

import itertools

import numpy as np
import pytest

from analysis.statistics.scores.batch_size import batch_elasticity

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
    for chooser, seed in itertools.permutations(range(4), 2):
        best = validation[..., chooser].argmax(axis=1)
        fixed.append(np.polyfit(np.log2(BATCHES), test[:, 1, seed], 1)[0])
        retuned.append(np.polyfit(np.log2(BATCHES), test[np.arange(3), best, seed], 1)[0])
    assert found.fixed.value == pytest.approx(np.mean(fixed))
    assert found.retuned.value == pytest.approx(np.mean(retuned))


def test_corners() -> None:
    one_batch = batch_elasticity(surface()[:1], surface()[:1], BATCHES[:1], 2)
    assert one_batch.fixed.note == one_batch.retuned.note == "one batch size"
    assert batch_elasticity(surface(seeds=1), surface(seeds=1), BATCHES, 2).retuned.note == "too few seeds"
    nothing = np.full((3, 5, 5), np.nan)
    assert np.isnan(batch_elasticity(nothing, nothing, BATCHES, 2).fixed.value)


def test_the_slope_at_the_tuned_value_is_chosen_and_scored_on_different_seeds() -> None:
    test, validation = np.random.default_rng(3).uniform(size=(2, 3, 5, 4))
    found = batch_elasticity(test, validation, BATCHES).fixed
    slow = []
    for chooser, seed in itertools.permutations(range(4), 2):
        at = int(validation[..., chooser].argmax()) % 5
        slow.append(np.polyfit(np.log2(BATCHES), test[:, at, seed], 1)[0])
    assert found.value == pytest.approx(np.mean(slow))
    assert "pairs of seeds" in found.method


def test_no_seed_with_all_batch_sizes_is_told() -> None:
    test = surface(seeds=2)
    test[0, 2, 0] = test[1, 2, 1] = np.nan
    assert batch_elasticity(test, surface(seeds=2), BATCHES, 2).fixed.note == "no complete seed"
