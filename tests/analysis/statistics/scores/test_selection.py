"""The best cell of all seeds: half-run cells do not win, and equal cells stay equal."""

import numpy as np

from analysis.statistics.scores.selection import NONE, best_cell


def test_equal_cells_stay_equal_whatever_the_order_of_their_seeds() -> None:
    seeds = np.array([0.1, 0.2, 0.3, 0.7])
    assert best_cell(np.stack([seeds, seeds[::-1]])) == best_cell(np.stack([seeds[::-1], seeds])) == 0


def test_a_half_run_cell_does_not_win() -> None:
    assert best_cell(np.array([[0.9, np.nan], [0.5, 0.6], [0.4, 0.4]])) == 1
    assert best_cell(np.full((3, 2), np.nan)) == NONE
