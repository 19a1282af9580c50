"""The table of the verdict: one row for each loss, one decision for each question."""

import math
from dataclasses import replace

import pandas as pd

from analysis.model.metric import Metric
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, ShownTable, gap_cell, score_cell, table
from analysis.report.verdict_null_control import other_ground
from analysis.report.verdict_phrases import place_of
from analysis.report.verdict_questions import questions_words
from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    BETTER,
    CHOSEN_LOW,
    EQUAL,
    FLAT_BUT_LOW,
    LESS_ROBUST,
    MORE_ROBUST,
    NOT_TUNING,
    QUESTIONS,
    WITHHELD,
    WORSE,
    Decision,
    Decisions,
    Question,
)
from analysis.statistics.comparisons.simultaneous import NEEDS_CHOICES
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.choice import tuned_estimate
from analysis.statistics.scores.selection import best_of
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, SPACE, Scale, listing, opened

REFERENCE, NULL_CONTROL = "reference", "null control"

#: The title of the column of standings.
ROBUSTNESS = "Robustness"


def verdict_table(findings: StudyAnalysis, decisions: Decisions) -> ShownTable:
    """The reference with its own values, then the other losses, the most robust first."""
    metric, apart = findings.info.metric, other_ground(findings)
    columns = [
        (opened(findings.info.loss_words), TEXT),
        (ROBUSTNESS, TEXT),
        *((_title(question, metric), TEXT) for question in QUESTIONS.values()),
    ]
    return table(
        columns,
        [_row(findings, decisions, loss, apart=loss in apart) for loss in ordered_losses(decisions)],
        note=f"{questions_words(findings, decisions)}{_withheld_words(findings, decisions)}",
    )


def _title(question: Question, metric: Metric) -> str:
    """A column's title. Where a lower value of the metric is better, it says that plus is better."""
    sign = "" if question.price or metric.higher_is_better else ", plus is better"
    return f"{opened(question.words.format(metric.noun))}{sign}"


def ordered_losses(decisions: Decisions) -> list[str]:
    """The reference, the compared losses by standing and price of not tuning, and losses of null controls."""

    def place(loss: str) -> tuple[int, float]:
        price = decisions.values[loss][NOT_TUNING].value
        return place_of(decisions.standing(loss)), price if math.isfinite(price) else math.inf

    compared = dict.fromkeys(item.loss for item in decisions.items)  # in their order, which ties keep
    rest = [loss for loss in decisions.values if loss not in compared and loss != decisions.reference]
    return [decisions.reference, *sorted(compared, key=place), *rest]


def standing_words(decisions: Decisions, loss: str) -> str:
    """How a loss stands: its standing, `reference` or `null control`."""
    if loss == decisions.reference:
        return REFERENCE
    return NULL_CONTROL if loss in decisions.left_out else decisions.standing(loss)


def _row(findings: StudyAnalysis, decisions: Decisions, loss: str, *, apart: bool) -> list[Cell]:
    """The cells of a loss. One of other configurations than the others, `apart`, shows no values."""
    standing = standing_words(decisions, loss)
    if standing == REFERENCE and not decisions.items:
        standing = NONE
    name = Cell(text=findings.whole_name(loss), below=variants_words(findings, loss))
    cells = [
        _decision(findings, found)
        if (found := decisions.of(loss, question.name))
        else Cell(text=NONE)
        if apart
        else _value(findings, decisions.values[loss][question.name], question)
        for question in QUESTIONS.values()
    ]
    return [name, Cell(text=standing, tone=tone_of(standing)), *cells]


def _decision(findings: StudyAnalysis, item: Decision) -> Cell:
    """The word, the difference and its interval. A difference of prices is worse where it is positive."""
    scale = Scale(findings.info.metric, findings.info.tolerance)
    cell = gap_cell(item.difference, scale)
    known = Scale(findings.info.metric)
    value = known.end(item.difference.value) if item.verdict in (BETTER, WORSE) else cell.text
    below = cell.below if item.difference.has_interval else ""
    return Cell(text=f"{item.verdict}{SPACE}{value}", below=below, sort=cell.sort, tone=tone_of(item.verdict))


def _withheld_words(findings: StudyAnalysis, decisions: Decisions) -> str:
    """Why decisions are withheld, each reason with its questions; empty where none is."""
    reasons: dict[str, list[str]] = {}
    for item in decisions.items:
        if item.verdict == WITHHELD and item.reason:
            reasons.setdefault(item.reason.rstrip("."), []).append(item.question)
    noun = findings.info.metric.noun
    told = [
        f"{listing([QUESTIONS[name].words.format(noun) for name in dict.fromkeys(names)])} ({reason})"
        for reason, names in reasons.items()
    ]
    return f" Withheld: {'; '.join(told)}." if told else ""


def _value(findings: StudyAnalysis, estimate: Estimate, question: Question) -> Cell:
    """The own value of a loss that is not compared."""
    scale = Scale(findings.info.metric)
    if not math.isfinite(estimate.value):
        return Cell(text=NONE)
    if not question.price:
        return score_cell(estimate, scale)
    cell = gap_cell(estimate, scale)
    below = "" if estimate.note == NEEDS_CHOICES else cell.below  # the note below the table says so
    return Cell(text=cell.text.removeprefix("+"), below=below.replace("+", ""), sort=cell.sort)


def price_cell(findings: StudyAnalysis, decisions: Decisions, loss: str) -> Cell:
    """The difference of a loss in the price of not tuning; the own value of one that is not compared.

    Why a difference has no interval is not told.
    """
    item = decisions.of(loss, NOT_TUNING)
    if item is None:
        return _value(findings, decisions.values[loss][NOT_TUNING], QUESTIONS[NOT_TUNING])
    cell = gap_cell(item.difference, Scale(findings.info.metric, findings.info.tolerance))
    return cell if item.difference.has_interval else replace(cell, below="")


def tone_of(word: str) -> str:
    """The kind of a decision, for colour: better | worse | equal | open; empty for a loss that is not compared."""
    if word in (REFERENCE, NULL_CONTROL, NONE):
        return ""
    if word in (MORE_ROBUST, BETTER):
        return "better"
    if word in (LESS_ROBUST, WORSE, FLAT_BUT_LOW, CHOSEN_LOW):
        return "worse"
    return "equal" if word in (AS_ROBUST, EQUAL) else "open"


def variants_words(findings: StudyAnalysis, loss: str) -> str:
    """For a loss with several variants, the best one by validation and the range over all of them."""
    variants = findings.variants[loss]
    if len(variants) < 2:
        return ""
    if findings.info.metric.no_choice:
        return f"{len(variants)} variants"
    scale = Scale(findings.info.metric)
    best, _ = best_of([variant.cells.validation for variant in variants])
    values = [
        tuned_estimate(variant.cells.test, variant.cells.validation).value
        for variant in variants
        if variant.cells.finished.any()
    ]
    known = sorted(scale.metric.shown(value) for value in values if math.isfinite(value))
    digits, noun = scale.metric.digits, scale.metric.noun
    spread = f": tuned {noun} {known[0]:.{digits}f} to {known[-1]:.{digits}f}" if known else ""
    return "\n".join([f"best: {variants[best].words}", f"{len(variants)} variants{spread}".replace("-", "−")])


def adaptive_table(findings: StudyAnalysis) -> ShownTable:
    """Tuned scores of an adaptive search, and their differences to the reference."""
    metric, scale = findings.info.metric, Scale(findings.info.metric)
    columns = [
        (opened(findings.info.loss_words), TEXT),
        opened(f"tuned {metric.noun}"),
        (f"Difference to {findings.info.reference_arm.name}, {metric.difference_unit}", TEXT),
    ]
    compared = {item.arm: item for item in findings.comparisons}
    rows = []
    for label, summary in findings.summaries.items():
        item = compared.get(label)
        cell = gap_cell(item.difference, scale) if item else Cell(text=REFERENCE)
        text = f"{item.verdict} {cell.text}" if item else cell.text
        decided = Cell(
            text=text, below=cell.below, sort=cell.sort, tone=tone_of(item.verdict) if item else ""
        )
        rows.append([findings.info.arm(label).name, score_cell(summary.tuned.estimate, scale), decided])
    return table(columns, rows)


def decisions_frame(findings: StudyAnalysis, decisions: Decisions) -> pd.DataFrame:
    """One row for each loss and question: its own value, and the decision with both intervals in raw units."""
    rows = []
    for loss in ordered_losses(decisions):
        for name in QUESTIONS:
            item = decisions.of(loss, name)
            rows.append(
                {
                    "loss": findings.whole_name(loss),
                    "question": name,
                    "standing": standing_words(decisions, loss),
                    "decision": item.verdict if item else "",
                    **estimate_columns("value", decisions.values[loss][name]),
                    **estimate_columns("difference", item.difference if item else Estimate(value=math.nan)),
                    "alone_low": item.alone.low if item else math.nan,
                    "alone_high": item.alone.high if item else math.nan,
                    "reason": item.reason if item else "",
                }
            )
    return pd.DataFrame(rows)
