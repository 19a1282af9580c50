"""Analysis of variance agrees with least squares, finds known shares, and keeps the level of its tests."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.sensitivity.anova import anova
from tests.analysis.statistics.sensitivity.known_variances import EVEN, grid


def test_it_agrees_with_least_squares_of_nested_models() -> None:
    scores = grid(np.random.default_rng(0), 0.4)
    seeds, rows, columns = (np.eye(size) for size in (5, 4, 3))
    a, b, s = (item.ravel() for item in np.meshgrid(range(4), range(3), range(5), indexing="ij"))

    def error(*blocks: np.ndarray) -> float:
        design = np.concatenate(blocks, axis=1)
        fitted = design @ np.linalg.lstsq(design, scores.ravel(), rcond=None)[0]
        return float(((scores.ravel() - fitted) ** 2).sum())

    blocks = seeds[s], rows[a], columns[b], (rows[a][:, :, None] * columns[b][:, None, :]).reshape(60, -1)
    errors = [error(*blocks[: k + 1]) for k in range(4)]
    found = anova(scores, EVEN)
    assert [effect.square_sum for effect in found.effects] == pytest.approx(
        [errors[0] - errors[1], errors[1] - errors[2], errors[2] - errors[3]]
    )
    assert found.residual == pytest.approx(errors[3] / (11 * 4))
    f = (errors[0] - errors[1]) / 3 / (errors[3] / 44)
    assert found.effects[0].f == pytest.approx(f)
    assert found.effects[0].p == pytest.approx(stats.f.sf(f, 3, 44))
    assert [effect.freedom for effect in found.effects] == [3, 2, 6]


def test_one_axis_of_two_values_is_the_paired_t_test() -> None:
    scores = np.random.default_rng(1).normal(size=(2, 6)) + np.array([[0.5], [0.0]])
    effect = anova(scores, [np.full(2, 0.5)]).effects[0]
    expected = stats.ttest_rel(scores[0], scores[1]).pvalue
    assert (effect.p, effect.p_own) == pytest.approx((expected, expected))


def test_known_shares_and_variances() -> None:
    found = anova(grid(np.random.default_rng(2), 0.0), EVEN)
    assert [effect.share.value for effect in found.effects] == pytest.approx([25 / 43, 6 / 43, 12 / 43])
    assert found.between == pytest.approx(0.43)
    assert found.residual == pytest.approx(0.0, abs=1e-12)
    assert all(effect.p == 0 for effect in found.effects)
    noisy = [anova(grid(np.random.default_rng(seed), 0.3), EVEN) for seed in range(200)]
    assert np.mean([item.between for item in noisy]) == pytest.approx(0.43, rel=0.03)
    assert np.mean([item.residual for item in noisy]) == pytest.approx(0.09, rel=0.03)
    assert np.mean([item.seed for item in noisy]) == pytest.approx(0.25, rel=0.2)


def test_shares_follow_the_measure() -> None:
    cells = np.array([[0.0, 0.0], [1.0, 3.0]])[..., None].repeat(2, axis=-1)
    rows, columns, both = anova(cells, [np.array([0.9, 0.1]), np.array([0.5, 0.5])]).effects
    # rows: means 0 and 2 with shares 0.9 and 0.1; columns: 0.1 and 0.3; the rest is theirs together
    assert rows.share.value == pytest.approx(0.36 / 0.46)
    assert columns.share.value == pytest.approx(0.01 / 0.46)
    assert both.share.value == pytest.approx(0.09 / 0.46)


def test_share_intervals_hold_the_true_shares() -> None:
    truth, held = np.array([25 / 43, 6 / 43, 12 / 43]), []
    for seed in range(200):
        shares = [effect.share for effect in anova(grid(np.random.default_rng(seed), 0.3), EVEN).effects]
        held.append([item.low <= value <= item.high for item, value in zip(shares, truth, strict=True)])
    assert np.mean(held, axis=0).min() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_tests_keep_their_level_and_the_second_keeps_it_under_unequal_noise() -> None:
    rng, equal, unequal = np.random.default_rng(3), [], []
    spread = np.array([3.0, 0.3, 0.3, 0.3])[:, None, None]
    for _ in range(400):
        noise = rng.normal(size=(4, 3, 5)) + rng.normal(size=5)
        equal.append([[effect.p, effect.p_own] for effect in anova(noise, EVEN).effects])
        unequal.append([effect.p_own for effect in anova(spread * noise, EVEN).effects])
    allowed = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert np.mean(np.array(equal) < 0.05, axis=0).max() <= allowed
    assert np.mean(np.array(unequal) < 0.05, axis=0).max() <= allowed


def test_corners() -> None:
    rng = np.random.default_rng(4)
    one = anova(grid(rng, 0.1, seeds=1), EVEN)
    assert (one.note, one.effects[0].share.note) == ("too few seeds", "too few seeds")
    assert np.isnan(one.effects[0].p)
    assert anova(np.full((4, 3, 2), np.nan), EVEN).note == "no complete seed"
    gap = grid(rng, 0.1)
    gap[0, 0, 0] = np.nan
    assert anova(gap, EVEN).seeds == 4
    constant = anova(np.full((4, 3, 5), 0.5), EVEN)
    assert np.isnan([effect.p for effect in constant.effects]).all()
    assert constant.effects[0].share.note == "no variance between configurations"
    flat_axis = anova(grid(rng, 0.1)[:, :1], [EVEN[0], np.ones(1)])
    assert np.isnan(flat_axis.effects[1].p)
    assert flat_axis.effects[1].share.value == 0.0
    cell = anova(rng.normal(size=(1, 1, 5)), [np.ones(1), np.ones(1)])
    assert np.isnan(cell.effects[0].f)
    assert cell.seed > 0
