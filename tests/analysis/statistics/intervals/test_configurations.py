"""Averages over drawn configurations have an error over configurations as well as over seeds."""

import numpy as np
import pytest

from analysis.statistics.intervals.configurations import (
    FEW_CONFIGURATIONS,
    crossed_difference,
    crossed_mean,
    nested_difference,
    nested_mean,
)
from tests.analysis.coverage.drawn import POINTS, even, found_of, truth


def test_the_error_is_that_of_crossed_random_effects() -> None:
    scores = np.random.default_rng(0).normal(size=(10, 4)) + np.arange(10)[:, None]
    means, seeds = scores.mean(axis=1), scores.mean(axis=0)
    rest = scores - means[:, None] - seeds + scores.mean()
    of_points, of_seeds = means.var(ddof=1) / 10, seeds.var(ddof=1) / 4
    of_both = np.sum(rest**2) / (9 * 3) / 40
    found = crossed_mean(scores, even(10))
    assert found.value == pytest.approx(scores.mean())
    assert found.error**2 == pytest.approx(of_points + of_seeds - of_both)
    assert found.unit == "configurations and seeds"


def test_seeds_are_paired_where_points_are_not() -> None:
    rng = np.random.default_rng(1)
    shift = 5 * rng.normal(size=4)
    a, b = rng.normal(size=(10, 4)) + shift, rng.normal(size=(12, 4)) + shift
    found = crossed_difference(a, b, even(10), even(12))
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found.error < 1 < crossed_mean(a, even(10)).error


@pytest.mark.parametrize(
    ("shape", "note"), [((10, 2), "too few seeds"), ((7, 5), FEW_CONFIGURATIONS), ((1, 1), "too few seeds")]
)
def test_too_few_of_either_have_no_error(shape: tuple[int, int], note: str) -> None:
    found = crossed_mean(np.ones(shape), even(shape[0])).estimate()
    assert found.value == pytest.approx(1.0)
    assert (found.has_interval, found.note) == (False, note)


def test_a_seed_for_each_configuration_is_a_plain_sample() -> None:
    values = np.random.default_rng(2).normal(size=12)
    scores = np.where(np.eye(12, dtype=bool), values, np.nan)
    found = nested_mean(scores, even(12))
    assert (found.value, found.error) == pytest.approx((values.mean(), values.std(ddof=1) / np.sqrt(12)))


def test_configurations_of_one_seed_share_its_shift() -> None:
    scores = np.full((6, 3), np.nan)
    scores[[0, 1], 0], scores[[2, 3], 1], scores[[4, 5], 2] = [1, 3], [4, 6], [9, 13]
    found = nested_mean(scores, even(6))
    assert found.error == pytest.approx(np.std([2, 5, 11], ddof=1) / np.sqrt(3))
    same = nested_difference(scores, scores, even(6), even(6), np.arange(3), np.arange(3))
    assert (same.value, same.error) == (0, 0)
    apart = nested_difference(scores, scores, even(6), even(6), np.arange(3), np.arange(3) + 9)
    assert apart.error == pytest.approx(np.sqrt(2) * found.error)


def test_identical_losses_with_own_points_seldom_differ() -> None:
    """Four losses at three seeds; intervals over seeds alone find a difference in 32 % of such studies."""
    found = found_of(surface="hill", points=32, seeds=3, studies=250)
    assert found["own points, any of three differs"] <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / 250)
    assert 0.90 <= found["average"] <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("surface", ["hill", "flat"])
def test_coverage_and_error_over_many_studies(surface: str, seeds: int) -> None:
    found = found_of(surface=surface, points=POINTS, seeds=seeds, studies=2000)
    error = 3 * np.sqrt(0.05 * 0.95 / 2000)
    print(surface, seeds, found)
    assert found["average"] >= 0.95 - error
    assert max(found[name] for name in found if "differs" in name) <= 0.06 + error
    assert 0.2 < truth(surface) < 0.9
