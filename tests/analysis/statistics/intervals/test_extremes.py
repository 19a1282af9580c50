"""Intervals of the best and worst cell allow for the luck of picking it, and for missing trials."""

import numpy as np
import pytest

from analysis.statistics.intervals.extremes import bracketed_estimate
from analysis.statistics.intervals.student import student_interval


def best(means: np.ndarray) -> np.ndarray:
    return np.eye(len(means))[means.argmax()]


def lowest(means: np.ndarray) -> np.ndarray:
    return np.eye(len(means))[means.argmin()]


def test_a_clear_best_has_students_interval() -> None:
    scores = np.array([[0.9], [0.1]]) + 0.01 * np.random.default_rng(0).normal(size=(2, 6))
    found = bracketed_estimate(scores, best, largest=True)
    _, low, high = student_interval(scores[0])
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.value == pytest.approx(scores[0].mean())


def test_the_smallest_is_the_largest_upside_down() -> None:
    scores = np.random.default_rng(1).normal(size=(5, 6))
    up, down = (
        bracketed_estimate(scores, best, largest=True),
        bracketed_estimate(-scores, lowest, largest=False),
    )
    assert (down.low, down.value, down.high) == pytest.approx((-up.high, -up.value, -up.low))


def test_the_best_of_equal_cells_reaches_down_to_what_choosing_is_worth() -> None:
    """The plain value is far above the truth, 0; the interval holds it all the same."""
    rng, held, plain = np.random.default_rng(2), [], []
    for _ in range(300):
        scores = rng.normal(size=(30, 5))
        found = bracketed_estimate(scores, best, largest=True)
        held.append(found.low <= 0 <= found.high)
        _, low, high = student_interval(scores[scores.mean(axis=1).argmax()])
        plain.append(low <= 0 <= high)
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)
    assert np.mean(plain) < 0.8


def test_a_missing_trial_counts_as_its_cells_mean_and_its_seeds_shift() -> None:
    shift = np.array([0.0, 0.1, -0.1, 0.05, 0.02])
    scores = np.array([[0.5], [0.7]]) + shift
    gap = scores.copy()
    gap[0, 3] = np.nan

    def both(means: np.ndarray) -> np.ndarray:
        return np.full(2, 0.5)

    whole, found = (bracketed_estimate(item, both, largest=True) for item in (scores, gap))
    assert found.seeds == 5
    assert found.value == pytest.approx(whole.value, abs=0.02)
    assert found.high == pytest.approx(whole.high, abs=0.03)


def test_too_few_seeds_and_notes() -> None:
    scores = np.random.default_rng(3).normal(size=(3, 4))
    found = bracketed_estimate(scores, best, largest=True)
    assert (found.note, found.has_interval) == ("too few seeds", False)
    assert found.value == pytest.approx(scores.mean(axis=1).max())
    enough = np.random.default_rng(3).normal(size=(3, 5))
    assert bracketed_estimate(enough, best, largest=True, note="provisional").note == "provisional"
    assert "conservative" in bracketed_estimate(enough, best, largest=True).method


def test_ends_that_meet_are_told() -> None:
    scores = np.repeat(np.array([0.1, 0.1, 0.9])[:, None], 5, axis=1)
    found = bracketed_estimate(scores, lambda means: np.eye(len(means))[means.argmin()], largest=False)
    assert (found.low, found.high, found.note) == (0.1, 0.1, "no spread between seeds")
