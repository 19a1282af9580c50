"""The verdict of a report: what is decided on each loss. Page, Markdown, LaTeX and terminal show the same content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from analysis.fairness.card import FAIL, Card
from analysis.fairness.checks import check_fairness
from analysis.fairness.epochs import maxima_words
from analysis.model.claims import CONFIRMED, STATUS_WORDS, STATUSES, WITHIN_NOISE, ClaimResult
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS
from analysis.report.sections.content import ShownFigure, ShownTable
from analysis.report.sections.trials.beside import beside_sentences
from analysis.report.sections.trials.figure_names import codes_sentences
from analysis.report.verdict_answer import adaptive_answer, answer
from analysis.report.verdict_conditions import ERROR, SEEDS, TOLERANCE, TRIALS, conditions
from analysis.report.verdict_figure import verdict_figure
from analysis.report.verdict_null_control import null_control_sentence, other_ground_sentences
from analysis.report.verdict_table import adaptive_table, decisions_frame, verdict_table
from analysis.statistics.comparisons.null_control import DIFFERENT
from analysis.study_analysis import StudyAnalysis, judged_claims
from analysis.study_decisions import MOST_LOSSES, MOST_VARIANTS
from analysis.wording import counted, listing

#: Stands between conditions in one line.
SEPARATOR = " · "


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a reader needs first. Every field except the answer may be empty."""

    answer: tuple[str, ...]  # sentences; the first one answers
    before: tuple[str, ...] = ()  # what stands before the answer: missing trials and claims
    failed: tuple[str, ...] = ()  # failed checks of fairness, each with both values
    table: ShownTable | None = None
    figures: Mapping[str, ShownFigure] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()  # under which the answer holds, the most important first
    short_conditions: tuple[str, ...] = ()  # those of them for a terminal
    remarks: tuple[str, ...] = ()  # a line for each null control, and one on names that figures cannot show
    data: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # files of tables, by name
    own: str = ""  # the name of the only loss that was trained here, beside rows that came with the study

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences in the order in which they stand."""
        return (*self.before, *self.answer)

    @property
    def notes(self) -> tuple[str, ...]:
        """The lines below the table."""
        return tuple(filter(None, (SEPARATOR.join(self.conditions), *self.remarks)))


def study_verdict(findings: StudyAnalysis) -> Verdict:
    """The verdict on one study on one data set."""
    planned, missing = _planned_and_missing(findings)
    if missing == planned:
        text = f"Nothing can be said yet: none of the {counted(planned, 'planned trial')} has a result."
        return Verdict(answer=(text,))
    progress = progress_sentences(findings)
    if not findings.any_finished:
        none = "No trial ended with a score, so no loss can be judged."
        return Verdict(answer=(none,), before=tuple(progress))
    failed = failed_sentences(findings)
    if findings.decisions is not None:
        told, shown = answer(findings, findings.decisions), verdict_table(findings, findings.decisions)
        figures = {"verdict": _figure(findings)}
        data = {"verdict": decisions_frame(findings, findings.decisions)}
    elif findings.adaptive and findings.ranks_losses:
        told, shown, figures, data = adaptive_answer(findings), adaptive_table(findings), {}, {}
    else:
        told, shown, figures, data = _too_many(findings), None, {}, {}
    before = (*progress, *maxima_sentences(findings), *beside_sentences(findings), *_claims(findings))
    kinds = conditions(findings)
    short = [
        SEEDS,
        *([TRIALS] if any(item.failed for item in findings.summaries.values()) else []),
        TOLERANCE,
        ERROR,
    ]
    return Verdict(
        answer=tuple(told) or before or (_ended(planned),),
        before=before if told else (),
        failed=tuple(failed),
        table=shown,
        figures=figures,
        conditions=tuple(kinds.values()),
        short_conditions=tuple(kinds[kind] for kind in short if kind in kinds),
        remarks=(*_controls(findings), *other_ground_sentences(findings), *codes_sentences(findings)),
        data=data,
        own=findings.whole_name(findings.beside.label) if findings.beside else "",
    )


def _controls(findings: StudyAnalysis) -> list[str]:
    """A line for each null control."""
    return [
        f"Null control: {null_control_sentence(findings, control)}"
        for control in findings.null_controls
        if control.verdict != DIFFERENT  # its failed check says so
    ]


def failed_sentences(findings: StudyAnalysis) -> list[str]:
    """A sentence for each failed check of fairness; none where losses are not compared."""
    if not findings.ranks_losses:
        return []
    return [failed_sentence(card) for card in check_fairness(findings) if card.level == FAIL]


def failed_sentence(card: Card) -> str:
    """A failed check as a sentence of the verdict."""
    return f"Failed check “{card.title}”: {card.short.rstrip('.')}."


def _figure(findings: StudyAnalysis) -> ShownFigure:
    compared = findings.decisions is not None and findings.decisions.items
    return ShownFigure(
        build=partial(verdict_figure, findings, width=TWO_COLUMNS),
        column=partial(verdict_figure, findings, width=ONE_COLUMN),
        data="verdict",
        caption="Left: further left is more robust. Dotted: the reference. Bars: each loss's own 95 % interval; "
        "decisions do not depend on whether the bars overlap. Colours are the decisions: blue better, orange worse, "
        "black equal, grey open, a trade-off or not compared."
        if compared
        else "Bars: 95 % intervals.",
    )


def progress_sentences(findings: StudyAnalysis) -> list[str]:
    """That trials of the study are missing, which puts all else in doubt; empty for a complete study."""
    planned, missing = _planned_and_missing(findings)
    if not missing:
        return []
    return [f"Provisional: {missing} of {planned} planned trials have no result yet."]


def maxima_sentences(findings: StudyAnalysis) -> list[str]:
    """That scores are maxima over epochs on test data; empty where none are."""
    return list(filter(None, [maxima_words(findings.tried)]))


def _planned_and_missing(findings: StudyAnalysis) -> tuple[int, int]:
    """The numbers of planned trials, and of those without a result."""
    summaries = findings.summaries.values()
    return sum(item.planned for item in summaries), sum(item.missing for item in summaries)


def _ended(planned: int) -> str:
    return f"All {planned} planned trials have ended."


def _claims(findings: StudyAnalysis) -> list[str]:
    """How many of the study's claims hold, and which published numbers it meets; empty without claims."""
    found = judged_claims(findings)
    statements = [item for item in found if item.claim.expected is None]
    numbers = [item for item in found if item.claim.expected is not None]
    return [
        *_statements_line(statements),
        *_numbers_line(numbers),
    ]


def _statements_line(items: Sequence[ClaimResult]) -> list[str]:
    if not items:
        return []
    rest = _with_findings(items, CONFIRMED)
    told = f"; not so: {listing(rest)}" if rest else ""
    return [f"Of {counted(len(items), 'claim')}, {_are(items, CONFIRMED)}{told}."]


def _numbers_line(items: Sequence[ClaimResult]) -> list[str]:
    if not items:
        return []
    found = {WITHIN_NOISE, *(item.status for item in items)}  # always says how many are met
    counts = listing([_are(items, status) for status in STATUSES if status in found])
    rest = _with_findings(items, WITHIN_NOISE)
    told = f": {listing(rest)}" if rest else ""
    return [f"Of {counted(len(items), 'published number')}, {counts}{told}."]


def _are(items: Sequence[ClaimResult], status: str) -> str:
    """A text such as `2 are within seed noise`."""
    count = sum(item.status == status for item in items)
    return f"{count} {'is' if count == 1 else 'are'} {STATUS_WORDS.get(status, status)}"


def _with_findings(items: Sequence[ClaimResult], but: str) -> list[str]:
    """The claims whose status is not `but`, by finding: a study gives one reason for many claims."""
    others: dict[str, list[str]] = {}
    for item in items:
        if item.status != but:
            others.setdefault(item.finding, []).append(f"“{item.claim.claim.rstrip('.')}”")
    return [f"{listing(claims)} ({finding})" for finding, claims in others.items()]


_MANY = (
    "The study has {}, too many to compare: a report compares at most {} losses with {} variants in all. All trials "
    "stand in the table trials.csv; a report on some of the losses compares these."
)


def _too_many(findings: StudyAnalysis) -> list[str]:
    """That there are too many losses to compare; empty where the study does not intend to compare them."""
    meant = findings.info.ranks_losses and not findings.ranks_losses
    losses, variants = len(findings.variants), sum(map(len, findings.variants.values()))
    has = f"{losses} losses" if losses == variants else f"{losses} losses with {variants} variants"
    return [_MANY.format(has, MOST_LOSSES, MOST_VARIANTS)] if meant else []
