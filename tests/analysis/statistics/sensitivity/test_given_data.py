"""Shares of the variance from given points find those of a known function, and agree with exact ones on a grid."""

import numpy as np
import pytest

from analysis.statistics.sensitivity.decomposition import effect_grams, effects_of
from analysis.statistics.sensitivity.given_data import first_order_shares, is_ranked

ALL = np.ones((1, 6))


def test_ranks_agree_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    axis, scores = rng.uniform(size=12), rng.normal(size=(12, 6))
    means = (scores - scores.mean(axis=0)).mean(axis=1)
    order = sorted(range(12), key=lambda cell: axis[cell])
    along = sum(means[order[i]] * means[order[(i + 1) % 12]] for i in range(12)) / 12 - means.mean() ** 2
    centred = scores - scores.mean(axis=0)
    pairs = [centred[:, s] @ centred[:, t] / 11 for s in range(6) for t in range(6) if s != t]
    found = first_order_shares(axis[:, None], scores, ALL, rng)
    assert found[0, 0] == pytest.approx(along / np.mean(pairs))


@pytest.mark.parametrize("values", [None, 6])
def test_known_shares_of_an_additive_function(values: int | None) -> None:
    """`2 x + y` of uniform x, y, z: shares 0.8, 0.2 and 0; z is noise and seeds are noisy."""
    rng = np.random.default_rng(1)
    points = rng.uniform(size=(2000, 3)) if values is None else rng.integers(values, size=(2000, 3)) / values
    scores = (
        (points @ np.array([2.0, 1.0, 0.0]))[:, None] + rng.normal(size=6) + 0.5 * rng.normal(size=(2000, 6))
    )
    assert is_ranked(points[:, 0]) == (values is None)
    assert first_order_shares(points, scores, ALL, rng)[0] == pytest.approx([0.8, 0.2, 0.0], abs=0.06)


def test_groups_on_a_whole_grid_agree_with_the_exact_shares_up_to_their_correction() -> None:
    rng = np.random.default_rng(2)
    x, y = (item.ravel() for item in np.meshgrid(np.arange(30.0), np.arange(20.0), indexing="ij"))
    scores = (np.sin(x / 5) + 0.05 * y + 0.02 * x * (y > 9))[:, None].repeat(6, axis=1)
    found = first_order_shares(np.stack([x, y], axis=1), scores, ALL, rng)[0]
    even = [np.full(30, 1 / 30), np.full(20, 1 / 20)]
    exact = effect_grams(scores.reshape(30, 20, 6), even)[:, 0, 1]
    assert effects_of(2) == [(0,), (1,), (0, 1)]
    assert found == pytest.approx(exact[:2] / exact.sum(), abs=0.03)


def test_corners() -> None:
    rng = np.random.default_rng(3)
    assert np.isnan(first_order_shares(rng.uniform(size=(5, 2)), np.full((5, 6), 0.5), ALL, rng)).all()
    constant = first_order_shares(np.ones((9, 1)), rng.normal(size=(9, 1)).repeat(6, axis=1), ALL, rng)
    assert constant[0, 0] == pytest.approx(0.0)
    assert np.isnan(first_order_shares(np.ones((1, 1)), np.ones((1, 6)), ALL, rng)).all()
