"""The tolerated volume is a share of the measure, counts exactly what lies within eps, and says its bias."""

import numpy as np
import pytest

from analysis.statistics.scores.tolerance import NO_INTERVAL, tolerance_volume

EVEN = np.full(4, 0.25)


def repeated(means: list[float], seeds: int = 5) -> np.ndarray:
    return np.repeat(np.array(means)[:, None], seeds, axis=1)


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
    assert tolerance_volume(scores, EVEN, eps=0.02, alive=alive).value == 0.5


def test_it_has_no_interval_and_says_its_bias() -> None:
    found = tolerance_volume(repeated([0.8, 0.79, 0.7, 0.5]), EVEN, eps=0.02)
    assert (found.value, found.has_interval, found.note) == (0.5, False, NO_INTERVAL)


@pytest.mark.parametrize(("seeds", "least", "most"), [(2, -0.18, -0.04), (10, -0.07, -0.02)])
def test_few_seeds_make_it_too_low_by_as_much_as_stated(seeds: int, least: float, most: float) -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 4))
    means = (0.88 - 0.32 * (x - 0.5) ** 2 - 0.05 * (y - 0.6) ** 2).ravel()
    rng, weights = np.random.default_rng(0), np.full(24, 1 / 24)
    found = [
        tolerance_volume(means[:, None] + 0.01 * rng.normal(size=(24, seeds)), weights, eps=0.02).value
        for _ in range(300)
    ]
    assert least <= np.mean(found) - np.mean(means >= means.max() - 0.02) <= most


def test_corners() -> None:
    assert tolerance_volume(np.full((4, 5), np.nan), EVEN, eps=0.02).note == "no trials"
    gap = repeated([0.8, 0.79, 0.7, 0.5])
    gap[1] = np.nan
    assert tolerance_volume(gap, EVEN, eps=0.02).value == pytest.approx(1 / 3)
    assert tolerance_volume(gap, EVEN, eps=0.02, note="provisional").note.startswith("provisional")
