"""Choices of one seed scored on another: values by hand, ties, missing trials, and the order of seeds and cells."""

import numpy as np
import pytest

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.gaps import tuning_gaps
from analysis.statistics.scores.neighbourhood import local_drop
from analysis.statistics.scores.pairs_of_seeds import (
    average_pairs,
    best_of_chances,
    choice_chances,
    first_chosen,
    lowest_chances,
    pair_scores,
    tuned_pairs,
    worst_pairs,
)
from analysis.statistics.scores.robustness import summarise_robustness, worst_case
from analysis.statistics.sensitivity.data_sets import hyperparameter_sensitivity
from analysis.statistics.sensitivity.transfer import transfer_regret
from analysis.statistics.sensitivity.tunability import tunability
from tests.analysis import synthetic

EVEN = np.full(15, 1 / 15)


def drawn(seed: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation in steps of 1/20, so that many are equal."""
    test, validation = np.round(20 * np.random.default_rng(seed).uniform(size=(2, *shape))) / 20
    return test, validation


def test_one_seed_selects_and_another_scores() -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, 6, 4))
    found = tuned_pairs(test, validation)
    for r in range(4):
        for s in range(4):
            expected = np.nan if r == s else test[validation[:, r].argmax(), s]
            np.testing.assert_equal(found[r, s], expected)
    assert first_chosen(choice_chances(validation)).tolist() == validation.argmax(axis=0).tolist()


def test_equal_cells_count_alike() -> None:
    validation = np.array([[0.9, 0.1], [0.9, 0.5], [0.2, 0.5]])
    assert choice_chances(validation).T.tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5]]
    assert choice_chances(validation, worst=True).T.tolist() == [[0, 0, 1], [1, 0, 0]]
    test = np.array([[0.1, 0.2], [0.3, 0.6], [0.5, 0.9]])
    found = tuned_pairs(test, validation)
    assert found[0, 1] == pytest.approx(0.4)
    assert found[1, 0] == pytest.approx(0.4)
    test[0, 1] = np.nan  # the other of the equal cells stands for it
    assert tuned_pairs(test, validation)[0, 1] == 0.6


def test_the_worst_tenth_takes_parts_of_cells_and_shares_them_among_equals() -> None:
    validation, weights = np.array([[0.5], [0.1], [0.5], [0.9]]), np.array([0.2, 0.1, 0.4, 0.3])
    chances = lowest_chances(validation, weights, 0.25)[:, 0]
    # 0.1 of the first cell, and 0.15 of the two equal ones by their measure of 0.2 and 0.4
    np.testing.assert_allclose(chances, [0.05 / 0.25, 0.1 / 0.25, 0.1 / 0.25, 0.0])
    test = np.repeat(np.array([[0.5], [0.1], [0.5], [0.9]]), 2, axis=1)
    found = worst_pairs(test, np.repeat(validation, 2, axis=1), weights, tail=0.25)
    assert found[0, 1] == pytest.approx((0.1 * 0.1 + 0.15 * 0.5) / 0.25)


def test_the_best_of_a_budget_has_the_law_of_the_maximum() -> None:
    validation, weights = np.array([[0.5], [0.1], [0.5], [0.9]]), np.array([0.2, 0.1, 0.4, 0.3])
    chances = best_of_chances(validation, weights, 3)[:, 0]
    np.testing.assert_allclose(
        chances, [(0.7**3 - 0.1**3) / 3, 0.1**3, (0.7**3 - 0.1**3) * 2 / 3, 1 - 0.7**3]
    )


def test_leading_axes_are_separate_studies() -> None:
    test, validation = drawn(1, 5, 8, 4)
    weights = np.full(8, 1 / 8)
    for study in range(5):
        np.testing.assert_allclose(
            tuned_pairs(test, validation)[study], tuned_pairs(test[study], validation[study])
        )
        np.testing.assert_allclose(
            worst_pairs(test, validation, weights)[study],
            worst_pairs(test[study], validation[study], weights),
        )
        np.testing.assert_allclose(average_pairs(test, weights)[study], average_pairs(test[study], weights))


def test_an_unfinished_seed_selects_nothing() -> None:
    test, validation = drawn(2, 10, 4)
    validation[1:, 3] = np.nan
    chances = choice_chances(validation)
    assert chances.sum(axis=0).tolist() == pytest.approx([1, 1, 1, 0])
    assert np.isnan(tuned_pairs(test, validation)[3]).all()


def test_a_loss_has_the_values_of_the_variant_that_a_seed_selects() -> None:
    low, high = np.full((3, 5, 3), 0.5), np.full((3, 5, 3), 0.5)
    high[0, 0] = [0.9, 0.4, 0.7]
    low[0, 0] = [0.6, 0.8, 0.7]
    found = pair_scores([synthetic.cells("low", low, low), synthetic.cells("high", high, high)])
    assert found.variants.tolist() == [1, 0, 0]
    assert found.tuned[0, 1:].tolist() == [0.4, 0.7]
    assert found.tuned[1, 0] == 0.6
    # seed 2 likes both alike
    assert found.tuned[2, :2] == pytest.approx([(0.6 + 0.9) / 2, (0.8 + 0.4) / 2])


def estimates(test: np.ndarray, validation: np.ndarray) -> list[Estimate]:
    """Everything that selects and scores, from scores `(2, 3, 5, S)` of two data sets."""
    seeds = test.shape[-1]
    one, seen = test[0], validation[0]
    flat = (one.reshape(15, seeds), seen.reshape(15, seeds))
    gaps = [tuning_gaps(*flat, EVEN, 3, budget=budget, step=0.05) for budget in (None, 4)]
    tuning, drop = tunability(one, seen, (1, 1), step=0.05), local_drop(one, seen, step=0.05)
    both = (test.reshape(2, 15, seeds), validation.reshape(2, 15, seeds))
    moved, needs = transfer_regret(*both, step=0.05), hyperparameter_sensitivity(*both)
    summary = summarise_robustness(synthetic.cells("a", one, seen), eps=0.02)
    return [
        *(item for gap in gaps for item in (gap.tuned, gap.default, gap.random, gap.worst)),
        *(tuning.gain, tuning.axes[0].gain, tuning.axes[1].gain),
        *(drop.mean, *drop.axes, moved.mean, needs.each, needs.across, needs.sensitivity),
        *(worst_case(*flat, EVEN), summary.tuned.estimate, summary.worst, summary.mean, summary.tolerance),
    ]


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("spoil", [0.0, 0.03])
def test_the_order_of_the_seeds_changes_nothing(seeds: int, spoil: float) -> None:
    test, validation = drawn(seeds, 2, 3, 5, seeds)
    lost = np.random.default_rng(seeds).uniform(size=test.shape) < spoil
    test[lost] = validation[lost] = np.nan
    order = np.random.default_rng(9).permutation(seeds)[::-1]
    pairs = zip(estimates(test, validation), estimates(test[..., order], validation[..., order]), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(
            [one.value, one.low, one.high], [other.value, other.low, other.high], rtol=0, atol=1e-12
        )
        assert one.note == other.note


def _cells(test: np.ndarray, validation: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    weights = np.linspace(1, 2, 12) / np.linspace(1, 2, 12).sum()
    parts = test[order], validation[order], weights[order]
    gaps = tuning_gaps(*parts, None, budget=5)
    return [
        tuned_pairs(*parts[:2]),
        worst_pairs(*parts),
        np.array([gaps.tuned.value, gaps.worst.value, gaps.random.value]),
    ]


def test_the_order_of_the_cells_changes_nothing() -> None:
    test, validation = drawn(4, 12, 5)
    straight = np.arange(12)
    found = (_cells(test, validation, order) for order in (straight, straight[::-1]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("surface", ["flat", "hill"])
def test_the_estimand_is_the_same_at_every_number_of_seeds(surface: str) -> None:
    """The mean over studies of the estimate agrees with the exact value, by brute force, at 2, 3 and 10 seeds."""
    rng = np.random.default_rng(5)
    means = np.zeros(8) if surface == "flat" else -(np.linspace(-1, 1, 8) ** 2)
    many = means[:, None] + rng.normal(size=(8, 100_000))
    truth = means[many.argmax(axis=0)].mean()
    for seeds in (2, 3, 10):
        luck = rng.normal(size=(2000, 8, seeds))
        scores = means[:, None] + luck
        found = np.nanmean(tuned_pairs(scores, scores), axis=(1, 2))
        assert found.mean() == pytest.approx(truth, abs=4 * found.std() / np.sqrt(2000) + 0.01)
