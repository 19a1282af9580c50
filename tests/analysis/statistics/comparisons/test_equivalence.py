"""Equivalence agrees with two one-sided tests, and errs on the margin no more often than stated."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.comparisons.equivalence import (
    EQUIVALENT,
    INCOMPLETE,
    NOT_SHOWN,
    NOT_TESTED,
    corrected,
    equivalence_test,
)


def test_it_agrees_with_two_one_sided_tests() -> None:
    values = np.random.default_rng(0).normal(0.005, 0.01, size=6)
    found = equivalence_test(values, 0.02)
    above = stats.ttest_1samp(values, -0.02, alternative="greater").pvalue
    below = stats.ttest_1samp(values, 0.02, alternative="less").pvalue
    assert found.p == pytest.approx(max(above, below))
    assert (found.verdict == EQUIVALENT) == (found.difference.low > -0.02 and found.difference.high < 0.02)


def test_the_verdict_is_that_of_the_interval() -> None:
    rng, verdicts = np.random.default_rng(1), set()
    for values in rng.normal(0.0, 0.01, size=(200, 4)):
        found = equivalence_test(values, 0.012)
        inside = found.difference.low > -0.012 and found.difference.high < 0.012
        assert (found.verdict == EQUIVALENT) == inside
        verdicts.add(found.verdict)
    assert verdicts == {EQUIVALENT, NOT_SHOWN}


def test_on_the_margin_it_errs_no_more_often_than_said() -> None:
    values = np.random.default_rng(2).normal(0.02, 0.005, size=(1000, 5))
    wrong = np.mean([equivalence_test(row, 0.02).verdict == EQUIVALENT for row in values])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_corners() -> None:
    assert equivalence_test(np.array([0.01]), 0.02).verdict == NOT_TESTED
    assert equivalence_test(np.array([np.nan]), 0.02).difference.note == "no trials"
    same = equivalence_test(np.zeros(3), 0.02)
    assert (same.p, same.verdict) == (0.0, EQUIVALENT)
    assert equivalence_test(np.full(3, 0.03), 0.02).p == 1.0
    assert equivalence_test(np.array([-0.01, 0.01, 0.0]), 0.02, widen=10).verdict == NOT_SHOWN
    with pytest.raises(ValueError, match="margin: got 0"):
        equivalence_test(np.zeros(3), 0)


def test_several_losses_are_one_family() -> None:
    rng = np.random.default_rng(3)
    tests = [equivalence_test(row, 0.02) for row in rng.normal(0.008, 0.01, size=(5, 5))]
    assert [item.verdict for item in tests].count(EQUIVALENT) > 1
    found = corrected([*tests, equivalence_test(np.array([0.01]), 0.02)])
    # the one without a test counts among the six
    smallest = min(item.p for item in tests)
    assert min(item.p_holm for item in found[:5]) == pytest.approx(6 * smallest)
    assert all((item.verdict == EQUIVALENT) == (item.p_holm < 0.05) for item in found[:5])
    assert {item.verdict for item in found[:5]} == {EQUIVALENT, NOT_SHOWN}
    assert (found[5].verdict, np.isnan(found[5].p_holm)) == (NOT_TESTED, True)


def test_provisional_scores_get_no_verdict() -> None:
    found = corrected([equivalence_test(np.zeros(5), 0.02, note="provisional")])[0]
    assert (found.verdict, np.isnan(found.p), found.difference.note) == (INCOMPLETE, True, "provisional")
    assert not found.difference.has_interval
