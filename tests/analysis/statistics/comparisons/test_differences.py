"""Differences by cell agree with scipy, and the rate of false discoveries keeps its level."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.comparisons.differences import benjamini_yekutieli, difference_surface, paired_tests
from analysis.statistics.intervals.bands_moderated import moderated_interval
from analysis.statistics.intervals.student import student_interval


def test_two_seeds_and_cells_with_failures_have_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 8, 6))
    expected = stats.ttest_rel(a, b, axis=1).pvalue
    two = difference_surface(a[:, :2], b[:, :2], np.full(8, 1 / 8))
    assert two.p == pytest.approx(stats.ttest_rel(a[:, :2], b[:, :2], axis=1).pvalue)
    failed = np.array([True] * 3 + [False] * 5)
    found = difference_surface(a, b, np.full(8, 1 / 8), failed=failed)
    assert found.p[:3] == pytest.approx(expected[:3])
    assert not np.any(found.p[3:] == expected[3:])


def test_cells_without_a_test_have_no_p() -> None:
    rows = np.array([[0, 0, 0], [0.1, np.nan, np.nan], [np.nan] * 3])
    assert paired_tests(rows) == pytest.approx([1.0, np.nan, np.nan], nan_ok=True)
    assert np.isnan(paired_tests(np.full((1, 3), 0.5))).all()  # equal differences other than 0


def test_cells_share_what_they_know_about_the_noise() -> None:
    """Equal noise and three seeds: intervals of cells are much narrower than Student's, and hold."""
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(300, 24, 3)) + rng.normal(size=(300, 1, 3))
    found = np.array([moderated_interval(item)[1:] for item in draws])
    student = np.array([student_interval(item)[1:] for item in draws])
    held, plain = ((ends[:, 0] <= 0) & (ends[:, 1] >= 0) for ends in (found, student))
    assert 0.94 < held.mean() < 0.99
    assert plain.mean() == pytest.approx(0.95, abs=0.02)
    assert np.median(found[:, 1] - found[:, 0]) < 0.7 * np.median(student[:, 1] - student[:, 0])


def test_correction_agrees_with_its_definition() -> None:
    p = np.array([0.001, 0.04, 0.03, 0.5])
    factor = 4 * (1 + 1 / 2 + 1 / 3 + 1 / 4)
    slow = np.minimum([p[0] * factor, p[1] * factor / 3, p[2] * factor / 2, p[3] * factor / 4], 1)
    slow[2] = min(slow[2], slow[1])
    assert benjamini_yekutieli(p) == pytest.approx(slow)
    gap = benjamini_yekutieli(np.array([0.001, np.nan, 0.03, 0.5]))
    assert np.isnan(gap[1])
    assert gap[0] == pytest.approx(0.001 * factor)
    assert len(benjamini_yekutieli(np.array([]))) == 0


def test_a_half_is_better_and_a_quarter_worse() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0.1, 0.0, -0.1], [20, 10, 10])[:, None]
    b = rng.normal(size=(40, 1)) + rng.normal(size=8)
    found = difference_surface(b + truth + 0.01 * rng.normal(size=(40, 8)), b, np.full(40, 1 / 40))
    assert (found.share_better, found.share_worse) == pytest.approx((0.5, 0.25))
    assert found.better.sum() == 20
    assert found.overall == pytest.approx(0.025, abs=0.005)
    assert found.share_reversed.low == pytest.approx(0.25)
    assert 0.25 <= found.share_reversed.value <= found.share_reversed.high <= 0.5 + 1e-9


def test_false_discoveries_and_the_reversed_share_keep_their_level() -> None:
    rng, wrong, held = np.random.default_rng(2), [], []
    truth = np.linspace(-0.01, 0.03, 21)
    truth[:6] = 0.0
    for _ in range(300):
        a = truth[:, None] + 0.01 * rng.normal(size=5) + 0.01 * rng.normal(size=(21, 5))
        found = difference_surface(a, np.zeros((21, 5)), np.full(21, 1 / 21))
        named = found.better | found.worse
        wrong.append((named & (truth == 0)).sum() / max(named.sum(), 1))
        held.append(found.share_reversed.low <= 0 <= found.share_reversed.high or found.overall < 0)
    assert np.mean(wrong) <= 0.05
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_identical_losses() -> None:
    same = np.random.default_rng(3).normal(size=(4, 5))
    found = difference_surface(same, same, np.full(4, 0.25))
    assert found.p.tolist() == [1.0] * 4
    assert not (found.better | found.worse).any()
    assert (found.share_reversed.value, found.share_reversed.note) == (0.0, "no difference")


def test_corners() -> None:
    nothing = difference_surface(np.full((2, 5), np.nan), np.ones((2, 5)), np.full(2, 0.5))
    assert nothing.share_reversed.note == "no trials"
    assert np.isnan([nothing.overall, nothing.share_better]).all()
    one = difference_surface(np.ones((2, 1)), np.zeros((2, 1)), np.full(2, 0.5))
    assert np.isnan(one.p).all()
    assert one.share_reversed.note == "too few seeds"
    constant = difference_surface(np.ones((2, 5)), np.zeros((2, 5)), np.full(2, 0.5))
    assert not constant.better.any()  # no spread, no error estimate
    assert constant.share_reversed.value == 0
    gap = np.array([[0.1, 0.2, np.nan, np.nan, np.nan], [0.1, 0.2, 0.1, 0.2, 0.1]])
    assert np.isfinite(difference_surface(gap, 0 * gap, np.full(2, 0.5)).p).all()
