"""A tuned score is free of the luck of its choice: no seed selects the configuration that it scores."""

import math

import numpy as np
import pytest

from analysis.statistics.comparisons.compare import Comparison, compare_arms
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness
from analysis.statistics.scores.selection import NONE, best_cell
from tests.analysis import synthetic

FLAT = np.full((3, 5), 0.8)
PEAKED = np.where(np.arange(15).reshape(3, 5) == 7, 0.8, 0.7)


def summarise(arm: str, test: np.ndarray, validation: np.ndarray) -> RobustnessSummary:
    return summarise_robustness(synthetic.cells(arm, test, validation), eps=0.02)


def simulate(levels: np.ndarray, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation of one arm of these true accuracies; most of a trial's noise is shared by both."""
    shared = rng.normal(size=(*levels.shape, seeds))
    own = rng.normal(size=(2, *levels.shape, seeds))
    test, validation = levels[..., None] + 0.01 * shared + 0.005 * own
    return test, validation


def compare(flat: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> Comparison:
    arms = [summarise("flat", *flat), summarise("other", *other)]
    return compare_arms(arms, "other")[0]


def score_of_the_choosing_seeds(test: np.ndarray, validation: np.ndarray) -> float:
    flat = (-1, test.shape[-1])
    return float(test.reshape(flat)[best_cell(validation.reshape(flat))].mean())


def test_many_equal_cells_have_no_advantage_in_the_tuned_score() -> None:
    """At equal true tuned accuracy the difference is unbiased; seeds that choose and report are not."""
    rng = np.random.default_rng(0)
    fitted, naive = [], []
    for _ in range(200):
        flat, peaked = simulate(FLAT, 3, rng), simulate(PEAKED, 3, rng)
        fitted.append(compare(flat, peaked).difference.value)
        naive.append(score_of_the_choosing_seeds(*flat) - score_of_the_choosing_seeds(*peaked))
    error = np.std(fitted, ddof=1) / math.sqrt(len(fitted))
    assert abs(np.mean(fitted)) <= 3 * error
    assert np.mean(naive) > 0.005 > 5 * error


@pytest.mark.parametrize("other", [FLAT, PEAKED])
def test_dependence_between_seeds_makes_no_false_verdicts(other: np.ndarray) -> None:
    """Equal cells at five seeds."""
    rng = np.random.default_rng(1)
    verdicts = [compare(simulate(FLAT, 5, rng), simulate(other, 5, rng)).verdict for _ in range(250)]
    wrong = sum(verdict in ("better", "worse") for verdict in verdicts)
    assert wrong <= 250 * 0.05 + 2 * math.sqrt(250 * 0.05 * 0.95)


def test_the_place_shown_is_that_of_all_seeds_and_agreement_is_counted() -> None:
    validation = np.full((3, 5, 3), 0.5)
    validation[1, 2] = [0.9, 0.9, 0.2]
    validation[1, 3] = [0.6, 0.6, 0.7]
    tuned = summarise("a", validation, validation).tuned
    # sums over seeds: 2.0 and 1.9; seed 2 alone selects the second
    assert tuned.at == 7  # batch size 64, the third temperature
    assert tuned.selected == (7, 7, 8)
    assert (tuned.agreeing, tuned.choices) == (2, 3)
    # on seed 0 the others select scores of 0.9 and 0.6, on seed 1 the same, on seed 2 0.2 twice
    assert tuned.scores.tolist() == pytest.approx([0.75, 0.75, 0.2])
    assert tuned.estimate.value == pytest.approx(tuned.scores.mean())
    assert tuned.estimate.method == "Student over ordered pairs of seeds, 2 df"


def test_a_seed_with_equal_best_cells_agrees_with_each_of_them() -> None:
    validation = np.full((3, 5, 2), 0.5)
    validation[1, 2] = validation[1, 3] = [0.9, 0.9]
    tuned = summarise("a", validation, validation).tuned
    assert (tuned.at, tuned.selected, tuned.agreeing) == (7, (7, 7), 2)


def test_one_seed_chooses_and_reports_and_says_so() -> None:
    test = np.arange(15.0).reshape(3, 5, 1) / 20
    tuned = summarise("a", test, test).tuned
    assert tuned.estimate.value == pytest.approx(0.7)
    assert tuned.estimate.note == "chosen and scored on the same seed"
    assert not tuned.estimate.has_interval
    assert tuned.choices == 0


def test_one_finished_seed_of_two_is_like_one() -> None:
    test = np.arange(30.0).reshape(3, 5, 2) / 40
    test[..., 1] = np.nan
    tuned = summarise("a", test, test).tuned
    assert tuned.estimate.value == pytest.approx(0.7)
    assert tuned.estimate.note == "provisional: 15 of 30 missing; chosen and scored on the same seed"


def test_a_pair_that_lacks_its_trial_is_told() -> None:
    test = np.full((3, 5, 3), 0.5)
    test[0, 0] = 0.9
    test[0, 0, 2] = np.nan
    tuned = summarise("a", test, test).tuned
    # seed 2 selects among its cells of 0.5; the other two select the cell that it lacks
    assert tuned.at == 1
    assert np.isnan(tuned.pairs[0, 2])
    assert tuned.estimate.note == "provisional: 1 of 45 missing; 2 of 3 seeds"
    assert tuned.estimate.value == pytest.approx(0.9)


def test_no_cell_is_best_of_nothing() -> None:
    assert best_cell(np.full((4, 3), np.nan)) == NONE
    assert best_cell(np.empty((4, 0))) == NONE
