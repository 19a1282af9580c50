"""Moderated intervals pool noise where cells agree, hold the truth, and are narrower than those of single cells."""

import numpy as np
import pytest

from analysis.statistics.intervals.moderated import moderated_spread


def test_cells_of_one_noise_are_pooled() -> None:
    values = np.random.default_rng(0).normal(size=(400, 5))
    _, spread, count, freedom = moderated_spread(values)
    assert spread.std() < 0.3 * values.std(axis=1, ddof=1).std()
    assert spread.mean() == pytest.approx(1.0, abs=0.05)
    assert freedom.min() > 30  # of its own each has 4
    assert set(count) == {5}


def test_cells_of_noises_far_apart_keep_their_own() -> None:
    """Only the quietest cells get a larger spread, so their intervals are too wide, not too narrow."""
    scale = np.geomspace(1e-4, 1e4, 200)
    values = scale[:, None] * np.random.default_rng(1).normal(size=(200, 5))
    _, spread, _, freedom = moderated_spread(values)
    assert freedom.max() < 5
    own = values.std(axis=1, ddof=1)
    np.testing.assert_allclose(spread[100:], own[100:], rtol=0.1)
    assert np.all(spread > 0.9 * own)


def test_a_known_prior_is_found() -> None:
    """Variances drawn as d0 s0^2 / chi^2(d0), which is the model's prior, with d0 = 8 and s0 = 0.3."""
    rng = np.random.default_rng(2)
    deviation = np.sqrt(8 * 0.3**2 / rng.chisquare(8, size=20_000))
    _, _, _, freedom = moderated_spread(deviation[:, None] * rng.normal(size=(20_000, 5)))
    assert freedom[0] - 4 == pytest.approx(8, rel=0.1)


def test_freedom_is_never_more_than_all_cells_have() -> None:
    _, _, _, freedom = moderated_spread(np.random.default_rng(3).normal(size=(3, 4)))
    assert freedom.max() <= 9


def test_single_values_and_cells_without_spread() -> None:
    values = np.random.default_rng(4).normal(size=(5, 4))
    values[0] = 0.5
    values[1, 1:] = np.nan
    _, spread, count, freedom = moderated_spread(values)
    assert spread[0] > 0
    assert np.isnan([spread[1], freedom[1]]).all()
    assert count.tolist() == [4, 1, 4, 4, 4]
    _, alone, _, own = moderated_spread(np.array([[1.0, 2.0, 4.0]]))
    assert (alone.item(), own.item()) == (pytest.approx(np.std([1, 2, 4], ddof=1)), 2)
