"""The jackknife of a mean is Student's interval, and it covers a smooth score."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.intervals.jackknife import jackknife_estimate


def test_of_a_mean_it_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=7)
    left_out = np.array([np.delete(values, place).mean() for place in range(7)])
    found = jackknife_estimate(float(values.mean()), left_out)
    low, high = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))


def test_it_covers_a_smooth_score() -> None:
    """The logarithm of a mean, at six seeds."""
    values = np.random.default_rng(1).normal(5.0, 1.0, size=(600, 6))
    total = values.sum(axis=1, keepdims=True)
    held = 0
    for row, left_out in zip(values, np.log((total - values) / 5), strict=True):
        found = jackknife_estimate(float(np.log(row.mean())), left_out)
        held += found.low <= np.log(5.0) <= found.high
    assert held / 600 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)


def test_corners() -> None:
    assert jackknife_estimate(1.0, np.ones(4)).note == "too few seeds"
    assert jackknife_estimate(float("nan"), np.ones(5)).note == "no trials"
    assert not jackknife_estimate(1.0, np.array([1.0, 1, 1, 1, np.nan])).has_interval
    same = jackknife_estimate(0.3, np.full(5, 0.3) + np.array([0, 1e-16, 0, 0, 0]))
    assert (same.low, same.high, same.note) == (0.3, 0.3, "no spread between seeds")
    assert jackknife_estimate(0.9, np.array([0.5, 1, 1, 1, 1]), bounds=(0, 1)).high == 1.0
