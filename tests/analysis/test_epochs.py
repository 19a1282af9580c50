"""A page says where the epoch that is evaluated was chosen on test data."""

import numpy as np
import pytest

from analysis.fairness.card import FAIL, WARN
from analysis.fairness.checks import check_fairness
from analysis.report.recommended import recommend_from
from analysis.report.verdict import study_verdict
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

NAMES, SEEDS = ("infonce", "dhel", "dcl"), (0, 1, 2)


def evaluated(*epochs: str | None) -> StudyAnalysis:
    """Three losses, each evaluated at the epoch that its setting says; of one setting, all have it."""
    arms = [synthetic.arm_info(name) for name in NAMES]
    planned = synthetic.plan(arms, seeds=SEEDS)
    by_loss = dict(zip(NAMES, epochs * (4 - len(epochs)), strict=False))
    planned["hp_evaluated_epoch"] = planned["arm"].map(by_loss)
    surfaces = {
        name: synthetic.hill(peak=0.8 + 0.05 * at, at=0.3, width=4.0) for at, name in enumerate(NAMES)
    }
    records = synthetic.run(planned, surfaces, noise=0.01, rng=np.random.default_rng(0))
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS))


MAXIMA = "are maxima over epochs on test data"


def test_maxima_on_test_data_stand_before_the_answer() -> None:
    found = evaluated("best_test")
    assert study_verdict(found).before[0].startswith(f"The scores {MAXIMA}")
    assert any(MAXIMA in note for note in recommend_from(found).notes)
    (card,) = (card for card in check_fairness(found) if card.title == "Maxima over epochs")
    assert card.level == WARN
    assert MAXIMA in card.text


@pytest.mark.parametrize("epoch", ["last", "best_validation", None])
def test_other_epochs_need_no_words(epoch: str | None) -> None:
    found = evaluated(epoch)
    assert study_verdict(found).before == ()
    assert "Maxima over epochs" not in {card.title for card in check_fairness(found)}


def test_a_loss_with_another_epoch_is_not_compared() -> None:
    found = evaluated("last", "last", "best_test")
    verdict = study_verdict(found)
    assert verdict.before[0].startswith(f"The scores of dcl {MAXIMA}")
    (failed,) = (card for card in check_fairness(found) if card.level == FAIL)
    assert failed.line == "evaluated epoch: last for infonce and dhel, best_test for dcl"
    assert failed.losses == ("dcl",)
