"""Half-widths of simultaneous intervals, by hand: pooled margins, and the own margin of a loss unlike the others."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.comparisons.blocks import Blocks, block_errors
from analysis.statistics.comparisons.decisions import QUESTIONS
from analysis.statistics.comparisons.loss_values import (
    AVERAGE,
    NOT_TUNING,
    TUNED,
    LossValues,
    fails_sometimes,
    loss_values,
)
from analysis.statistics.comparisons.simultaneous import Intervals, simultaneous_intervals

CELLS, SEEDS, LOSSES = 12, 4, 5
ERROR, COMPARISONS = 0.04, 16


def study(*, unlike: float = 0.0) -> list[LossValues]:
    """Losses with equal noise; the last one also shifts at each seed."""
    rng = np.random.default_rng(2)
    scores = 0.01 * rng.normal(size=(LOSSES, CELLS, SEEDS)) + 0.8
    scores[-1] += unlike * np.array([1.0, -1.0, 0.5, -0.5])
    return [
        loss_values([item], [item], [np.full(CELLS, 1 / CELLS)], [np.zeros(item.shape, bool)])
        for item in scores
    ]


def intervals(losses: list[LossValues], question: str = AVERAGE) -> Intervals:
    return simultaneous_intervals(losses, 0, question, ERROR, COMPARISONS)


def blocks_of(losses: list[LossValues], question: str) -> Blocks:
    values, cell, explained = (
        np.stack([getattr(loss, name)[question] for loss in losses])
        for name in ("by_seed", "cell_error", "explained")
    )
    return block_errors(values, cell, explained)


def test_equal_losses_have_the_pooled_width() -> None:
    losses = study()
    found, blocks = intervals(losses), blocks_of(losses, AVERAGE)
    quantile = stats.t.isf(ERROR / COMPARISONS / 2, (LOSSES - 1) * (SEEDS - 1))
    assert not found.unlike.any()
    assert found.half[1:] == pytest.approx(quantile * np.hypot(blocks.error[1:], blocks.error[0]))


@pytest.mark.parametrize("question", [AVERAGE, TUNED])
def test_an_unlike_loss_has_its_own_margin_and_the_others_the_pooled_one(question: str) -> None:
    losses = study(unlike=0.03)
    found, blocks = intervals(losses, question), blocks_of(losses, question)
    pooled = stats.t.isf(ERROR / COMPARISONS / 2, (LOSSES - 1) * (SEEDS - 1)) * blocks.error
    own = stats.t.isf(ERROR / 4, SEEDS - 1) * blocks.own
    assert found.unlike.tolist() == [False] * (LOSSES - 1) + [True]  # the tuned score too, by the average
    assert found.half[1:-1] == pytest.approx(np.hypot(pooled, pooled[0])[1:-1])
    assert found.half[-1] == pytest.approx(np.hypot(max(pooled[-1], own[-1]), pooled[0]))
    # far from the 8 standard errors that the whole family at S - 1 degrees of freedom would give
    assert stats.t.isf(ERROR / COMPARISONS / 2, SEEDS - 1) > 1.7 * stats.t.isf(ERROR / 4, SEEDS - 1)


def test_the_largest_noise_is_not_hidden_by_the_place_of_the_reference() -> None:
    losses = study(unlike=0.03)
    turned = intervals(losses[::-1])
    assert turned.unlike.all()
    assert turned.half[-1] == pytest.approx(intervals(losses).half[-1])


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("score", [0.0, 0.5, 83.0])
def test_losses_without_any_spread_have_no_interval(question: str, score: float) -> None:
    still = np.full((CELLS, SEEDS), score)
    values = loss_values([still], [still], [np.full(CELLS, 1 / CELLS)], [np.zeros(still.shape, bool)])
    found = intervals([values, values, values], question)
    assert np.isnan(found.half[1:]).all()
    assert (found.value[1:] == 0).all()


def test_a_price_of_a_single_configuration_is_not_certain() -> None:
    scores = 0.5 + 0.01 * np.random.default_rng(1).normal(size=(3, 1, SEEDS))
    losses = [loss_values([item], [item], [np.ones(1)], [np.zeros(item.shape, bool)]) for item in scores]
    assert np.isnan(intervals(losses, NOT_TUNING).half[1:]).all()
    assert (intervals(losses, TUNED).half[1:] > 0.01).all()


def test_a_configuration_that_failed_at_all_seeds_is_uncertain_where_others_fail_sometimes() -> None:
    rng = np.random.default_rng(3)
    scores = 0.8 + 0.01 * rng.normal(size=(3, CELLS, SEEDS))
    failed = np.zeros(scores.shape, bool)
    failed[1, 0] = failed[2, 0, :2] = True
    scores[failed] = 0.1
    assert fails_sometimes(failed).tolist() == [False, False, True]

    def losses(*, sporadic: bool) -> list[LossValues]:
        return [
            loss_values([test], [test], [np.full(CELLS, 1 / CELLS)], [lost], sporadic=sporadic)
            for test, lost in zip(scores, failed, strict=True)
        ]

    alone, together = losses(sporadic=False)[1], losses(sporadic=True)[1]
    tossed = (scores[1][~failed[1]].mean() - 0.1) / 2 / CELLS / np.sqrt(SEEDS)
    assert alone.cell_error[AVERAGE] < 0.1 * tossed
    assert together.cell_error[AVERAGE] == pytest.approx(tossed, rel=0.01)
