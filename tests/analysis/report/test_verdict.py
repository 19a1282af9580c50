"""The verdict says what is decided, open, withheld or unfinished, with the numbers of the decisions."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import StudyInfo
from analysis.report.sections.content import TEXT, Cell, table
from analysis.report.verdict import Verdict, study_verdict
from analysis.report.verdict_conditions import resolution
from analysis.report.verdict_lines import MOST_LINES, verdict_lines
from analysis.report.verdict_table import NULL_CONTROL, REFERENCE
from analysis.statistics.comparisons.decisions import (
    AVERAGE,
    BAD_LUCK,
    BETTER,
    EQUAL,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
    REFERENCE_LOW,
    TUNED,
    WITHHELD,
    WORSE,
    Decision,
    Decisions,
)
from analysis.statistics.comparisons.looks import Look
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study
from tests.prose import assert_says

PRICE_LESS = (-0.012, -0.016, -0.008, BETTER)
PRICE_MORE = (0.03, 0.021, 0.039, WORSE)
NONE = (0.001, -0.004, 0.006, EQUAL)
UNSURE = (0.001, -0.03, 0.04, OPEN)

LESS = {NOT_TUNING: PRICE_MORE, TUNED: NONE}

Given = tuple[float, float, float, str]


def decided(study: Study, **losses: dict[str, Given]) -> StudyAnalysis:
    """The study with these decisions; questions that are not given are open."""
    findings = analyse(*study)
    items = []
    for loss, given in losses.items():
        for question in QUESTIONS:
            value, low, high, verdict = given.get(question, UNSURE)
            found = Estimate(value=value, low=low, high=high, seeds=5)
            reason = "epochs: 12 for InfoNCE, 50 for DHEL" if verdict == WITHHELD else ""
            items.append(
                Decision(
                    loss=loss,
                    reference="infonce",
                    question=question,
                    difference=found,
                    alone=found,
                    verdict=verdict,
                    reason=reason,
                )
            )
    own = dict.fromkeys(QUESTIONS, Estimate(value=0.5, low=0.4, high=0.6, seeds=5))
    decisions = Decisions(
        reference="infonce",
        tolerance=0.02,
        error=0.04,
        look=Look(first=5, seeds=5),
        items=tuple(items),
        values=dict.fromkeys(("infonce", *losses), own),
    )
    return dataclasses.replace(findings, decisions=decisions)


def answer(findings: StudyAnalysis) -> tuple[str, ...]:
    return tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in study_verdict(findings).answer)


def test_a_more_robust_loss_is_the_answer(study: Study) -> None:
    found = answer(decided(study, dhel={NOT_TUNING: PRICE_LESS, TUNED: NONE}, kcl=LESS))
    assert found[0] == (
        "On these ranges and 2 seeds, DHEL is more robust than InfoNCE: it pays 1.2 points less for not tuning "
        "[0.8, 1.6], and is as accurate when tuned."
    )
    assert (
        found[1]
        == "KCL is less robust: it pays 3.0 points more for not tuning [2.1, 3.9], and is as accurate when tuned."
    )


def test_a_collapsed_loss_is_flat_but_low(study: Study) -> None:
    low = (-0.3, -0.34, -0.26, WORSE)
    (first, *_) = answer(decided(study, dhel={NOT_TUNING: PRICE_LESS, TUNED: low}))
    assert_says(first, "DHEL", "worse than InfoNCE when tuned", "30.0 points [26.0, 34.0]", "not robust")


def test_a_reference_that_is_flat_but_low_is_not_called_more_robust(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = decided(study, dhel={NOT_TUNING: PRICE_MORE, TUNED: (0.2, 0.15, 0.25, BETTER)})
    monkeypatch.setattr(Decisions, "standing", lambda *_: REFERENCE_LOW)
    facts = (
        "On these ranges and 2 seeds, DHEL pays 3.0 points more than InfoNCE for not tuning [2.1, 3.9], and is 20.0 "
        "points [15.0, 25.0] better when tuned: "
    )
    assert answer(findings)[0] == (
        f"{facts}InfoNCE pays less only because it is low everywhere, which is not robust."
    )
    monkeypatch.setattr(Decisions, "standing", lambda *_: "a new standing")
    assert answer(findings)[0] == f"{facts}a new standing."
    shown = study_verdict(findings).table
    assert shown is not None
    assert shown.rows[1][1].text == "a new standing"


def test_a_lower_price_is_told_once(study: Study) -> None:
    given = {NOT_TUNING: PRICE_LESS, BAD_LUCK: (-0.02, -0.03, -0.01, BETTER)}
    first, second = answer(decided(study, dhel=given))
    assert first == (
        "On these ranges and 2 seeds, DHEL pays 1.2 points less than InfoNCE for not tuning [0.8, 1.6], but may be "
        "more than 2 points worse when tuned."
    )
    assert second == "Also decided: DHEL pays 2.0 points less for bad luck [1.0, 3.0]."


def test_a_higher_price_of_a_loss_that_may_be_better_is_no_answer(study: Study) -> None:
    (first, *_) = answer(decided(study, dhel={NOT_TUNING: PRICE_MORE}))
    assert first == (
        "On these ranges and 2 seeds, DHEL pays 3.0 points more than InfoNCE for not tuning [2.1, 3.9], but may be "
        "more than 2 points better when tuned."
    )


def test_a_sentence_does_not_change_the_name_of_a_loss() -> None:
    arms = [synthetic.arm_info(name, title=name) for name in ("aloss", "bloss", "closs")]
    records = synthetic.run(synthetic.plan(arms), dict.fromkeys(("aloss", "bloss", "closs"), SURFACES["kcl"]))
    study = synthetic.plan(arms), records, synthetic.study_info(arms)
    findings = decided(study, bloss={NOT_TUNING: PRICE_LESS, TUNED: NONE}, closs=LESS)
    assert findings.decisions is not None
    own = findings.decisions.values["bloss"]
    decisions = dataclasses.replace(
        findings.decisions, reference="aloss", values=dict.fromkeys(("aloss", "bloss", "closs"), own)
    )
    assert answer(dataclasses.replace(findings, decisions=decisions))[1].startswith("closs is less robust")


def test_two_losses_of_one_standing_share_a_sentence(study: Study) -> None:
    given = {NOT_TUNING: PRICE_LESS, TUNED: NONE}
    assert answer(decided(study, dhel=given, kcl=given))[0] == (
        "On these ranges and 2 seeds, DHEL and KCL are more robust than InfoNCE: they pay 1.2 [0.8, 1.6] and 1.2 "
        "[0.8, 1.6] points less for not tuning, and are as accurate when tuned."
    )


def test_all_open_says_so_and_what_else_is_decided(study: Study) -> None:
    first, second = answer(decided(study, dhel={}, kcl={AVERAGE: (-0.024, -0.031, -0.017, WORSE)}))
    assert_says(first, "it is open whether any loss is more or less robust than InfoNCE")
    assert second == "Also decided: KCL is worse in average accuracy by 2.4 points [1.7, 3.1]."


def test_all_equal(study: Study) -> None:
    given = {NOT_TUNING: NONE}
    (only,) = answer(decided(study, dhel=given, kcl=given))
    assert only == "On these ranges and 2 seeds, DHEL and KCL are as robust as InfoNCE, within 2 points."


def test_a_withheld_verdict_names_both_values(study: Study) -> None:
    held = dict.fromkeys(QUESTIONS, (0.0, -0.01, 0.01, WITHHELD))
    (only,) = answer(decided(study, dhel=held, kcl=held))
    assert_says(only, "withheld", "epochs: 12 for InfoNCE, 50 for DHEL")
    told = answer(decided(study, dhel=held, kcl=LESS))
    assert_says(told[0], "KCL is less robust than InfoNCE")
    assert_says(told[1], "Withheld for DHEL", "50 for DHEL")


def test_one_loss_has_its_values(study: Study) -> None:
    (only,) = answer(decided(study))
    assert_says(only, "one loss only", "InfoNCE pays 50.0 points", "50.0 % [40.0, 60.0]")


def test_twelve_losses_fit_in_ten_lines_decided_ones_first() -> None:
    arms = [synthetic.arm_info("infonce"), *(synthetic.arm_info(f"loss {n}") for n in range(11))]
    planned = synthetic.plan(arms)
    flat = synthetic.hill(peak=0.9, at=0.3, width=9.0)
    records = synthetic.run(
        planned, dict.fromkeys((arm.label for arm in arms), flat), noise=0.01, rng=np.random.default_rng(0)
    )
    study = planned, records, synthetic.study_info(arms)
    losses = {f"loss {n}": {NOT_TUNING: PRICE_MORE if n == 7 else UNSURE} for n in range(11)}
    verdict = study_verdict(decided(study, **losses))
    lines = verdict_lines(verdict)
    assert len(lines) < MOST_LINES
    assert lines[0] == verdict.answer[0]
    first = next(line for line in lines if line.startswith("loss "))
    assert first.replace("\N{NO-BREAK SPACE}", " ").split()[:4] == ["loss", "7", "worse", "+3.0"]
    assert any(line.endswith("more losses stand in the report.") for line in lines)
    assert max(map(len, verdict.answer)) < 300


@pytest.mark.parametrize("count", [5, 6, 8])
def test_a_terminal_shows_all_of_six_losses_and_drops_further_sentences(count: int) -> None:
    tones = ["open", *["worse"] * (count - 1)]
    titles = [("Loss", TEXT), ("Robustness", TEXT), "Price of not tuning"]
    rows: list[list[Cell | str]] = [["a", Cell(text=REFERENCE), Cell(text="0.1")]]
    rows += [
        [f"loss {n}", Cell(text="x", tone=tone), Cell(text="y", tone=tone)] for n, tone in enumerate(tones)
    ]
    rows += [["twin", Cell(text=NULL_CONTROL), Cell(text="0.1")]]
    verdict = Verdict(
        answer=("The answer.", "Also decided: more."), table=table(titles, rows), conditions=("5 seeds",)
    )
    lines = verdict_lines(verdict)
    assert len(lines) == MOST_LINES - 1
    shown = [line.split()[1] for line in lines if line.startswith("loss ")]
    assert shown == (["1", "2", "3", "4", "5"] if count == 8 else [*map(str, range(1, count)), "0"])
    assert lines[0] == "The answer."
    assert ("3 more losses stand in the report." in lines) == (count == 8)
    assert not any("Also decided" in line or "twin" in line for line in lines)


def test_a_terminal_shows_the_only_loss_without_its_null_control() -> None:
    arms = [synthetic.arm_info(name) for name in ("infonce", "twin")]
    planned = synthetic.plan(arms, seeds=range(3))
    records = synthetic.run(planned, dict.fromkeys(("infonce", "twin"), SURFACES["infonce"]), noise=0.004)
    info = synthetic.study_info(arms, seeds=range(3), null_controls=(("infonce", "twin"),))
    lines = verdict_lines(study_verdict(analyse(planned, records, info)))
    assert sum(line.startswith("infonce ") for line in lines) == 1
    assert not any(line.startswith("twin ") for line in lines)


def test_one_seed_of_one_loss_has_an_average_and_no_price() -> None:
    arms = [synthetic.arm_info("infonce")]
    planned = synthetic.plan(arms, seeds=(0,))
    records = synthetic.run(
        planned, {"infonce": lambda batch, _: np.full_like(batch, 0.8, dtype=float)}, noise=0.0
    )
    findings = analyse(planned, records, synthetic.study_info(arms, seeds=(0,)))
    (only,) = answer(findings)
    assert only == (
        "There is one loss only, so nothing to compare. One seed gives no price of not tuning, since another seed "
        "must score what the first one chooses. infonce reaches 80.0 % test accuracy on average over the ranges."
    )
    assert "–" not in " ".join(verdict_lines(study_verdict(findings)))


def test_losses_with_seeds_of_their_own_are_not_called_paired() -> None:
    arms = [synthetic.arm_info(name) for name in ("infonce", "kcl")]
    planned = pd.concat(
        [synthetic.plan([arms[0]], seeds=range(5)), synthetic.plan([arms[1]], seeds=range(5, 10))],
        ignore_index=True,
    )
    records = synthetic.run(planned, SURFACES, noise=0.004)
    verdict = verdict_of(planned, records, synthetic.study_info(arms, seeds=range(10)))
    assert verdict.conditions[0] == "5 seeds a loss, 10 in all"
    assert_says(verdict.answer[0], "5 seeds a loss, 10 in all")
    assert verdict.table is not None
    assert_says(verdict.table.note, "not paired by seed, since the losses have different seeds")


def test_failed_checks_come_first_in_a_terminal() -> None:
    lines = verdict_lines(Verdict(answer=("The answer.",), failed=("a", "b", "c")))
    assert lines == ["a", "2 more failed checks stand in the report.", "The answer."]


def test_the_table_has_the_reference_first_and_a_decision_a_question(study: Study) -> None:
    findings = decided(study, kcl=LESS, dhel={NOT_TUNING: PRICE_LESS, TUNED: NONE})
    shown = study_verdict(findings).table
    assert shown is not None
    assert [row[0].text for row in shown.rows] == ["InfoNCE", "DHEL", "KCL"]
    assert [row[1].text for row in shown.rows] == [REFERENCE, "more robust", "less robust"]
    price = shown.rows[2][2]
    assert (price.text.replace("\N{NO-BREAK SPACE}", " "), price.tone) == ("worse +3.0", "worse")
    assert price.below.replace("\N{NO-BREAK SPACE}", " ") == "[+2.1, +3.9]"
    assert len(shown.columns) == 2 + len(QUESTIONS)


def test_the_conditions_tell_tolerance_error_and_resolution(study: Study) -> None:
    findings = decided(study, dhel={NOT_TUNING: PRICE_MORE}, kcl={NOT_TUNING: NONE})
    seeds, tolerance, error, resolved, *rest = study_verdict(findings).conditions
    assert_says(seeds, "2 seeds")
    assert_says(tolerance, "2 points", "the default")
    assert_says(error, "4 %", "all 8")
    assert findings.decisions is not None
    assert resolution(findings.decisions, NOT_TUNING) == pytest.approx(0.009)
    assert_says(resolved, "0.9 in price of not tuning")
    assert "12 epochs" in rest
    assert "batch size 16 to 256" in rest
    empty = dataclasses.replace(findings.decisions, items=())
    assert math.isnan(resolution(empty, AVERAGE))


def verdict_of(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> Verdict:
    return study_verdict(analyse(planned, records, info))


def test_many_variants_of_a_loss_are_one_row_with_their_range() -> None:
    arms = [synthetic.arm_info("infonce"), synthetic.arm_info("kcl", kernel=True)]
    base, other = (synthetic.plan([arm], seeds=(0, 1, 2), batch_sizes=(16, 64)) for arm in arms)
    parts = [base.assign(hp_gamma=np.nan)]
    for gamma in range(12):
        parts.append(
            other.assign(
                hp_gamma=float(gamma),
                trial_id=[f"{each}-g{gamma}" for each in other["trial_id"]],
                config_id=[f"{each}-g{gamma}" for each in other["config_id"]],
            )
        )
    planned = pd.concat(parts, ignore_index=True)
    records = synthetic.run(planned, {name: SURFACES[name] for name in ("infonce", "kcl")})
    drop = 0.01 * records["hp_gamma"].fillna(0.0)
    for column in ("test_probe10_accuracy", "val_probe10_accuracy"):
        records[column] -= drop
    found = verdict_of(planned, records, synthetic.study_info(arms, seeds=(0, 1, 2)))
    assert found.table is not None
    assert [row[0].text for row in found.table.rows] == ["infonce", "kcl"]
    best, spread = found.table.rows[1][0].below.split("\n")
    assert best == "best: gamma 0"
    assert spread == "12 variants: 80.0 to 91.0"


def test_an_unfinished_study_opens_with_that(study: Study) -> None:
    planned, records, info = study
    found = verdict_of(planned, records.iloc[5:], info)
    assert_says(found.before[0], "Provisional", "5 of 90")
    assert found.answer[0].startswith("On these ranges")
    assert found.sentences == (*found.before, *found.answer)
    assert "85 trials, none failed" in found.conditions


def test_failures_are_counted(study: Study) -> None:
    planned, records, info = study
    found = verdict_of(planned, synthetic.fail(records, ["kcl-16-0-0"]), info)
    (text,) = [each for each in found.conditions if "failed" in each]
    assert_says(text, "90 trials", "1 failed", "10.0 %")


def test_nothing_yet(study: Study) -> None:
    planned, _, info = study
    (only,) = verdict_of(planned, pd.DataFrame(), info).answer
    assert_says(only, "Nothing", "none of the 90 planned trials")


def test_all_failed(study: Study) -> None:
    planned, records, info = study
    found = verdict_of(planned, synthetic.fail(records, list(records["trial_id"])), info)
    assert found.answer == ("No trial ended with a score, so no loss can be judged.",)
