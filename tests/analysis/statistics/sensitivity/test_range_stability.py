"""Scores of shortened ranges agree with known variants."""

import numpy as np
import pytest

from analysis.model.weights import axis_weights
from analysis.statistics.scores.tolerance import tolerance_volume
from analysis.statistics.sensitivity.range_stability import range_stability, range_variants

AXIS = np.geomspace(0.1, 1.6, 5)


def mean_score(scores: np.ndarray, weights: np.ndarray) -> float:
    return float(weights @ scores.mean(axis=1))


def best_score(scores: np.ndarray, weights: np.ndarray) -> float:
    return float(scores.mean(axis=1).max())


def test_known_variants_of_an_even_grid() -> None:
    found = range_variants(AXIS)
    assert found["lower half"] == pytest.approx([0.4, 0.4, 0.2, 0, 0])
    assert found["middle half"] == pytest.approx([0, 0.3, 0.4, 0.3, 0])
    assert found["upper half"] == pytest.approx([0, 0, 0.2, 0.4, 0.4])
    assert found["one step lower"] == pytest.approx([0.25, 0.25, 0.25, 0.25, 0])
    assert found["one step higher"] == pytest.approx([0, 0.25, 0.25, 0.25, 0.25])
    assert set(found) - {"measure linear"} == {
        "lower half", "middle half", "upper half", "one step lower", "one step higher"
    }  # fmt: skip
    assert found["measure linear"] @ AXIS > AXIS.mean()
    assert all(shares.sum() == pytest.approx(1) for shares in found.values())


def test_every_variant_is_scored_with_its_own_shares() -> None:
    rng = np.random.default_rng(0)
    grid = rng.uniform(size=(3, 5, 6))
    rows, columns = np.full(3, 1 / 3), np.full(5, 0.2)
    found = range_stability(mean_score, grid, [rows, columns], 1, range_variants(AXIS))
    cells = grid.mean(axis=-1)
    assert found.declared == pytest.approx(cells.mean())
    for variant in found.variants:
        assert variant.value == pytest.approx(cells.mean(axis=0) @ range_variants(AXIS)[variant.name])
    values = [found.declared, *(variant.value for variant in found.variants)]
    assert found.spread == pytest.approx(max(values) - min(values))


def test_cells_without_a_share_are_out_of_the_score() -> None:
    grid = np.repeat(np.array([0.9, 0.5, 0.6])[:, None], 5, axis=1)
    found = range_stability(best_score, grid, [np.full(3, 1 / 3)], 0, {"upper": np.array([0, 0.5, 0.5])})
    assert (found.declared, found.variants[0].value) == pytest.approx((0.9, 0.6))
    assert found.spread == pytest.approx(0.3)


def test_corners() -> None:
    assert range_variants(np.array([0.5])) == {}
    alone = range_stability(mean_score, np.ones((1, 5)), [np.ones(1)], 0, {})
    assert (alone.spread, alone.variants) == (0, ())
    two = range_variants(np.array([0.1, 1.0]))
    assert two["one step lower"].tolist() == two["lower half"].tolist() == [1, 0]
    nothing = range_stability(mean_score, np.full((2, 5), np.nan), [np.full(2, 0.5)], 0, two)
    assert np.isnan([nothing.declared, nothing.spread]).all()


def test_a_cut_between_rounded_values_leaves_no_trace_of_the_one_outside() -> None:
    """Half-way along six values rounded to four digits, the lower half ends within 1e-4 of the third value's end."""
    axis = np.geomspace(0.05, 1.0, 6).round(4)
    found = range_variants(axis)
    assert [int((found[name] > 0).sum()) for name in ("lower half", "upper half")] == [3, 3]
    grid = np.repeat(np.array([0.5, 0.5, 0.5, 0.9, 0.5, 0.5])[:, None], 5, axis=1)

    def near_best(scores: np.ndarray, weights: np.ndarray) -> float:
        return tolerance_volume(scores, weights, eps=0.02).value

    stability = range_stability(near_best, grid, [axis_weights(axis)], 0, found)
    assert stability.lowest > 0.1
