"""Missing scores are filled in by least squares over cells and seeds, and only where enough is known."""

import numpy as np
import pytest

from analysis.statistics.intervals.imputation import fill_gaps

EVEN = np.full(10, 0.1)


def additive(seeds: int = 5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(10, 1)) + rng.normal(size=seeds)


def test_sums_of_cell_and_seed_are_found_again() -> None:
    truth = additive()
    scores = truth.copy()
    scores[0, 0] = scores[3, 1] = scores[3, 2] = scores[9, 4] = np.nan
    found = fill_gaps(scores, EVEN)
    assert found.scores == pytest.approx(truth)
    assert (found.count, found.widen) == (4, pytest.approx(1 / (1 - 4 / 50)))


def test_it_is_least_squares() -> None:
    scores = np.random.default_rng(1).normal(size=(10, 4))
    scores[0, 0] = scores[1, 1] = scores[2, 1] = np.nan
    rows, columns = np.nonzero(np.isfinite(scores))
    design = np.zeros((len(rows), 14))
    design[np.arange(len(rows)), rows] = design[np.arange(len(rows)), 10 + columns] = 1
    fitted = np.linalg.lstsq(design, scores[rows, columns], rcond=None)[0]
    found = fill_gaps(scores, EVEN).scores
    for cell, seed in ((0, 0), (1, 1), (2, 1)):
        assert found[cell, seed] == pytest.approx(fitted[cell] + fitted[10 + seed])
    known = np.isfinite(scores)
    assert found[known].tolist() == scores[known].tolist()


def test_nothing_missing_changes_nothing() -> None:
    scores = np.random.default_rng(2).normal(size=(10, 4))
    found = fill_gaps(scores, EVEN)
    assert (found.scores is scores, found.count, found.widen) == (True, 0, 1.0)


def test_a_seed_that_still_runs_does_not_enter() -> None:
    scores = additive()
    scores[:3, 4], scores[0, 0] = np.nan, np.nan
    found = fill_gaps(scores, EVEN)
    assert np.isnan(found.scores[:, 4]).all()
    assert np.isfinite(found.scores[:, :4]).all()
    assert (found.count, found.widen) == (1, pytest.approx(1 / (1 - 1 / 40)))


@pytest.mark.parametrize(
    ("seeds", "lacking", "filled"), [(5, 2, True), (5, 3, False), (2, 1, False), (3, 1, True)]
)
def test_a_cell_that_few_seeds_know_is_not_filled_in(seeds: int, lacking: int, filled: bool) -> None:
    scores = additive(seeds)
    scores[4, :lacking] = np.nan
    found = fill_gaps(scores, EVEN)
    assert (found.count > 0) == filled
    assert np.isnan(found.scores).any() != filled


def test_cells_without_a_share_play_no_part() -> None:
    scores, weights = additive(), np.append(np.full(9, 1 / 9), 0.0)
    scores[9, :4], scores[0, 0] = np.nan, np.nan
    found = fill_gaps(scores, weights)
    assert found.count == 1
    assert found.scores[:9] == pytest.approx(additive()[:9])
    assert found.scores[9, 4] == scores[9, 4]


def test_nothing_known() -> None:
    for scores in (np.full((10, 5), np.nan), np.empty((10, 0)), np.full((10, 1), 0.5)):
        assert fill_gaps(scores, EVEN).count == 0
