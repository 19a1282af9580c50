"""Losses with the same scores in all trials are found, whatever their names, order and number of configurations."""

import numpy as np
import pytest

from analysis.fairness.checks import check_fairness
from analysis.report.recommended import recommend_from
from analysis.report.verdict import study_verdict
from analysis.report.verdict_lines import verdict_lines
from analysis.statistics.comparisons.decisions import WITHHELD
from analysis.statistics.comparisons.identical import Identical, copies, identical_losses
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SCORES = np.random.default_rng(0).uniform(0.5, 0.9, size=(3, 5, 4))


def test_losses_with_the_same_scores_form_one_group() -> None:
    losses = {
        "a": synthetic.cells("a", SCORES, SCORES),
        "b": synthetic.cells("b", SCORES + 1e-6, SCORES),
        "c": synthetic.cells("c", SCORES, SCORES),
        "d": synthetic.cells("d", SCORES, SCORES + 1e-6),
        "e": synthetic.cells("e", SCORES, SCORES),
    }
    assert identical_losses(losses) == [Identical(losses=("a", "c", "e"), trials=60, all_trials=True)]


def test_a_part_of_the_configurations_is_enough_and_is_told() -> None:
    part = synthetic.cells("b", SCORES[:2], SCORES[:2])
    losses = {"a": synthetic.cells("a", SCORES, SCORES), "b": part}
    assert identical_losses(losses) == [Identical(losses=("a", "b"), trials=40, all_trials=False)]


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(SCORES[:1, :1], id="few trials"),
        pytest.param(np.ones_like(SCORES), id="saturated"),
        pytest.param(np.round(3 * SCORES) / 3, id="coarse"),
        pytest.param(np.full_like(SCORES, np.nan), id="no trial"),
    ],
)
def test_few_different_scores_tell_nothing(scores: np.ndarray) -> None:
    assert not identical_losses({name: synthetic.cells(name, scores, scores) for name in "ab"})


def test_failed_trials_alone_tell_nothing_and_must_agree() -> None:
    a, b, c = (synthetic.cells(name, SCORES, SCORES) for name in "abc")
    for cells in (a, b):
        cells.status[:14] = "diverged"  # one of 15 configurations is left, with 4 scores
    assert not identical_losses({"a": a, "b": b})
    assert not identical_losses({"a": a, "c": c})  # c finished where a failed
    one, other = (synthetic.cells(name, SCORES, SCORES) for name in "ab")
    one.status[3, 1] = other.status[3, 1] = "crashed"
    assert identical_losses({"a": one, "b": other})[0].trials == 59


def test_losses_that_share_no_trials_form_no_group() -> None:
    every = synthetic.cells("a", SCORES, SCORES)
    b, c = (synthetic.cells(name, SCORES, SCORES) for name in "bc")
    b.status[7:], c.status[:7] = "unplanned", "unplanned"
    first = Identical(losses=("a", "b"), trials=28, all_trials=False)
    second = Identical(losses=("a", "c"), trials=32, all_trials=False)
    found = identical_losses({"a": every, "b": b, "c": c})
    assert found == [first, second]
    assert copies(found, "a") == {"b": ("a", first), "c": ("a", second)}
    assert copies(found, "b") == {"a": ("b", first), "c": ("a", second)}


def test_decisions_on_a_copy_are_withheld() -> None:
    decisions = _study().decisions
    assert decisions is not None
    assert decisions.standing("kcl") != WITHHELD
    assert decisions.standing("copy") == WITHHELD
    assert {item.reason for item in decisions.items if item.loss == "copy"} == {
        "the same scores as kcl in all 45 trials"
    }
    # the original is recommended without the copy
    found = recommend_from(_study())
    assert found.found is not None
    assert [each.loss for each in found.found.candidates if each.loss == "copy"] == []
    assert (
        "Not compared, since a check failed: copy (the same scores as kcl in all 45 trials)." in found.notes
    )


def test_the_verdict_says_that_two_losses_have_the_same_scores() -> None:
    failed = [card for card in check_fairness(_study()) if card.level == "fail"]
    assert [card.title for card in failed] == ["Same scores"]
    lines = verdict_lines(study_verdict(_study()))
    assert lines[0] == (
        "Failed check “Same scores”: kcl and copy have the same scores in all 45 trials: one method under several "
        "names, or one set of results copied."
    )
    assert not study_verdict(_study(null_controls=(("kcl", "copy"),))).failed


def _study(**changes: object) -> StudyAnalysis:
    arms = [synthetic.arm_info(name) for name in ("infonce", "kcl", "copy")]
    planned = synthetic.plan(arms, seeds=range(3))
    hill = synthetic.hill(peak=0.9, at=0.3, width=9.0)
    records = synthetic.run(planned, dict.fromkeys(("infonce", "kcl", "copy"), hill))
    own = np.random.default_rng(1).normal(scale=0.01, size=45)
    for column in ("test_probe10_accuracy", "val_probe10_accuracy"):
        records[column] += np.concatenate([own[::-1], own, own])
    return analyse(planned, records, synthetic.study_info(arms, seeds=range(3), **changes))
