"""Student's intervals agree with scipy, cover as often as stated, and pair differences by seed."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.intervals.student import (
    mean_and_spread,
    score_step,
    simultaneous_bands,
    student_estimate,
    student_interval,
)


def test_student_interval_of_two_seeds_by_hand() -> None:
    mean, low, high = student_interval(np.array([0.0, 2.0]))
    assert mean == 1.0
    # t(0.975, 1) = 12.706, standard error 1
    assert high - mean == pytest.approx(12.706, abs=1e-3)
    assert mean - low == pytest.approx(12.706, abs=1e-3)


def test_student_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 6))
    _, low, high = student_interval(values, level=0.9)
    expected = stats.ttest_1samp(values, 0.0, axis=-1).confidence_interval(0.9)
    np.testing.assert_allclose([low, high], [expected.low, expected.high])


def test_nan_is_left_out() -> None:
    values = np.array([[1.0, np.nan, 3.0], [1.0, np.nan, np.nan], [np.nan] * 3])
    mean, deviation, count = mean_and_spread(values)
    np.testing.assert_array_equal(mean, [2.0, 1.0, np.nan])
    np.testing.assert_array_equal(count, [2, 1, 0])
    np.testing.assert_allclose(deviation, [math.sqrt(2), np.nan, np.nan])
    _, low, high = student_interval(values)
    assert np.isfinite([low[0], high[0]]).all()
    assert np.isnan([*low[1:], *high[1:]]).all()


def test_equal_values_have_no_spread_in_spite_of_rounding() -> None:
    assert mean_and_spread(np.full(3, 0.1))[1] == 0
    estimate = student_estimate(np.full(3, 0.1))
    assert not estimate.has_interval
    assert estimate.note == "no spread between seeds"


def test_equal_scores_have_one_step_to_each_side() -> None:
    estimate = student_estimate(np.full(3, 0.8), step=0.005, bounds=(0.0, 1.0))
    assert (estimate.low, estimate.high) == (pytest.approx(0.795), pytest.approx(0.805))
    assert estimate.note == "equal at all seeds: within one step of the metric"
    assert student_estimate(np.full(3, 1.0), step=0.005, bounds=(0.0, 1.0)).high == 1.0
    # scores that differ keep Student's interval
    assert student_estimate(np.array([0.8, 0.805]), step=0.005).high > 0.83


@pytest.mark.parametrize("images", [20, 200, 1797, 10_000, 50_000])
def test_the_step_of_accuracies_is_found(images: int) -> None:
    rng = np.random.default_rng(images)
    scores = rng.binomial(images, rng.uniform(0.5, 1.0, size=60)) / images
    for stored in (scores, scores.astype(np.float32).astype(float), np.append(scores, np.nan)):
        assert score_step(stored) == pytest.approx(1 / images)


def test_other_scores_have_no_step() -> None:
    rng = np.random.default_rng(0)
    assert [score_step(rng.uniform(size=size)) for size in (5, 10, 1000)] == [0.0] * 3
    assert score_step(np.array([0.5, 1.0, np.nan])) == 0.0
    assert score_step(np.array([])) == 0.0


def test_bounds_cut_the_interval() -> None:
    estimate = student_estimate(np.array([0.90, 0.99]), bounds=(0.0, 1.0))
    assert estimate.high == 1.0
    assert estimate.low < 0.9
    assert estimate.method == "Student, 1 df"


@pytest.mark.parametrize(
    ("values", "note"), [([0.5], "too few seeds"), ([np.nan, 0.5], "too few seeds"), ([], "no trials")]
)
def test_less_than_two_seeds_have_no_interval(values: list[float], note: str) -> None:
    estimate = student_estimate(np.array(values))
    assert not estimate.has_interval
    assert estimate.note == note
    assert estimate.seeds == np.isfinite(values).sum()


def test_student_interval_covers_as_often_as_it_says() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.01, size=(4000, 2))
    _, low, high = student_interval(values)
    covered = np.mean((low <= 0.5) & (high >= 0.5))
    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 4000))


def test_simultaneous_bands_hold_together() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.01, size=(1000, 15, 5))
    bands = [simultaneous_bands(cells) for cells in values]
    held = np.mean([bool(np.all((low <= 0.5) & (high >= 0.5))) for low, high in bands])
    assert held >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 1000)


def test_fewer_seeds_than_the_study_has_are_told() -> None:
    values = np.array([0.5, np.nan, 0.6, np.nan, 0.7])
    assert student_estimate(values).note == "3 of 5 seeds"
    assert student_estimate(values, note="provisional").note == "provisional; 3 of 5 seeds"
    assert student_estimate(values[[0, 2, 4]]).note == ""
    assert student_estimate(np.full(3, np.nan), empty="no paired seed").note == "no paired seed"


def test_another_level_is_another_quantile() -> None:
    wide, plain = (student_estimate(np.array([0.1, 0.2, 0.4]), level=level) for level in (0.99, 0.95))
    ratio = stats.t.isf(0.005, 2) / stats.t.isf(0.025, 2)
    assert wide.high - wide.low == pytest.approx(ratio * (plain.high - plain.low))
