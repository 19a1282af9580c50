"""Tuning gaps agree with known answers and with every draw, and equal cells have none."""

import itertools
import math

import numpy as np
import pytest

from analysis.statistics.scores.gaps import tuning_gaps

EVEN = np.full(4, 0.25)


def repeated(means: list[float], seeds: int = 5) -> np.ndarray:
    return np.repeat(np.array(means)[:, None], seeds, axis=1)


def test_known_answers_without_noise() -> None:
    scores = repeated([0.6, 0.9, 0.5, 0.8])
    found = tuning_gaps(scores, scores, EVEN, 3, tail=0.5)
    assert found.tuned.value == pytest.approx(0.9)
    assert found.default.value == pytest.approx(0.1)
    assert found.random.value == pytest.approx(0.2)
    assert found.worst.value == pytest.approx(0.9 - 0.55)
    assert found.tuned.note == "no spread between seeds"


def test_a_part_of_a_cell_enters_the_worst_case() -> None:
    scores = repeated([0.6, 0.9, 0.5, 0.8])
    found = tuning_gaps(scores, scores, np.array([0.1, 0.4, 0.2, 0.3]), 3, tail=0.25)
    assert found.worst.value == pytest.approx(0.9 - (0.2 * 0.5 + 0.05 * 0.6) / 0.25)


def test_the_best_of_a_budget_agrees_with_every_draw() -> None:
    means, budget = [0.6, 0.9, 0.5, 0.8], 3
    found = tuning_gaps(repeated(means), repeated(means), EVEN, 0, budget=budget)
    draws = [max(means[cell] for cell in drawn) for drawn in itertools.product(range(4), repeat=budget)]
    assert found.tuned.value == pytest.approx(np.mean(draws))
    assert tuning_gaps(repeated(means), repeated(means), EVEN, 0, budget=1).random.value == pytest.approx(0)


def test_the_best_of_a_budget_under_a_measure() -> None:
    means, weights = np.array([0.6, 0.9, 0.5, 0.8]), np.array([0.1, 0.4, 0.2, 0.3])
    drawn = np.random.default_rng(0).choice(means, p=weights, size=(200_000, 4)).max(axis=1)
    found = tuning_gaps(repeated(list(means)), repeated(list(means)), weights, 0, budget=4)
    assert found.tuned.value == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(200_000))


def test_one_seed_selects_and_another_scores() -> None:
    rng = np.random.default_rng(1)
    test, validation = rng.uniform(size=(2, 6, 4))
    pairs = list(itertools.permutations(range(4), 2))
    tuned = np.mean([test[validation[:, r].argmax(), s] for r, s in pairs])
    worst = np.mean([test[validation[:, r].argmin(), s] for r, s in pairs])
    found = tuning_gaps(test, validation, np.full(6, 1 / 6), 2, tail=0.1)
    assert found.tuned.value == pytest.approx(tuned)
    assert found.worst.value == pytest.approx(tuned - worst)
    assert found.default.value == pytest.approx(tuned - test[2].mean())


def test_equal_cells_have_no_gaps_and_no_false_ones() -> None:
    rng, false = np.random.default_rng(2), []
    for _ in range(300):
        test = 0.5 + 0.01 * rng.normal(size=(10, 5))
        found = tuning_gaps(test, test, np.full(10, 0.1), 0)
        gaps = (found.default, found.random, found.worst)
        false.append([not gap.low <= 0 <= gap.high for gap in gaps])
    assert np.mean(false, axis=0).max() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_corners() -> None:
    scores = repeated([0.6, 0.9, 0.5, 0.8], seeds=1)
    found = tuning_gaps(scores, scores, EVEN, 0)
    assert (found.tuned.note, found.default.note) == ("too few seeds", "too few seeds")
    nothing = tuning_gaps(np.full((4, 3), np.nan), np.full((4, 3), np.nan), EVEN, 0)
    assert math.isnan(nothing.tuned.value)
    one = tuning_gaps(np.array([[0.5, 0.6]]), np.array([[0.5, 0.6]]), np.ones(1), 0)
    assert (one.default.value, one.random.value, one.worst.value) == (0, 0, 0)
    assert math.isnan(tuning_gaps(scores, scores, EVEN, None).default.value)
    with pytest.raises(ValueError, match="budget: got 0"):
        tuning_gaps(scores, scores, EVEN, 0, budget=0)


def test_a_missing_trial_costs_pairs_where_it_is_needed() -> None:
    scores = repeated([0.6, 0.9, 0.5, 0.8]) + np.linspace(0, 0.01, 5)
    scores[2, 4] = np.nan
    found = tuning_gaps(scores, scores, EVEN, 0)
    # the last seed knows three of four cells, too few to select
    assert (found.tuned.seeds, found.tuned.note) == (4, "4 of 5 seeds")
    assert (found.random.seeds, found.random.note) == (4, "4 of 5 seeds")
