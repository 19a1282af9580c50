"""The expected score of the best of n trials is exact, scored on other seeds, and lies within its interval."""

import itertools

import numpy as np
import pytest

from analysis.statistics.scores.tuning import (
    METHOD_TRAINED_ANEW,
    TuningCurve,
    drawn_chances,
    pick_chances,
    trials_to_parity,
    tuning_curve,
)

TRIALS = np.array([1, 2, 3, 10, 1000])


def curve(test: np.ndarray, validation: np.ndarray, weights: np.ndarray, **options: bool) -> TuningCurve:
    return tuning_curve(test, validation, weights, TRIALS, rng=np.random.default_rng(0), **options)


def slow_chances(validation: np.ndarray, weights: np.ndarray, trials: int) -> np.ndarray:
    """Every sequence of draws in turn; ties are shared by how often each was drawn."""
    chances = np.zeros(len(validation))
    for drawn in itertools.product(range(len(validation)), repeat=trials):
        chance = np.prod(weights[list(drawn)])
        best = [cell for cell in drawn if validation[cell] == max(validation[list(drawn)])]
        for cell in best:
            chances[cell] += chance / len(best)
    return chances


def test_chances_are_those_of_all_sequences_of_draws_with_ties() -> None:
    validation, weights = np.array([0.3, 0.5, 0.5, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    found = pick_chances(validation, weights, np.array([1, 2, 3]))
    for trials in (1, 2, 3):
        np.testing.assert_allclose(found[trials - 1], slow_chances(validation, weights, trials))


def test_one_trial_is_the_mean_over_the_space_and_many_are_the_best_cell() -> None:
    levels = np.array([0.5, 0.9, 0.7])
    scores, weights = np.repeat(levels[:, None], 4, axis=1), np.array([0.2, 0.3, 0.5])
    found = curve(scores, scores, weights)
    assert found.mean[0] == pytest.approx(weights @ levels)
    assert found.mean[1] == pytest.approx(0.2**2 * 0.5 + (0.7**2 - 0.2**2) * 0.7 + (1 - 0.7**2) * 0.9)
    assert found.mean[-1] == pytest.approx(0.9)


def test_validation_picks_and_test_reports() -> None:
    test = np.repeat(np.array([[0.9], [0.2]]), 3, axis=1)
    validation = np.repeat(np.array([[0.1], [0.8]]), 3, axis=1)
    assert curve(test, validation, np.full(2, 0.5)).mean[-1] == pytest.approx(0.2)


def test_the_pick_is_scored_on_other_seeds_unless_its_encoder_is_kept() -> None:
    """At each seed another cell is lucky, in validation and test alike; trained anew, none is better."""
    scores = 0.5 + 0.3 * np.eye(4)
    assert curve(scores, scores, np.full(4, 0.25)).mean[-1] == pytest.approx(0.5)
    assert curve(scores, scores, np.full(4, 0.25), same_trials=True).mean[-1] == pytest.approx(0.8)


def test_parts_by_seed_are_the_jackknifes_pseudo_values() -> None:
    rng = np.random.default_rng(1)
    test, validation = rng.normal(size=(2, 6, 5))
    weights = rng.dirichlet(np.ones(6))
    whole = curve(test, validation, weights)
    without = curve(np.delete(test, 2, 1), np.delete(validation, 2, 1), weights)
    np.testing.assert_allclose(whole.by_seed[:, 2], 5 * whole.mean - 4 * without.mean)
    np.testing.assert_allclose(whole.by_seed.mean(axis=1), whole.mean)
    assert whole.method == METHOD_TRAINED_ANEW


def test_the_band_is_outside_of_the_interval_at_each_number() -> None:
    test, validation = np.random.default_rng(2).normal(size=(2, 8, 6))
    found = curve(test, validation, np.full(8, 1 / 8))
    assert np.all((found.band_low <= found.low) & (found.low <= found.mean))
    assert np.all((found.mean <= found.high) & (found.high <= found.band_high))


@pytest.mark.parametrize(
    ("seeds", "note"), [(0, "no trials"), (1, "chosen and scored on the same seed"), (2, "too few")]
)
def test_too_few_seeds_have_no_interval(seeds: int, note: str) -> None:
    test, validation = np.random.default_rng(3).normal(size=(2, 4, seeds))
    found = curve(test, validation, np.full(4, 0.25))
    assert note in found.note
    assert not found.method
    assert np.isnan([found.low, found.band_high]).all()
    assert np.isfinite(found.mean).all() == (seeds > 0)


def test_a_seed_without_a_cell_is_left_out_and_said() -> None:
    test, validation = np.random.default_rng(4).normal(size=(2, 4, 5))
    weights = np.full(4, 0.25)
    whole = curve(test[:, :4], validation[:, :4], weights)
    test[1, 4] = np.nan
    found = curve(test, validation, weights)
    np.testing.assert_allclose(found.mean, whole.mean)
    assert found.note == "provisional: 1 of 5 seeds lack a cell"
    assert np.isnan(found.by_seed[:, 4]).all()
    assert np.isfinite(found.low).all()


def test_where_no_seed_is_whole_the_common_cells_are_taken_without_interval() -> None:
    test, validation = np.random.default_rng(5).normal(size=(2, 4, 3))
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    test[3, :2] = validation[0, 2] = np.nan
    found = curve(test, validation, weights)
    part = curve(test[1:3], validation[1:3], np.array([0.4, 0.6]))
    np.testing.assert_allclose(found.mean, part.mean)
    assert found.note == "provisional: over 50% of the space, which every seed knows"
    assert np.isnan(found.low).all()


def test_cells_without_a_share_do_not_matter() -> None:
    test, validation = np.random.default_rng(6).normal(size=(2, 4, 4))
    weights = np.array([0.5, 0.5, 0.0, 0.0])
    expected = curve(test, validation, weights).mean
    test[2:], validation[2:] = np.nan, 9.0
    np.testing.assert_allclose(curve(test, validation, weights).mean, expected)


def test_parity_is_the_first_number_that_reaches_the_target() -> None:
    by_seed = np.array([0.5, 0.6, 0.7, 0.8, 0.9])[:, None] + 0.001 * np.array([-1.0, 0.0, 1.0])
    found = trials_to_parity(by_seed, np.full(3, 0.65), TRIALS)
    assert (found.low, found.trials, found.high) == (3, 3, 3)
    assert trials_to_parity(by_seed, np.full(3, 0.65), TRIALS, margin=0.06).trials == 2
    never = trials_to_parity(by_seed, np.full(3, 0.95), TRIALS)
    assert (never.low, never.trials, never.high, never.most) == (np.inf, np.inf, np.inf, 1000)


def test_parity_is_uncertain_where_the_curves_are_near() -> None:
    noise = 0.1 * np.array([[-1.0, 1.0, -1.0, 1.0, 0.0]])
    by_seed = np.array([0.5, 0.6, 0.7, 0.8, 0.9])[:, None] + noise
    found = trials_to_parity(by_seed, np.full(5, 0.7), TRIALS)
    assert found.low < found.trials == 3 < found.high


def test_parity_without_seeds_in_common() -> None:
    by_seed = np.full((5, 4), 0.5)
    two = np.array([0.4, 0.5, np.nan, np.nan])
    found = trials_to_parity(by_seed, two, TRIALS)
    assert found.note == "too few seeds"
    assert np.isnan(found.low)
    assert np.isnan(trials_to_parity(by_seed, np.full(4, np.nan), TRIALS).trials)
    told = trials_to_parity(by_seed, np.full(4, 0.4), TRIALS, note="provisional")
    assert (told.trials, told.note, np.isnan(told.low)) == (1, "provisional", True)


def test_the_best_of_drawn_points_is_that_of_all_their_subsets() -> None:
    validation, test = np.array([0.3, 0.9, 0.5, 0.5]), np.array([1.0, 2.0, 3.0, 4.0])
    chances = drawn_chances(validation, np.full(4, 0.25), np.array([1, 2, 4, 5]))
    assert np.allclose(chances[0], 0.25)
    # pairs: 0-1, 1-2 and 1-3 pick 1; 0-2 picks 2; 0-3 picks 3; 2-3 picks either
    assert np.allclose(chances[1] @ test, (3 * 2 + 3 + 4 + 3.5) / 6)
    assert np.allclose(chances[2], [0, 1, 0, 0])
    assert np.isnan(chances[3]).all()
    assert np.isnan(drawn_chances(validation, np.array([0.1, 0.2, 0.3, 0.4]), np.array([1]))).all()


def test_the_best_of_drawn_points_has_no_bias_and_no_interval() -> None:
    """The best of 16 of 24 uniform points is 16 / 17; with repetition it is lower."""
    rng, drawn, repeated = np.random.default_rng(0), [], []
    for _ in range(400):
        scores = np.repeat(rng.random((24, 1)), 3, axis=1)
        curves = [
            tuning_curve(scores, scores, np.full(24, 1 / 24), np.array([16]), rng=rng, drawn=each)
            for each in (True, False)
        ]
        drawn.append(curves[0].mean[0])
        repeated.append(curves[1].mean[0])
    assert not np.isfinite([curves[0].low, curves[0].band_low]).any()
    assert curves[0].note == "drawn configurations: no interval"
    assert abs(np.mean(drawn) - 16 / 17) < 3 * np.std(drawn) / 20
    assert np.mean(repeated) < 16 / 17 - 0.01
