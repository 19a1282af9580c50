"""Leave-one-seed-out choices ignore half-run cells and are scored on the seed left out."""

import numpy as np

from analysis.statistics.scores.selection import NONE, best_cell, scored_at


def test_equal_cells_stay_equal_whatever_the_order_of_their_seeds() -> None:
    seeds = np.array([0.1, 0.2, 0.3, 0.7])
    assert best_cell(np.stack([seeds, seeds[::-1]])) == best_cell(np.stack([seeds[::-1], seeds])) == 0


def test_a_half_run_cell_does_not_win() -> None:
    assert best_cell(np.array([[0.9, np.nan], [0.5, 0.6], [0.4, 0.4]])) == 1
    assert best_cell(np.full((3, 2), np.nan)) == NONE


def test_scores_are_those_of_the_seed_left_out() -> None:
    test = np.arange(6.0).reshape(3, 2)
    assert scored_at(test, np.array([2, 0])).tolist() == [4.0, 1.0]
    assert np.isnan(scored_at(test, np.array([NONE, 0]))[0])
    assert np.isnan(scored_at(np.empty((0, 2)), np.array([NONE, NONE]))).all()
