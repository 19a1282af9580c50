"""Simultaneous bands hold whole curves, and are between Student's and Bonferroni's intervals in width."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.intervals.bands import curve_band


def band(curves: np.ndarray, **options: float) -> tuple[np.ndarray, np.ndarray]:
    return curve_band(curves, rng=np.random.default_rng(0), **options)


def test_points_that_move_as_one_need_no_more_than_students_interval() -> None:
    curves = np.linspace(0, 1, 7)[:, None] + np.random.default_rng(1).normal(size=(1, 6))
    low, high = band(curves, draws=20_000)
    expected = stats.t.ppf(0.975, 5) * curves[0].std(ddof=1) / np.sqrt(6)
    np.testing.assert_allclose(high - curves.mean(axis=1), expected, rtol=0.03)
    np.testing.assert_allclose(curves.mean(axis=1) - low, expected, rtol=0.03)


def test_points_that_move_apart_need_more_but_less_than_bonferroni() -> None:
    curves = np.cumsum(np.random.default_rng(2).normal(size=(10, 6)), axis=0)
    low, high = band(curves)
    half = (high - low) / 2 / (curves.std(axis=1, ddof=1) / np.sqrt(6))
    np.testing.assert_allclose(half, half[0])
    assert stats.t.ppf(0.975, 5) < half[0] < stats.t.ppf(1 - 0.025 / 10, 5)


def test_it_holds_whole_curves() -> None:
    """Random walks of two directions, at three and at eight seeds."""
    rng = np.random.default_rng(3)
    basis = np.stack([np.linspace(1, 0.5, 12), np.linspace(0, 1, 12)], axis=1)
    for seeds in (3, 8):
        held = []
        for _ in range(300):
            low, high = curve_band(basis @ rng.normal(size=(2, seeds)), rng=rng, draws=300)
            held.append(bool(np.all((low <= 0) & (high >= 0))))
        assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_a_point_without_spread_has_width_zero() -> None:
    curves = np.random.default_rng(4).normal(size=(3, 5))
    curves[1] = 0.25
    low, high = band(curves)
    assert low[1] == high[1] == 0.25
    assert np.all(band(np.full((2, 4), 0.5))[0] == 0.5)


def test_seeds_with_a_gap_are_left_out_and_two_give_no_band() -> None:
    curves = np.random.default_rng(5).normal(size=(3, 5))
    gap = curves.copy()
    gap[0, 4] = np.nan
    np.testing.assert_array_equal(band(gap), band(curves[:, :4]))
    assert np.isnan(band(curves[:, :2])).all()


def test_bounds_cut_it() -> None:
    low, high = band(np.array([[0.1, 0.5, 0.9]]), bounds=(0.0, 1.0))
    assert (low.item(), high.item()) == pytest.approx((0.0, 1.0))
