"""The bootstrap agrees with a loop, is the same for one generator, and handles gaps, ties and equal values."""

import numpy as np
import pytest

from analysis.statistics.intervals.bootstrap import resampling_weights, studentised_interval
from analysis.statistics.intervals.student import student_interval


def slow_interval(row: np.ndarray, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """One resample after the other, with the textbook's standard errors."""
    ratios = []
    for _ in range(draws):
        drawn = row[rng.integers(0, len(row), len(row))]
        error = drawn.std(ddof=1) / np.sqrt(len(row))
        ratios.append((drawn.mean() - row.mean()) / error if error else np.inf)
    low, high = np.quantile(ratios, [0.025, 0.975])
    error = row.std(ddof=1) / np.sqrt(len(row))
    return row.mean() - high * error, row.mean() - low * error


def test_it_agrees_with_a_loop() -> None:
    values = np.random.default_rng(0).lognormal(size=(3, 12))
    _, low, high = studentised_interval(values, rng=np.random.default_rng(1), draws=20_000)
    for row, ends in zip(values, zip(low, high, strict=True), strict=True):
        expected = slow_interval(row, 20_000, np.random.default_rng(2))
        np.testing.assert_allclose(ends, expected, atol=0.05 * (expected[1] - expected[0]))


def test_weights_are_shares_of_whole_resamples() -> None:
    weights = resampling_weights(7, 50, np.random.default_rng(0))
    assert weights.shape == (50, 7)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights * 7, np.round(weights * 7))


def test_one_generator_gives_one_interval_however_cells_fall_into_blocks() -> None:
    values = np.random.default_rng(0).normal(size=(700, 6))
    whole = studentised_interval(values, rng=np.random.default_rng(3))
    part = studentised_interval(values[:10], rng=np.random.default_rng(3))
    np.testing.assert_array_equal([item[:10] for item in whole], part)


def test_it_does_not_depend_on_units() -> None:
    values = np.random.default_rng(0).normal(size=(4, 6))
    _, low, high = studentised_interval(values, rng=np.random.default_rng(3))
    _, scaled_low, scaled_high = studentised_interval(1e-6 * values + 5, rng=np.random.default_rng(3))
    np.testing.assert_allclose([(scaled_low - 5) * 1e6, (scaled_high - 5) * 1e6], [low, high], rtol=1e-3)


def test_missing_values_are_left_out_and_few_have_no_interval() -> None:
    values = np.random.default_rng(0).normal(size=(3, 8))
    values[0, 2] = values[1, :4] = np.nan
    mean, low, high = studentised_interval(values, rng=np.random.default_rng(0))
    np.testing.assert_allclose(mean, np.nanmean(values, axis=1))
    assert np.isfinite(low).tolist() == np.isfinite(high).tolist() == [True, False, True]
    alone = studentised_interval(values[:1, [0, 1, 3, 4, 5, 6, 7]], rng=np.random.default_rng(0))
    assert low[0] == pytest.approx(alone[1][0])


def test_values_without_spread_have_an_interval_of_width_zero() -> None:
    mean, low, high = studentised_interval(np.full((1, 5), 0.3), rng=np.random.default_rng(0))
    assert mean == low == high == pytest.approx(0.3)


def test_ties_reach_to_the_bounds_instead_of_failing() -> None:
    """Of four equal values and one other, a third of the resamples shows no spread."""
    values = np.array([[0.5, 0.5, 0.5, 0.5, 0.6]])
    _, low, high = studentised_interval(values, rng=np.random.default_rng(0), bounds=(0.0, 1.0))
    assert 0.0 <= low <= 0.52 <= high <= 1.0
    assert high - low > np.diff(student_interval(values)[1:], axis=0)
