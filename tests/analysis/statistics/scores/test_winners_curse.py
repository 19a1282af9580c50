"""The optimism of a naive choice is found among equal cells, and a clear best has none."""

import numpy as np
import pytest

from analysis.statistics.scores.winners_curse import winners_curse


def test_optimism_is_naive_less_split() -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, 10, 6))
    found = winners_curse(test, validation)
    assert found.naive == pytest.approx(test.mean(axis=1).max())
    slow = [test[validation[:, (seed + 1) % 2 :: 2].mean(axis=1).argmax(), seed] for seed in range(6)]
    assert found.split.value == pytest.approx(np.mean(slow))
    assert found.optimism.value == pytest.approx(found.naive - found.split.value)


def test_it_finds_the_luck_of_the_best_of_equal_cells() -> None:
    rng = np.random.default_rng(1)
    found = [winners_curse(noise, bounds=(-np.inf, np.inf)) for noise in rng.normal(size=(400, 20, 5))]
    expected = np.max(rng.normal(size=(20000, 20)), axis=1).mean() / np.sqrt(5)
    optimism = np.array([item.optimism.value for item in found])
    assert optimism.mean() == pytest.approx(expected, abs=4 * optimism.std() / 20)
    split = np.array([item.split.value for item in found])
    assert abs(split.mean()) <= 4 * split.std() / 20


def test_a_clear_best_has_none() -> None:
    scores = np.array([0.5, 0.9])[:, None] + 0.01 * np.random.default_rng(2).normal(size=(2, 5))
    found = winners_curse(scores)
    assert (found.optimism.value, found.optimism.low, found.optimism.high) == (0, 0, 0)


def test_corners() -> None:
    one = winners_curse(np.array([[0.5], [0.6]]))
    assert (one.naive, one.split.note, one.optimism.note) == (0.6, "too few seeds", "too few seeds")
    nothing = winners_curse(np.full((2, 3), np.nan))
    assert (np.isnan(nothing.naive), nothing.split.note) == (True, "no trials")
    assert winners_curse(np.array([[0.5, 0.7]])).optimism.value == 0


def test_the_same_pick_is_told_as_such() -> None:
    scores = np.array([0.5, 0.9])[:, None] + 0.01 * np.random.default_rng(2).normal(size=(2, 5))
    found = winners_curse(scores)
    assert (found.optimism.value, found.optimism.note) == (0, "same configuration chosen")
    assert found.split.note == ""
    assert (
        winners_curse(np.full((2, 5), 0.5) + np.array([[0.0], [0.1]])).split.note == "no spread between seeds"
    )
