"""The tolerated volume is a share of the measure, counts exactly what lies within eps, and has an honest interval."""

import numpy as np
import pytest

from analysis.statistics.scores.tolerance import tolerance_volume

EVEN = np.full(4, 0.25)


def repeated(means: list[float], seeds: int = 5) -> np.ndarray:
    return np.repeat(np.array(means)[:, None], seeds, axis=1)


def noisy(means: np.ndarray, seeds: int, rng: np.random.Generator) -> np.ndarray:
    shift = 0.02 * rng.normal(size=seeds)
    return means[:, None] + shift + 0.005 * rng.normal(size=(len(means), seeds))


def test_own_best_and_best_of_all() -> None:
    scores = repeated([0.8, 0.79, 0.77, 0.5])
    assert tolerance_volume(scores, EVEN, eps=0.02).value == 0.5
    assert tolerance_volume(scores, EVEN, eps=0.02, rivals=repeated([0.815, 0.1])).value == 0.25
    assert tolerance_volume(scores, EVEN, eps=0.02, rivals=repeated([0.9])).value == 0.0
    assert tolerance_volume(scores, EVEN, eps=0.02, rivals=repeated([0.7])).value == 0.5


def test_it_is_the_measure_and_not_the_count() -> None:
    scores, weights = repeated([0.8, 0.79, 0.5, 0.5]), np.array([0.1, 0.2, 0.3, 0.4])
    assert tolerance_volume(scores, weights, eps=0.02).value == pytest.approx(0.3)


def test_a_cell_exactly_eps_below_is_inside_and_a_dead_one_outside() -> None:
    scores = repeated([0.9, 0.88, 0.87999, 0.9])
    alive = np.array([True, True, True, False])
    found = tolerance_volume(scores, EVEN, eps=0.02, alive=alive)
    assert found.value == 0.5
    assert found.high <= 0.75


def test_no_spread_gives_an_interval_without_width() -> None:
    found = tolerance_volume(repeated([0.8, 0.79, 0.7, 0.5]), EVEN, eps=0.02)
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("rival", [None, 0.81])
def test_the_interval_holds_the_true_volume(rival: float | None) -> None:
    rng, means = np.random.default_rng(0), 0.8 - 0.01 * np.arange(20)
    weights, held, width = np.full(20, 0.05), [], []
    best = max(0.8, rival or 0.0)
    truth = np.mean(means >= best - 0.025)
    for _ in range(300):
        pool = noisy(means if rival is None else np.append(means, rival), 5, rng)
        rivals = None if rival is None else pool[20:]
        found = tolerance_volume(pool[:20], weights, eps=0.025, rivals=rivals)
        held.append(found.low - 1e-9 <= truth <= found.high + 1e-9)
        width.append(found.high - found.low)
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)
    assert np.mean(width) < 0.2  # the seeds' shift of 0.02 is taken out


def test_corners() -> None:
    assert tolerance_volume(np.full((4, 5), np.nan), EVEN, eps=0.02).note == "no trials"
    assert tolerance_volume(repeated([0.8, 0.8, 0.8, 0.8], seeds=4), EVEN, eps=0.02).note == "too few seeds"
    one = tolerance_volume(np.random.default_rng(0).normal(size=(1, 5)), np.ones(1), eps=0.02)
    assert (one.low, one.value, one.high) == (1.0, 1.0, 1.0)
    gap = repeated([0.8, 0.79, 0.7, 0.5])
    gap[1] = np.nan
    assert tolerance_volume(gap, EVEN, eps=0.02).value == pytest.approx(1 / 3)
    assert tolerance_volume(gap, EVEN, eps=0.02, note="provisional").note == "provisional"


def test_its_own_best_is_always_within() -> None:
    scores = noisy(np.full(4, 0.8), 5, np.random.default_rng(1)) + 0.1 * np.random.default_rng(2).normal(
        size=(4, 5)
    )
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    found = tolerance_volume(scores, weights, eps=1e-6)
    assert (found.low, found.high) == pytest.approx((0.1, 1.0))
    # the best of all losses may be a rival, and a dead cell's best is outside
    assert tolerance_volume(scores, weights, eps=1e-6, rivals=scores).low == 0
    dead = np.array([False, True, True, True])
    assert tolerance_volume(scores, weights, eps=1e-6, alive=dead).low == 0


def test_the_least_share_is_one_of_those_that_may_be_best() -> None:
    scores = noisy(np.array([0.3, 0.8, 0.8, 0.8]), 5, np.random.default_rng(1))
    found = tolerance_volume(scores, np.array([0.1, 0.2, 0.3, 0.4]), eps=1e-6)
    assert found.low == pytest.approx(0.2)


def test_no_configuration_in_doubt_is_told() -> None:
    assert (
        tolerance_volume(repeated([0.8, 0.79, 0.7, 0.5]), EVEN, eps=0.02).note == "no configuration in doubt"
    )
