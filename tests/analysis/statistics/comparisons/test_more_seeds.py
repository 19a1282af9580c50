"""Planned seeds are the least that have the power, and planned trials go where they lower the variance most."""

import numpy as np
import pytest

from analysis.statistics.comparisons.more_seeds import seeds_to_settle, where_to_add_seeds
from analysis.statistics.comparisons.power import power


@pytest.mark.parametrize("alpha", [0.05, 0.0005])
def test_they_are_the_least_that_have_the_power(alpha: float) -> None:
    means, deviation = np.array([0.3, 0.7, -1.5]), 0.9
    for mean, seeds in zip(means, seeds_to_settle(means, deviation, alpha=alpha), strict=True):
        effect = abs(mean) / deviation
        assert power(effect, seeds=int(min(seeds, 100)), alpha=alpha) >= 0.8 or seeds == np.inf
        assert power(effect, seeds=int(min(seeds, 101)) - 1, alpha=alpha) < 0.8


def test_ten_pairs_find_one_deviation() -> None:
    assert seeds_to_settle(1.0, 1.0) == 10  # power 0.8 at one deviation takes ten pairs (standard tables)


def test_corners_of_seeds() -> None:
    mean, deviation = np.array([0.1, 0.2, 0.0, 0.001, -0.2]), np.array([np.nan, 0.0, 0.0, 1.0, 0.0])
    assert seeds_to_settle(mean, deviation) == pytest.approx([np.nan, 2, np.inf, np.inf, 2], nan_ok=True)
    assert seeds_to_settle(1e9, 1.0, alpha=1e-9) == 2  # a family of very many cells


def test_trials_go_where_the_noise_is() -> None:
    scores = np.array([0.0, 1.0, 0.0, 1.0]) * np.array([1.0, 3.0, 0.0])[:, None]
    added = where_to_add_seeds(scores, np.full(3, 1 / 3), trials=40)
    assert added.sum() == 40
    assert added[2] == 0
    assert (added[1] + 4) / (added[0] + 4) == pytest.approx(3, rel=0.1)


def test_no_other_place_lowers_the_variance_more() -> None:
    rng = np.random.default_rng(1)
    scores, weights = rng.normal(size=(5, 3)) * rng.uniform(size=(5, 1)), rng.dirichlet(np.ones(5))
    part = (weights * scores.std(axis=1, ddof=1)) ** 2
    added = where_to_add_seeds(scores, weights, trials=6)
    best = part @ (1 / (3 + added))
    for drop in np.flatnonzero(added):
        for gain in range(5):
            moved = added + np.eye(5, dtype=int)[gain] - np.eye(5, dtype=int)[drop]
            assert part @ (1 / (3 + moved)) >= best - 1e-15


def test_corners_of_places() -> None:
    assert where_to_add_seeds(np.ones((3, 4)), np.full(3, 1 / 3), trials=5).tolist() == [0, 0, 0]
    single = np.array([[0.1, np.nan], [0.1, 0.4], [np.nan, np.nan]])
    assert where_to_add_seeds(single, np.full(3, 1 / 3), trials=2).tolist() == [1, 0, 1]
    assert where_to_add_seeds(single, np.array([0.5, 0.5, 0.0]), trials=3)[2] == 0
    with pytest.raises(ValueError, match="trials: got -1"):
        where_to_add_seeds(single, np.full(3, 1 / 3), trials=-1)
