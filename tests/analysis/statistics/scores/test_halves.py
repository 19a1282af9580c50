"""Choices on one half of the seeds are scored on the other, and equal cells stay equal."""

import math

import numpy as np
import pytest

from analysis.statistics.scores.cross_fitting import (
    half_widening,
    held_out_cells,
    held_out_estimate,
    means_of_other_half,
)
from analysis.statistics.scores.selection import NONE, scored_at


def slow_choice(validation: np.ndarray, seed: int) -> int:
    """The best mean over the other half, among the cells that know most of it, the first of equals."""
    best, at = (-1, -math.inf), NONE
    for cell, row in enumerate(validation[:, (seed + 1) % 2 :: 2]):
        known = row[np.isfinite(row)]
        if len(known) and (len(known), round(known.mean(), 12)) > best:
            best, at = (len(known), round(known.mean(), 12)), cell
    return at


@pytest.mark.parametrize("seeds", [2, 5])
def test_choices_agree_with_a_loop(seeds: int) -> None:
    rng = np.random.default_rng(0)
    validation = np.round(rng.normal(size=(30, 5, seeds)), 1)  # rounded: with ties
    validation[rng.uniform(size=validation.shape) < 0.2] = np.nan
    found = held_out_cells(validation)
    assert found.tolist() == [[slow_choice(table, seed) for seed in range(seeds)] for table in validation]
    worst = held_out_cells(validation, worst=True)
    assert worst.tolist() == [[slow_choice(-table, seed) for seed in range(seeds)] for table in validation]


def test_means_are_those_of_the_other_half() -> None:
    mean, count = means_of_other_half(np.array([[1.0, 2.0, np.nan, 6.0, 3.0]]))
    assert mean.tolist() == [[4.0, 2.0, 4.0, 2.0, 4.0]]
    assert count.tolist() == [[2, 2, 2, 2, 2]]


def test_equal_cells_stay_equal_whatever_the_order_of_their_seeds() -> None:
    seeds = np.array([0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.7, 0.7])
    assert held_out_cells(np.stack([seeds[::-1], seeds])).tolist() == [0] * 8


def test_corners() -> None:
    assert held_out_cells(np.ones((3, 1))).tolist() == [NONE]
    assert held_out_cells(np.full((3, 2), np.nan)).tolist() == [NONE, NONE]
    assert held_out_cells(np.empty((0, 2))).tolist() == [NONE, NONE]
    assert held_out_cells(np.empty((3, 0))).tolist() == []
    assert held_out_estimate(np.array([np.nan])).note == "too few seeds"
    assert not held_out_estimate(np.array([0.5])).has_interval
    assert [half_widening(seeds) for seeds in (0, 1, 2, 3)] == [1.0, 1.0, 2.0, 1.5]
    assert half_widening(10) == pytest.approx(math.sqrt(1.5))


@pytest.mark.parametrize("cells", [2, 10, 50])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 20])
def test_the_best_of_equal_cells_is_no_better_than_the_truth(cells: int, seeds: int) -> None:
    """The hardest case: cells of one true score, validation and test being the same numbers."""
    scores = np.random.default_rng(seeds).normal(size=(1000, cells, seeds))
    held_out = scored_at(scores, held_out_cells(scores))
    held = [found.low <= 0 <= found.high for found in map(held_out_estimate, held_out)]
    assert np.mean(held) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 1000)
    assert abs(held_out.mean()) <= 4 * held_out.std() / math.sqrt(1000 * seeds / 1.5)


def test_one_clear_peak_is_scored_by_its_own_seeds() -> None:
    scores = np.array([0.5, 0.9, 0.4])[:, None] + 0.01 * np.random.default_rng(0).normal(size=(3, 6))
    assert scored_at(scores, held_out_cells(scores)).tolist() == scores[1].tolist()
