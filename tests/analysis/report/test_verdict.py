"""The verdict says what is decided, open, withheld or unfinished, with the numbers of the decisions."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import StudyInfo
from analysis.report.latex import render_latex
from analysis.report.markdown_report import render_markdown
from analysis.report.sections.content import TEXT, Cell, table
from analysis.report.sections.trials.methods import methods_section
from analysis.report.verdict import Verdict, study_verdict
from analysis.report.verdict_conditions import resolution
from analysis.report.verdict_lines import MOST_LINES, verdict_lines
from analysis.report.verdict_table import NULL_CONTROL, REFERENCE, ordered_losses
from analysis.statistics.comparisons.decisions import (
    AVERAGE,
    BAD_LUCK,
    BETTER,
    EQUAL,
    NOT_TUNING,
    OPEN,
    QUESTIONS,
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


def test_a_trade_off_tells_both_differences(study: Study) -> None:
    given = {
        NOT_TUNING: PRICE_LESS,
        TUNED: (-0.03, -0.04, -0.021, WORSE),
        AVERAGE: (0.08, 0.07, 0.09, BETTER),
        BAD_LUCK: (-0.05, -0.06, -0.04, BETTER),
    }
    findings = decided(study, dhel=given)
    first, second = answer(findings)
    assert first == (
        "On these ranges and 2 seeds, DHEL is worse than InfoNCE when tuned, by 3.0 points [2.1, 4.0], but better "
        "on average, by 8.0 points [7.0, 9.0]: a trade-off."
    )
    assert second == "Also decided: DHEL pays 5.0 points less for bad luck [4.0, 6.0]."
    other = {name: (-value, -high, -low, "") for name, (value, low, high, _) in given.items()}
    words = {NOT_TUNING: WORSE, TUNED: BETTER, AVERAGE: WORSE, BAD_LUCK: WORSE}
    back = {name: (*numbers[:3], words[name]) for name, numbers in other.items()}
    first, _ = answer(decided(study, dhel=back, kcl=back))
    assert first == (
        "On these ranges and 2 seeds, DHEL and KCL are better than InfoNCE when tuned, by 3.0 [2.1, 4.0] and 3.0 "
        "[2.1, 4.0] points, but worse on average, by 8.0 [7.0, 9.0] and 8.0 [7.0, 9.0] points: a trade-off."
    )


def test_a_choice_below_the_average_is_said(study: Study) -> None:
    """Of a loss that is worse when tuned, in place of its standing; of other losses, in a sentence of its own."""
    below = Estimate(value=-0.05, low=-0.06, high=-0.04, seeds=5)

    def said(loss: str, **losses: dict[str, Given]) -> tuple[str, ...]:
        findings = decided(study, **losses)
        assert findings.decisions is not None
        values = dict(findings.decisions.values)
        values[loss] = {**values[loss], NOT_TUNING: below}
        return answer(
            dataclasses.replace(findings, decisions=dataclasses.replace(findings.decisions, values=values))
        )

    lower = {NOT_TUNING: PRICE_LESS, TUNED: (-0.03, -0.04, -0.021, WORSE)}
    size = "5.0 points [4.0, 6.0]"
    (only,) = said("dhel", dhel=lower)
    assert only == (
        "On these ranges and 2 seeds, DHEL is worse than InfoNCE when tuned, by 3.0 points [2.1, 4.0]: validation "
        f"chooses a configuration of DHEL that is worse than its average, by {size}."
    )
    higher = {NOT_TUNING: PRICE_MORE, TUNED: (0.03, 0.021, 0.04, BETTER)}
    first, hint = said("infonce", dhel=higher)
    assert first == (
        "On these ranges and 2 seeds, DHEL is better than InfoNCE when tuned, by 3.0 points [2.1, 4.0]: validation "
        f"chooses a configuration of InfoNCE that is worse than its average, by {size}."
    )
    assert hint == "To compare with another loss, set the key “reference” in the study file."
    assert said("dhel", dhel={NOT_TUNING: PRICE_LESS, TUNED: NONE})[1] == (
        f"Validation chooses a configuration of DHEL that is worse than its average, by {size}."
    )
    (only,) = said("infonce")
    assert only == (
        "There is one loss only, so nothing to compare: InfoNCE reaches 50.0 % [40.0, 60.0] test accuracy when "
        f"tuned; validation chooses a configuration of InfoNCE that is worse than its average, by {size}."
    )


def test_a_reference_that_is_flat_but_low_is_not_called_more_robust(study: Study) -> None:
    findings = decided(study, dhel={NOT_TUNING: PRICE_MORE, TUNED: (0.2, 0.15, 0.25, BETTER)})
    assert answer(findings)[1] == "To compare with another loss, set the key “reference” in the study file."
    imported = dataclasses.replace(findings, info=dataclasses.replace(findings.info, imported=True))
    assert answer(imported)[1] == "To compare with another loss, name it with the option --reference."
    assert answer(findings)[0] == (
        "On these ranges and 2 seeds, DHEL pays 3.0 points more than InfoNCE for not tuning [2.1, 3.9], but is "
        "better when tuned, by 20.0 points [15.0, 25.0]: InfoNCE is flat but low, which is not robust."
    )


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
    given = {NOT_TUNING: NONE, TUNED: NONE}
    (only,) = answer(decided(study, dhel=given, kcl=given))
    assert only == "On these ranges and 2 seeds, DHEL and KCL are as robust as InfoNCE, within 2 points."


def test_as_robust_says_that_the_tuned_score_is_open(study: Study) -> None:
    dhel = {NOT_TUNING: NONE, TUNED: (0.01, -0.01, 0.03, OPEN)}
    within, may = "as robust as InfoNCE, within 2 points", "may be more than 2 points worse when tuned"
    (only,) = answer(decided(study, kcl={NOT_TUNING: NONE}))
    assert only == f"On these ranges and 2 seeds, KCL is {within}, but {may}."
    (only,) = answer(decided(study, dhel=dhel, kcl={NOT_TUNING: NONE}))
    assert only == f"On these ranges and 2 seeds, DHEL and KCL are {within}, but KCL {may}."
    dhel[TUNED] = (-0.03, -0.04, -0.021, WORSE)
    (only,) = answer(decided(study, dhel=dhel, kcl={NOT_TUNING: NONE}))
    low = "DHEL is worse when tuned, by 3.0 points [2.1, 4.0]"
    assert only == f"On these ranges and 2 seeds, DHEL and KCL are {within}, but {low}, and KCL {may}."


def test_no_chance_of_error_where_all_is_withheld(study: Study) -> None:
    held = dict.fromkeys(QUESTIONS, (0.0, -0.01, 0.01, WITHHELD))
    for losses, shown in (({"dhel": held, "kcl": held}, False), ({"dhel": held, "kcl": LESS}, True)):
        findings = decided(study, **losses)
        texts = study_verdict(findings).conditions
        assert any("chance of any wrong decision" in text for text in texts) == shown
        assert ("Decisions" in dict(methods_section(findings).facts)) == shown


def test_a_withheld_verdict_names_both_values(study: Study) -> None:
    held = dict.fromkeys(QUESTIONS, (0.0, -0.01, 0.01, WITHHELD))
    (only,) = answer(decided(study, dhel=held, kcl=held))
    assert_says(only, "withheld", "epochs: 12 for InfoNCE, 50 for DHEL")
    told = answer(decided(study, dhel=held, kcl=LESS))
    assert_says(told[0], "KCL is less robust than InfoNCE")
    assert_says(told[1], "Withheld for DHEL", "50 for DHEL")


@pytest.mark.parametrize("batch_sizes", [(64,), (16, 64, 256)])
def test_a_null_control_over_other_configurations_shows_no_values(batch_sizes: tuple[int, ...]) -> None:
    """Its average over batch size 64 alone is no neighbour of averages over the ranges."""
    arms = [synthetic.arm_info(name, title=name) for name in ("infonce", "dhel", "twin")]
    planned = pd.concat(
        [
            synthetic.plan(arms[:2], seeds=range(3), batch_sizes=(16, 64, 256)),
            synthetic.plan(arms[2:], seeds=range(3), batch_sizes=batch_sizes),
        ],
        ignore_index=True,
    )
    surfaces = SURFACES | {"twin": SURFACES["dhel"]}
    records = synthetic.run(planned, {arm.label: surfaces[arm.label] for arm in arms}, noise=0.004)
    info = synthetic.study_info(arms, seeds=range(3), null_controls=(("dhel", "twin"),))
    verdict = verdict_of(planned, records, info)
    assert verdict.table is not None
    row = next(row for row in verdict.table.rows if row[0].text == "twin")
    figure = verdict.figures["verdict"].build()
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    remark = "twin has other configurations (batch size 64) than the losses that are compared"
    if len(batch_sizes) == 1:
        assert [cell.text for cell in row] == ["twin", NULL_CONTROL, *"––––"]
        assert names == ["infonce", "dhel"]
        assert any(text.startswith(remark) for text in verdict.remarks)
    else:
        assert all(cell.text != "–" for cell in row)
        assert names == ["infonce", "dhel", "twin"]
        assert not any("other configurations" in text for text in verdict.remarks)


def test_one_loss_is_no_reference_and_no_difference_is_explained(study: Study) -> None:
    verdict = study_verdict(decided(study))
    assert verdict.table is not None
    assert [cell.text for cell in verdict.table.rows[0]][:2] == ["InfoNCE", "–"]
    texts = (verdict.table.note, verdict.figures["verdict"].caption)
    for word in ("ifference", "qual", "reference", "decision"):
        assert not any(word in text for text in texts)
    assert_says(texts[0], "Price of not tuning: the tuned score", "Price of bad luck")


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
    own = verdict_lines(dataclasses.replace(verdict, own="loss 10"))
    shown = [line.replace("\N{NO-BREAK SPACE}", " ").split()[1] for line in own if line.startswith("loss ")]
    assert shown[:2] == [
        "10",
        "7",
    ]  # the loss that was trained here, which is not decided, and the decided one


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
        answer=("The answer.", "Also decided: more."),
        table=table(titles, rows),
        short_conditions=("5 seeds",),
    )
    lines = verdict_lines(verdict)
    assert len(lines) == MOST_LINES - 1
    shown = [line.split()[1] for line in lines if line.startswith("loss ")]
    assert shown == (["1", "2", "3", "4"] if count == 8 else [*map(str, range(1, count)), "0"])
    assert lines[0] == "The answer."
    assert ("4 more losses stand in the report." in lines) == (count == 8)
    assert ("5 seeds" in lines) == (count != 6)
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


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (
            0.5,
            (
                "infonce reaches 50.0 % test accuracy when tuned, {} points worse than on average over the ranges, "
                "so no price of not tuning is shown"
            ),
        ),
        (0.9, "infonce pays {} points for not tuning, and reaches 90.0 % test accuracy when tuned"),
    ],
)
def test_one_loss_at_two_seeds_has_no_interval(chosen: float, told: str) -> None:
    """Validation chooses the first configuration. Its test score is `chosen`, and that of all others is 0.6."""
    arms = [synthetic.arm_info("infonce")]
    planned = synthetic.plan(arms, seeds=(0, 1))
    records = synthetic.run(planned, {"infonce": lambda batch, _: np.full_like(batch, 0.6, dtype=float)})
    first = (
        planned[["hp_batch_size", "hp_temperature"]] == planned[["hp_batch_size", "hp_temperature"]].iloc[0]
    ).all(axis=1)
    records.loc[first.to_numpy(), ["test_probe10_accuracy", "val_probe10_accuracy"]] = chosen, 0.95
    findings = analyse(planned, records, synthetic.study_info(arms, seeds=(0, 1)))
    assert findings.decisions is not None
    average = findings.decisions.values["infonce"][AVERAGE].value
    assert 0.5 < average < 0.9
    (only,) = answer(findings)
    assert only == (
        f"There is one loss only, so nothing to compare: {told.format(f'{abs(100 * (chosen - average)):.1f}')}. The "
        "price has no interval (three seeds are needed: one to choose, and two to show the noise of the score)."
    )


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


def test_no_decided_interval_reads_as_one_that_touches_zero(study: Study) -> None:
    """A price that is decided by 0.04 points, in the sentence, the table, Markdown, LaTeX and terminal."""
    verdict = study_verdict(decided(study, dhel={NOT_TUNING: (0.03, 0.0004, 0.06, WORSE), TUNED: NONE}))
    assert "3.0 points more for not tuning [0.04, 6.0]" in verdict.answer[0].replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert verdict.table is not None
    texts = [
        verdict.table.rows[1][2].below,
        render_markdown("a", "", verdict, {}, {}),
        render_latex([verdict.table]),
    ]
    for text in texts:
        assert "+0.04," in text
    tiny = study_verdict(decided(study, dhel={NOT_TUNING: (0.0004, 0.0001, 0.0007, WORSE), TUNED: NONE}))
    assert "it pays 0.04 points more for not tuning [0.01, 0.1]" in tiny.answer[0]
    assert any("worse\N{NO-BREAK SPACE}+0.04" in line for line in verdict_lines(tiny))


def test_an_open_interval_does_not_read_as_one_within_the_tolerance(study: Study) -> None:
    verdict = study_verdict(decided(study, dhel={NOT_TUNING: (0.01, -0.001, 0.0203, OPEN)}))
    assert verdict.table is not None
    assert verdict.table.rows[1][2].below.replace("\N{NO-BREAK SPACE}", " ") == "[−0.1, +2.03]"
    assert "Equal: the interval is within ±2 points." in verdict.table.note


def test_losses_are_told_from_the_largest_decided_difference_on() -> None:
    sizes = {"loss 0": 0.03, "loss 1": 0.05, "loss 2": 0.021, "loss 3": 0.09, "loss 4": 0.04}
    arms = [synthetic.arm_info(name) for name in ("infonce", *sizes, "open")]
    planned = synthetic.plan(arms)
    flat = synthetic.hill(peak=0.9, at=0.3, width=9.0)
    records = synthetic.run(
        planned, dict.fromkeys((arm.label for arm in arms), flat), noise=0.01, rng=np.random.default_rng(0)
    )
    given = {
        name: {NOT_TUNING: (size, size - 0.005, size + 0.005, WORSE), TUNED: NONE}
        for name, size in sizes.items()
    }
    given["open"] = {NOT_TUNING: (0.2, -0.1, 0.5, OPEN)}
    verdict = study_verdict(decided((planned, records, synthetic.study_info(arms)), **given))
    order = ["loss 3", "loss 1", "loss 4", "loss 0", "loss 2"]
    assert ", ".join(order[:3]) + " and 2 more losses are less robust" in verdict.answer[0]
    lines = verdict_lines(verdict)
    shown = [line[:6].rstrip() for line in lines if line.startswith(("loss", "open"))]
    assert shown == [*order, "open"]


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
    assert error == "nominal 4 % chance of any wrong decision among all 8"
    assert_says(
        dict(methods_section(findings).facts)["Decisions"],
        "It is nominal: at a first look it is 4 %, and at most 6 % of simulated studies decide anything wrong.",
    )
    assert findings.decisions is not None
    assert resolution(findings.decisions, NOT_TUNING) == pytest.approx(0.007)  # of 0.9 and 0.5 points
    assert_says(resolved, "0.7 in price of not tuning")
    assert "12 epochs" in rest
    assert "batch size 16 to 256" in rest
    empty = dataclasses.replace(findings.decisions, items=())
    assert math.isnan(resolution(empty, AVERAGE))


def verdict_of(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> Verdict:
    return study_verdict(analyse(planned, records, info))


@pytest.mark.parametrize("categories", [True, False])
def test_many_variants_of_a_loss_are_one_row_with_their_range(categories: bool) -> None:
    """Only categories distinguish variants: a further axis of numbers belongs to the space."""
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
    if categories:
        for rows in (planned, records):
            rows["hp_gamma"] = rows["hp_gamma"].map(lambda value: f"g{value:.0f}", na_action="ignore")
    found = verdict_of(planned, records, synthetic.study_info(arms, seeds=(0, 1, 2)))
    assert found.table is not None
    assert [row[0].text for row in found.table.rows] == ["infonce", "kcl"]
    told = ["best: gamma g0", "12 variants: tuned accuracy 80.0 to 91.0"] if categories else [""]
    assert found.table.rows[1][0].below.split("\n") == told
    counted = [text for text in found.conditions if "configurations" in text]
    assert counted == [f"10 to 120 configurations a loss{', in 1 to 12 variants' * categories}"]


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
    assert_says(text, "90 trials, 1 of KCL failed", "10.0 %")
    assert text in found.short_conditions


def test_nothing_yet(study: Study) -> None:
    planned, _, info = study
    (only,) = verdict_of(planned, pd.DataFrame(), info).answer
    assert_says(only, "Nothing", "none of the 90 planned trials")


def test_all_failed(study: Study) -> None:
    planned, records, info = study
    found = verdict_of(planned, synthetic.fail(records, list(records["trial_id"])), info)
    assert found.answer == ("No trial ended with a score, so no loss can be judged.",)


def test_losses_without_values_keep_their_order() -> None:
    """The report of the same rows has the same rows in every process, whatever the order of its sets is."""
    nothing = Estimate(value=math.nan, note="one seed")
    names = [f"loss {number}" for number in range(9)]
    items = tuple(
        Decision(
            loss=name,
            reference="own",
            question=NOT_TUNING,
            difference=nothing,
            alone=nothing,
            verdict=WITHHELD,
        )
        for name in names
    )
    decisions = Decisions(
        reference="own",
        tolerance=0.02,
        error=0.04,
        look=Look(seeds=1, first=1),
        items=items,
        values={name: {NOT_TUNING: nothing} for name in ("own", *names)},
    )
    assert ordered_losses(decisions) == ["own", *names]
