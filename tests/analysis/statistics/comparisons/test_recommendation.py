"""The recommendation names what validation chooses, scores it on other seeds, and bounds what it can cost."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.model.cells import Cells
from analysis.statistics.comparisons.recommend_loss import recommend_loss
from analysis.statistics.comparisons.with_the_best import (
    best_bounds,
    compared_with_best,
    pair_mean_and_error,
)
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.scores.pairs_of_seeds import pair_scores
from tests.analysis import synthetic
from tests.analysis.coverage.recommended import WORLDS, truths


def loss(name: str, test: np.ndarray, validation: np.ndarray | None = None) -> Cells:
    """A loss of these scores `(C, S)` at one batch size."""
    chosen = test if validation is None else validation
    return synthetic.cells(name, test[None], chosen[None])


def test_pairs_of_seeds_without_a_choice_give_students_error() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.8])
    mean, error = pair_mean_and_error(np.broadcast_to(values, (4, 4)))
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / 2)


def test_bounds_of_three_candidates_by_hand() -> None:
    means = np.array([3.0, 2.5, 0.0])
    gaps = means[:, None] - means[None, :]
    best, regrets = best_bounds(gaps, np.full((3, 3), 0.5), quantile=2.0, excluding=2.0)
    assert best.tolist() == [True, True, False]
    # 0 may lose 0.5 to 1; 1 may lose 1.5 to 0; 2 may lose 4 to 0
    np.testing.assert_allclose(regrets, [0.5, 1.5, 4.0])
    best, regrets = best_bounds(gaps, np.full((3, 3), 0.1), quantile=2.0, excluding=2.0)
    assert best.tolist() == [True, False, False]
    assert regrets[0] == 0
    # 2 may be the best by the wider bounds; it adds no regret, since the narrower ones say that it is worse
    best, regrets = best_bounds(gaps, np.full((3, 3), 0.5), quantile=2.0, excluding=6.0)
    assert best.tolist() == [True, True, True]
    np.testing.assert_allclose(regrets, [0.5, 1.5, 4.0])


@pytest.mark.parametrize("tuned", [False, True], ids=["default", "tuned"])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("count", [4, 8])
def test_of_equal_losses_none_is_excluded(count: int, seeds: int, tuned: bool) -> None:
    """In 1,000 studies of equal losses at their default settings, or at the one of 6 that validation chooses."""
    rng = np.random.default_rng(100 * count + seeds)
    size = (1000, count, 6, seeds)
    test = 0.01 * rng.standard_normal(size)
    if tuned:
        chosen = np.argmax(test + 0.005 * rng.standard_normal(size), axis=2)  # (1000, K, S)
        matrices = np.take_along_axis(test, chosen[..., None], axis=2)  # (1000, K, S, S)
    else:
        matrices = np.broadcast_to(test[:, :, :1], (1000, count, seeds, seeds))
    _, best, upper = compared_with_best(matrices, 0.05)
    assert 1 - best.all(axis=-1).mean() <= 0.06
    assert (upper >= 0).all()


def test_regrets_hold_where_losses_are_spread() -> None:
    rng = np.random.default_rng(5)
    means = np.linspace(0.89, 0.91, 5)
    for seeds in (3, 5, 10):
        test = means[:, None] + 0.01 * rng.standard_normal((1000, 5, seeds))
        matrices = np.broadcast_to(test[:, :, None], (1000, 5, seeds, seeds))
        _, best, upper = compared_with_best(matrices, 0.05)
        assert (upper >= means.max() - means).all(axis=-1).mean() >= 0.94
        assert best[:, -1].mean() >= 0.94


def test_drawn_settings_have_no_interval() -> None:
    rng = np.random.default_rng(6)
    a, b = (
        replace(loss(name, peak + 0.001 * rng.standard_normal((3, 5))), drawn=True)
        for name, peak in (("a", 0.9), ("b", 0.6))
    )
    found = recommend_loss({"a": [a], "b": [b]})
    assert found.reason.startswith("the settings were drawn at random, and seeds ")
    assert found.chosen.loss == "a"
    assert not found.is_clear
    assert not found.score.has_interval
    assert all(each.may_be_best for each in found.candidates)


def test_fewer_than_three_common_seeds_are_a_reason() -> None:
    scores = 0.8 + 0.01 * np.random.default_rng(7).standard_normal((3, 5))
    a, b = loss("a", scores), loss("b", scores - 0.1)
    found = recommend_loss({"a": [a], "b": [replace(b, seeds=b.seeds + 3)]})
    assert found.reason == "the losses have 2 seeds in common, and at least 3 are needed"
    assert found.seeds == 2
    few = b.on_seeds(b.seeds[:3])
    with pytest.raises(ValueError, match="no seed in common"):
        recommend_loss({"a": [a], "b": [replace(few, seeds=few.seeds + 5)]})


def test_losses_with_seeds_of_their_own_have_welchs_error() -> None:
    a, b = np.array([[0.80, 0.83, 0.79, 0.84]]), np.array([[0.81, 0.80, 0.78, 0.80]])
    other = loss("b", b)
    found = recommend_loss({"a": [loss("a", a)], "b": [replace(other, seeds=other.seeds + 4)]})
    gap = a.mean() - b.mean()
    half = stats.t.ppf(0.95, 3) * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 4)
    assert not found.paired
    assert found.chosen.loss == "a"
    assert found.regret.high == pytest.approx(half - gap)
    assert found.rivals[0].regret.high == pytest.approx(half + gap)
    assert found.score.value == pytest.approx(a.mean())
    assert not found.score.has_interval
    # no order of seeds changes anything
    turned = loss("b", b[:, ::-1])
    again = recommend_loss({"a": [loss("a", a)], "b": [replace(turned, seeds=other.seeds + 4)]})
    assert again.regret.high == pytest.approx(found.regret.high, abs=1e-12)


@pytest.mark.parametrize("seeds", [3, 5])
def test_of_equal_losses_with_seeds_of_their_own_none_is_excluded(seeds: int) -> None:
    """In 2,000 studies of four losses, of which one has three times the noise."""
    scale = np.array([0.01, 0.01, 0.01, 0.03])[:, None]
    test = scale * np.random.default_rng(seeds).standard_normal((2000, 4, seeds))
    matrices = np.broadcast_to(test[:, :, None], (2000, 4, seeds, seeds))
    _, best, upper = compared_with_best(matrices, 0.05, paired=False)
    assert 1 - best.all(axis=-1).mean() <= 0.06
    assert (upper >= 0).all()


def test_a_missing_trial_anywhere_withholds_the_choice() -> None:
    scores = 0.8 + 0.01 * np.random.default_rng(8).standard_normal((3, 5))
    scores[2] -= 0.3  # no seed chooses it
    lacking = loss("a", scores)
    lacking.status[2, 0] = "missing"
    found = recommend_loss({"a": [lacking], "b": [loss("b", scores)]})
    assert found.reason == "trials are missing"


def test_two_losses_of_one_setting_have_students_one_sided_bound() -> None:
    a, b = np.array([[0.80, 0.83, 0.79, 0.84]]), np.array([[0.81, 0.80, 0.78, 0.80]])
    found = recommend_loss({"a": [loss("a", a)], "b": [loss("b", b)]})
    difference = (a - b)[0]
    half = stats.t.ppf(0.95, 3) * difference.std(ddof=1) / 2
    assert found.chosen.loss == "a"
    assert found.regret.value == 0
    assert found.regret.high == pytest.approx(max(half - difference.mean(), 0))
    assert found.rivals[0].regret.high == pytest.approx(difference.mean() + half)


def test_another_seed_scores_what_a_seed_chooses() -> None:
    """Each seed has a lucky setting, by validation and by test. On other seeds all settings are equal."""
    luck = 0.5 + 0.3 * np.eye(4)
    found = recommend_loss({"a": [loss("a", luck)], "b": [loss("b", np.full((4, 4), 0.4))]})
    assert found.score.value == pytest.approx(0.5)
    assert found.chosen.agreeing == 1


def test_a_variant_belongs_to_its_loss() -> None:
    rng = np.random.default_rng(0)
    poor, good, other = (m + 0.001 * rng.standard_normal((3, 5)) for m in (0.6, 0.9, 0.7))
    found = recommend_loss({"a": [loss("a 1", poor), loss("a 2", good)], "b": [loss("b", other)]})
    assert (found.chosen.loss, found.chosen.variant) == ("a", 1)
    assert found.is_clear
    assert found.regret.high == 0


def test_without_tuning_each_loss_has_its_default() -> None:
    rng = np.random.default_rng(1)
    test = np.array([0.7, 0.8, 0.75, 0.9, 0.7])[:, None] + 0.001 * rng.standard_normal((5, 4))
    rival = np.full((5, 1), 0.5) + 0.001 * rng.standard_normal((5, 4))
    found = recommend_loss({"a": [loss("a", test)], "b": [loss("b", rival)]}, tuned=False)
    assert found.chosen.cell == 2  # the temperature nearest to the default of 0.5
    assert found.score.value == pytest.approx(0.75, abs=0.002)
    assert found.chosen.gain is not None
    assert found.chosen.gain.value == pytest.approx(0.15, abs=0.002)


def test_where_the_records_cannot_tell_there_is_a_reason_and_no_interval() -> None:
    rng = np.random.default_rng(2)
    test = 0.8 + 0.01 * rng.standard_normal((3, 2))
    few = recommend_loss({"a": [loss("a", test)], "b": [loss("b", test - 0.1)]})
    assert few.reason == "there are 2 seeds, and at least 3 are needed"
    one = recommend_loss({"a": [loss("a", test[:, :1])], "b": [loss("b", test[:, :1])]})
    assert one.reason == "there is 1 seed, and at least 3 are needed"
    test = 0.8 + 0.01 * rng.standard_normal((3, 4))
    failed = loss("a", test)
    failed.status[1, 0] = "diverged"
    cannot = recommend_loss({"a": [failed], "b": [loss("b", test)]})
    assert "trials failed" in cannot.reason
    assert not cannot.score.has_interval
    assert np.isnan(cannot.regret.high)
    gap = np.where(np.arange(4) == 0, np.nan, test)
    assert recommend_loss({"a": [loss("a", gap)], "b": [loss("b", test)]}).reason == "trials are missing"
    with pytest.raises(ValueError, match="at least one is needed"):
        recommend_loss({})


def test_equal_scores_are_not_certain() -> None:
    """Accuracies come in steps of 1 / 200: equal ones differ by less than a step, and not by nothing."""
    cells = [loss(name, np.full((2, 5), 0.9)) for name in "ab"]
    a, b = ([replace(each, metric=replace(each.metric, step=1 / 200))] for each in cells)
    assert recommend_loss({"a": a, "b": b}).regret.high == pytest.approx(
        stats.t.ppf(0.95, 4) * 0.005 / np.sqrt(12 * 5)
    )
    # without a step, nothing says how far equal scores may be apart; close scores are no step
    unknown = recommend_loss({"a": [cells[0]], "b": [cells[1]]})
    assert unknown.reason == "scores or differences are equal at all seeds"
    assert not unknown.regret.has_interval


def test_losses_that_cannot_be_the_best_may_have_equal_scores() -> None:
    rng = np.random.default_rng(9)
    good, poor = (mean + 0.01 * rng.standard_normal((3, 5)) for mean in (0.9, 0.8))
    still = np.full((3, 5), 0.1)
    losses = {"a": good, "b": poor, "copy of b": poor, "still": still}
    found = recommend_loss({name: [loss(name, scores)] for name, scores in losses.items()})
    assert found.reason == ""
    assert found.is_clear
    # a copy of the best loss, and one that is a constant below it, have no error
    for other in (good, good - 0.1):
        again = recommend_loss({"a": [loss("a", good)], "b": [loss("b", poor)], "c": [loss("c", other)]})
        assert again.reason == "scores or differences are equal at all seeds"


def test_the_score_has_the_interval_of_a_tuned_score() -> None:
    test = 0.8 + 0.01 * np.random.default_rng(10).standard_normal((6, 5))
    cells = loss("a", test)
    score, tuned = recommend_loss({"a": [cells]}).score, pair_estimate(pair_scores([cells]).tuned)
    assert (score.value, score.low, score.high) == pytest.approx((tuned.value, tuned.low, tuned.high))
    _, plain = pair_mean_and_error(pair_scores([cells]).tuned)
    assert score.high - score.low < 0.97 * 2 * stats.t.ppf(0.975, 4) * plain


def test_the_order_of_seeds_and_of_losses_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    scores = {name: 0.8 + 0.02 * rng.standard_normal((4, 5)) for name in "abc"}
    first = recommend_loss({name: [loss(name, values)] for name, values in scores.items()})
    order = rng.permutation(5)
    again = recommend_loss({name: [loss(name, scores[name][:, order])] for name in "cab"})
    assert [each.loss for each in again.candidates] == [each.loss for each in first.candidates]
    for one, other in zip(first.candidates, again.candidates, strict=True):
        assert one.regret.high == pytest.approx(other.regret.high, abs=1e-12)
    assert again.score.low == pytest.approx(first.score.low, abs=1e-12)


def test_a_few_simulated_studies_say_what_is_true() -> None:
    """A hundred studies; the slow test has more and all scenarios."""
    found = truths(WORLDS["one better by 3 points"], 10, np.random.default_rng(0), studies=100)
    assert found["regrets"] >= 0.9
    assert found["alone"] > 0.8
    assert found["wrong"] == 0
    assert truths(WORLDS["equal hills"], 5, np.random.default_rng(0), studies=50)["alone"] <= 0.04
