"""Failure rates and their intervals agree with scipy, by cell and over the space, also of unfinished studies."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.scores.failure_rates import (
    EXACT,
    clopper_pearson,
    failure_scores,
    failure_surface,
    wilson,
)

COUNTS = np.array([0, 1, 3, 5, 0]), np.array([5, 5, 5, 5, 0])


@pytest.mark.parametrize(("interval", "method"), [(wilson, "wilson"), (clopper_pearson, "exact")])
def test_intervals_agree_with_scipy(interval: object, method: str) -> None:
    low, high = interval(*COUNTS)  # type: ignore[operator]
    for place, (failed, tried) in enumerate(zip(*COUNTS, strict=True)):
        if tried:
            found = stats.binomtest(int(failed), int(tried)).proportion_ci(method=method)
            assert (low[place], high[place]) == pytest.approx((found.low, found.high), abs=1e-12)
    assert np.isnan([low[-1], high[-1]]).all()


def test_rates_by_cell_and_over_the_space() -> None:
    failed = np.array([[True, True, False], [False, False, False]])
    found = failure_surface(failed, np.ones((2, 3), dtype=bool), np.array([0.75, 0.25]), method=EXACT)
    assert found.rate == pytest.approx([2 / 3, 0])
    assert found.overall.value == pytest.approx(0.5)
    assert found.overall.seeds == 3
    assert found.high[1] == pytest.approx(1 - 0.025 ** (1 / 3))


def test_untried_trials_count_for_nothing() -> None:
    failed, tried = np.array([[True, True, False]]), np.array([[True, False, True]])
    found = failure_surface(failed, tried, np.ones(1))
    assert (found.rate[0], found.failed[0], found.tried[0], found.overall.seeds) == (0.5, 1, 2, 2)


def test_no_failure_is_no_certainty() -> None:
    none = failure_surface(
        np.zeros((4, 5), dtype=bool), np.ones((4, 5), dtype=bool), np.full(4, 0.25)
    ).overall
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(1 - 0.025**0.2)
    every = failure_surface(
        np.ones((4, 5), dtype=bool), np.ones((4, 5), dtype=bool), np.full(4, 0.25)
    ).overall
    assert (every.value, every.high) == (1, 1)


def test_scores_with_and_without_failures() -> None:
    scores = np.array([[0.9, 0.8], [0.1, 0.1], [0.5, 0.1]])
    failed = np.array([[False, False], [True, True], [False, True]])
    found = failure_scores(scores, failed, np.array([0.5, 0.25, 0.25]))
    assert found.with_failures.value == pytest.approx(np.mean([0.6, 0.45]))
    assert found.without_failures.value == pytest.approx(np.mean([0.575 / 0.75, 0.8]))
    assert found.cost.value == pytest.approx(found.without_failures.value - found.with_failures.value)
    assert found.share_lost == 0.25


def test_a_half_run_grid_has_a_rate_without_an_interval() -> None:
    tried = np.array([[True, True], [True, False], [False, False]])
    failed = np.array([[True, False], [True, False], [False, False]])
    found = failure_surface(failed, tried, np.array([0.25, 0.25, 0.5])).overall
    assert found.value == pytest.approx((0.5 + 1.0) / 2)
    assert not found.has_interval
    assert "no seed has tried every configuration" in found.note


def test_corners() -> None:
    nothing = failure_surface(np.zeros((2, 3), dtype=bool), np.zeros((2, 3), dtype=bool), np.full(2, 0.5))
    assert np.isnan(nothing.rate).all()
    assert np.isnan(nothing.overall.value)
    weightless = failure_surface(np.zeros((2, 3), dtype=bool), np.ones((2, 3), dtype=bool), np.zeros(2))
    assert np.isnan(weightless.overall.value)
    all_failed = failure_scores(np.full((2, 3), 0.1), np.ones((2, 3), dtype=bool), np.full(2, 0.5))
    assert all_failed.with_failures.value == pytest.approx(0.1)
    assert np.isnan(all_failed.without_failures.value)
    assert all_failed.share_lost == 1.0
    gap = failure_scores(np.array([[0.5, np.nan]]), np.zeros((1, 2), dtype=bool), np.ones(1))
    assert (gap.with_failures.seeds, gap.with_failures.note) == (1, "too few seeds")
    with pytest.raises(ValueError, match="method: got 'wald'"):
        failure_surface(np.ones((1, 1), dtype=bool), np.ones((1, 1), dtype=bool), np.ones(1), method="wald")
