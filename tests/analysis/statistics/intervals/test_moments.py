"""Errors as sums of variances: Student's interval for one part, Banerjee's for several, unpaired differences."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.intervals.moments import Moments, unpaired
from analysis.statistics.intervals.student import student_interval


def of(values: np.ndarray) -> Moments:
    variance = float(values.var(ddof=1)) / len(values)
    return Moments(value=float(values.mean()), parts=((variance, len(values) - 1.0),), seeds=len(values))


def test_one_part_is_students_interval() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.6])
    found = of(values)
    assert [found.value, found.estimate().low, found.estimate().high] == pytest.approx(
        [float(item) for item in student_interval(values)]
    )


def test_several_parts_add_their_half_widths_as_squares() -> None:
    found = Moments(value=0.0, parts=((4.0, 2.0), (9.0, 30.0)))
    wanted = np.hypot(2 * stats.t.isf(0.025, 2), 3 * stats.t.isf(0.025, 30))
    assert found.estimate().high == pytest.approx(wanted)


def test_without_an_error_the_reason_is_told() -> None:
    found = Moments(value=0.5, note="too few seeds").estimate()
    assert (found.has_interval, found.note) == (False, "too few seeds")
    assert Moments(value=0.0, parts=((0.0, 4.0),)).estimate(level=1.0).high == 0.0


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_unpaired_intervals_cover_also_at_strict_levels(scale: float) -> None:
    rng, missed = np.random.default_rng(0), 0
    for _ in range(1500):
        a, b = scale * rng.normal(size=3), rng.normal(size=6)
        found = unpaired(of(a), of(b)).estimate(level=0.99)
        missed += not found.low <= 0 <= found.high
    assert missed / 1500 <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / 1500)


def test_an_unpaired_difference_says_so() -> None:
    found = unpaired(of(np.array([1.0, 2.0, 3.0])), of(np.array([0.0, 1.0, 5.0])))
    assert found.value == 0
    assert "not paired" in found.estimate().method
