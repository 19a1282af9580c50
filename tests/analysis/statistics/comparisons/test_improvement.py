"""The chance of improvement and its interval agree with loops, and the interval holds the true chance."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.comparisons.improvement import probability_of_improvement


def slow_probability(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    total, share = 0.0, 0.0
    for left, right, weight in zip(a, b, weights, strict=True):
        pairs = [
            (x > y) + 0.5 * (x == y)
            for s, x in enumerate(left)
            for t, y in enumerate(right)
            if s != t and np.isfinite(x) and np.isfinite(y)
        ]
        if pairs:
            total, share = total + weight * np.mean(pairs), share + weight
    return total / share


def test_it_and_its_interval_agree_with_loops() -> None:
    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(size=(2, 6, 5)), 1)
    a[0, 1] = b[2, 3] = np.nan
    a[5] = np.nan
    weights = rng.dirichlet(np.ones(6))
    found = probability_of_improvement(a, b, weights)
    assert found.value == pytest.approx(slow_probability(a, b, weights))
    left_out = np.array(
        [slow_probability(np.delete(a, s, axis=1), np.delete(b, s, axis=1), weights) for s in range(5)]
    )
    half = stats.t.ppf(0.975, 4) * np.sqrt(4 * left_out.var())
    assert found.low == pytest.approx(max(found.value - half, 0))


def test_known_answers() -> None:
    a, b = np.array([[1.0, 2, 3, 4, 5]]), np.zeros((1, 5))
    assert probability_of_improvement(a, b, np.ones(1)).value == 1.0
    assert probability_of_improvement(a, a, np.ones(1)).value == 0.5
    assert probability_of_improvement(
        np.concatenate([a, b]), np.concatenate([b, a]), np.array([0.3, 0.7])
    ).value == (pytest.approx(0.3))


def test_its_interval_holds_the_true_chance() -> None:
    rng, held = np.random.default_rng(1), []
    truth = stats.norm.cdf(0.5 / np.sqrt(2))
    for _ in range(300):
        a, b = rng.normal(size=(2, 10, 8))
        found = probability_of_improvement(a + 0.5, b, np.full(10, 0.1))
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_corners() -> None:
    few = probability_of_improvement(np.ones((2, 1)), np.zeros((2, 1)), np.full(2, 0.5))
    assert (few.value, few.note) == (1.0, "too few seeds")
    nothing = probability_of_improvement(np.full((2, 5), np.nan), np.zeros((2, 5)), np.full(2, 0.5))
    assert (np.isnan(nothing.value), nothing.note) == (True, "no trials")


def test_provisional_scores_have_no_interval() -> None:
    a, b = np.random.default_rng(0).uniform(size=(2, 6, 5))
    found = probability_of_improvement(a, b, np.full(6, 1 / 6), note="provisional")
    assert (found.has_interval, found.note) == (False, "provisional")
    assert found.value == probability_of_improvement(a, b, np.full(6, 1 / 6)).value
