import math

import numpy as np
import pytest

from analysis.statistics.choice import best_cell, cross_fit, cross_fit_widening
from analysis.statistics.compare import Comparison, compare_arms
from analysis.statistics.robustness import RobustnessSummary, summarise_robustness
from analysis.surface import Surface

FLAT = np.full((3, 5), 0.8)
PEAKED = np.where(np.arange(15).reshape(3, 5) == 7, 0.8, 0.7)


def surface(arm: str, values: np.ndarray) -> Surface:
    return Surface(
        arm=arm,
        metric="accuracy",
        x_name="hp_batch_size",
        y_name="hp_temperature",
        x=np.array([16.0, 64.0, 256.0]),
        y=np.geomspace(0.05, 2.0, 5),
        seeds=np.arange(values.shape[-1]),
        values=values,
        status=np.where(np.isfinite(values), "ok", "missing").astype(object),
    )


def summarise(arm: str, test: np.ndarray, validation: np.ndarray) -> RobustnessSummary:
    surfaces = surface(arm, test), surface(arm, validation)
    return summarise_robustness(*surfaces, None, default=0.3, chance=0.1, eps=0.02)


def simulate(levels: np.ndarray, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation of one arm of these true accuracies; most of a trial's noise is shared by both."""
    shared = rng.normal(size=(*levels.shape, seeds))
    own = rng.normal(size=(2, *levels.shape, seeds))
    test, validation = levels[..., None] + 0.01 * shared + 0.005 * own
    return test, validation


def compare(flat: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> Comparison:
    arms = [summarise("flat", *flat), summarise("other", *other)]
    return compare_arms(arms, [("flat", "other")], scores=("tuned",))[0]


def score_of_the_choosing_seeds(test: np.ndarray, validation: np.ndarray) -> float:
    return float(test[best_cell(validation)].mean())


def test_many_equal_cells_have_no_advantage_in_the_tuned_score() -> None:
    """At equal true tuned accuracy the cross-fitted difference is unbiased; seeds that choose and report are not."""
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
    """Equal cells at five seeds: without the wider standard error 8 to 12 % of verdicts would be false."""
    rng = np.random.default_rng(1)
    verdicts = [compare(simulate(FLAT, 5, rng), simulate(other, 5, rng)).verdict for _ in range(250)]
    wrong = sum(verdict in ("better", "worse") for verdict in verdicts)
    assert wrong <= 250 * 0.05 + 2 * math.sqrt(250 * 0.05 * 0.95)


def test_the_standard_error_is_widened_where_choices_differ() -> None:
    assert cross_fit_widening([(0, 1)] * 5) == 1.0
    assert cross_fit_widening([(0, 1), (0, 2), (0, 1)]) == pytest.approx(math.sqrt(2.5))
    assert cross_fit_widening([None, (0, 2)]) == 1.0
    assert cross_fit_widening([None]) == 1.0


def test_a_seed_never_chooses_for_itself() -> None:
    """Each seed is scored where the other two are best, though its own best lies elsewhere."""
    validation = np.zeros((1, 3, 3))
    validation[0, :, 0] = [0.9, 0.5, 0.5]
    validation[0, :, 1] = [0.4, 0.8, 0.3]
    validation[0, :, 2] = [0.4, 0.7, 0.6]
    test = np.arange(9.0).reshape(1, 3, 3)
    scores, cells = cross_fit(test, validation)
    assert cells == ((0, 1), (0, 0), (0, 0))
    assert scores.tolist() == [test[0, 1, 0], test[0, 0, 1], test[0, 0, 2]]


def test_the_place_shown_is_that_of_all_seeds_and_agreement_is_counted() -> None:
    validation = np.full((3, 5, 3), 0.5)
    validation[1, 2] = [0.9, 0.9, 0.2]
    validation[1, 3] = [0.6, 0.6, 0.7]
    tuned = summarise("a", validation, validation).tuned
    # sums over seeds: 2.0 and 1.9; without seed 0 1.1 and 1.3, without seed 2 1.8 and 1.2
    assert tuned.at == (1, 2)
    assert tuned.held_out == ((1, 3), (1, 3), (1, 2))
    assert (tuned.agreeing, tuned.choices) == (1, 3)
    assert tuned.scores.tolist() == [0.6, 0.6, 0.2]
    assert "1.58 times as wide" in tuned.estimate.method


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


def test_a_seed_that_lacks_the_chosen_cell_is_left_out() -> None:
    test = np.full((3, 5, 3), 0.5)
    test[0, 0] = 0.9
    test[0, 0, 2] = np.nan
    tuned = summarise("a", test, test).tuned
    # the cell lacks a seed, so it cannot win while others lack none; without seed 2 it wins
    assert tuned.at == (0, 1)
    assert np.isnan(tuned.scores[2])
    assert tuned.estimate.seeds == 2


def test_no_cell_is_best_of_nothing() -> None:
    assert best_cell(np.full((2, 2, 3), np.nan)) is None
    assert best_cell(np.empty((2, 2, 0))) is None
