"""Means over ordered pairs of seeds: Student's interval where only the scoring seed matters, and honest elsewhere."""

import itertools

import numpy as np
import pytest

from analysis.statistics.intervals.pairs import filled_pairs, pair_error, pair_estimate, pair_interval
from analysis.statistics.intervals.student import student_interval


def of_scorer(by_seed: np.ndarray) -> np.ndarray:
    values = np.repeat(by_seed[None], len(by_seed), axis=0)
    return np.where(np.eye(len(by_seed), dtype=bool), np.nan, values)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_values_of_the_scoring_seed_alone_have_students_interval(seeds: int) -> None:
    by_seed = np.random.default_rng(0).normal(size=seeds)
    for values in (of_scorer(by_seed), of_scorer(by_seed).T):
        np.testing.assert_allclose(pair_interval(values), student_interval(by_seed))


def test_the_error_is_the_jackknife_less_its_known_excess() -> None:
    """Each term by its definition, seed by seed."""
    values = np.random.default_rng(1).normal(size=(5, 5))
    pairs = list(itertools.permutations(range(5), 2))
    mean = np.mean([values[pair] for pair in pairs])
    left_out = np.array([np.mean([values[pair] for pair in pairs if seed not in pair]) for seed in range(5)])
    jackknife = 4 / 5 * np.sum((left_out - mean) ** 2)
    same, opposite = [], []
    design = np.array([[(seed == r) + (seed == s) for seed in range(5)] for r, s in pairs if r < s])
    signs = np.array([[(seed == r) * 1.0 - (seed == s) for seed in range(5)] for r, s in pairs if r < s])
    for matrix, part, sign in ((design, same, 1), (signs, opposite, -1)):
        seen = np.array([(values[r, s] + sign * values[s, r]) / 2 for r, s in pairs if r < s])
        fitted = matrix @ np.linalg.lstsq(matrix, seen, rcond=None)[0]
        part.append(np.sum((seen - fitted) ** 2))
    own = (same[0] + opposite[0]) / (5 + 6)
    expected = max(jackknife - 1.6 * own / 15, jackknife / 2)
    found, error = pair_error(values)
    assert found == pytest.approx(mean)
    assert error**2 == pytest.approx(expected)


def test_the_order_of_the_seeds_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(7, 7))
    values[1, 4] = np.nan
    order = rng.permutation(7)
    one, other = pair_estimate(values), pair_estimate(values[np.ix_(order, order)])
    np.testing.assert_allclose(
        [one.value, one.low, one.high], [other.value, other.low, other.high], rtol=1e-12
    )


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_intervals_hold_where_pairs_share_seeds(seeds: int) -> None:
    """Effects of both seeds and noise of the pair, in different parts: 92.5 to 98 %, within Monte-Carlo error."""
    rng = np.random.default_rng(seeds)
    for chooser, scorer, own in ((0, 1, 0), (1, 1, 1), (0, 0.3, 1), (0, 0, 1)):
        values = chooser * rng.normal(size=(4000, seeds, 1)) + scorer * rng.normal(size=(4000, 1, seeds))
        _, low, high = pair_interval(values + own * rng.normal(size=(4000, seeds, seeds)))
        assert 0.925 <= np.mean((low <= 0) & (high >= 0)) <= 0.985


def test_missing_pairs_are_filled_so_that_every_choice_keeps_its_weight() -> None:
    chooser, scorer = np.array([0.0, 1.0, 2.0, 5.0, 3.0, 1.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.1])
    values = chooser[:, None] + scorer
    whole = pair_estimate(values)
    values[3, [0, 1]] = np.nan
    found = pair_estimate(values)
    assert found.value == pytest.approx(whole.value)
    assert found.note == "2 of 30 pairs of seeds missing"
    assert filled_pairs(values).widen == pytest.approx(30 / 28)


def test_a_seed_that_takes_no_part_is_left_out() -> None:
    values = of_scorer(np.array([0.1, 0.2, 0.4, 0.9]))
    values[3], values[:, 3] = np.nan, np.nan
    found = pair_estimate(values)
    assert (found.seeds, found.note) == (3, "3 of 4 seeds")
    assert found.value == pytest.approx(0.7 / 3)


def test_where_many_pairs_are_missing_there_is_no_interval() -> None:
    values = np.random.default_rng(3).normal(size=(4, 4))
    values[0, 1] = values[1, 2] = values[2, 3] = np.nan
    found = pair_estimate(values)
    assert not found.has_interval
    assert found.note == "3 of 12 pairs of seeds missing"
    one_way = np.full((2, 2), np.nan)
    one_way[0, 1] = 0.5
    assert (pair_estimate(one_way).value, pair_estimate(one_way).has_interval) == (0.5, False)


def test_equal_scores_have_one_step_or_no_interval() -> None:
    values = of_scorer(np.full(3, 0.8))
    unknown, known = pair_estimate(values), pair_estimate(values, step=0.005, bounds=(0, 1))
    assert (unknown.has_interval, unknown.note) == (False, "no spread between seeds")
    assert (known.low, known.high) == (pytest.approx(0.795), pytest.approx(0.805))
    assert known.note == "equal at all seeds: within one step of the metric"


def test_one_seed_has_no_pair() -> None:
    assert pair_estimate(np.full((1, 1), 0.5)).note == "too few seeds"
    assert pair_estimate(np.full((3, 3), np.nan)).note == "no complete seed"
