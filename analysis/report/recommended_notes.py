"""The notes of a recommendation: what it leaves out, failed checks and trials, and edges of the ranges."""

from collections.abc import Mapping, Sequence

from analysis.fairness.card import FAIL
from analysis.fairness.checks import check_fairness
from analysis.model.cells import Cells
from analysis.report.batch_sizes import batch_axis
from analysis.report.verdict import failed_sentence, progress_sentences
from analysis.statistics.comparisons.recommendation import Candidate
from analysis.statistics.scores.selection import NONE
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing


def repeated_note(names: Sequence[str]) -> str:
    """A sentence on the losses that repeat others; empty without any, as all notes are."""
    if not names:
        return ""
    why = "it repeats another loss" if len(names) == 1 else "they repeat other losses"
    return f"Left out, since {why}: {listing(names)}."


def check_notes(findings: StudyAnalysis, unfair: Mapping[str, str]) -> list[str]:
    """A sentence for each failed check that takes no loss out, as the verdict has it."""
    return [
        failed_sentence(card)
        for card in check_fairness(findings)
        if card.level == FAIL and not unfair.keys() & set(card.losses)
    ]


def edge_note(chosen: Candidate, cells: Cells, batch_size: float | None) -> str:
    """A sentence on the axes at whose ends the chosen setting lies, if there is one."""
    if chosen.cell == NONE:
        return ""
    asked = batch_axis(cells) if batch_size is not None else ""
    ends = [
        axis.info.words
        for axis, code in zip(cells.axes, cells.codes[chosen.cell], strict=True)
        if axis.numeric and len(axis.values) > 1 and code in (0, len(axis.values) - 1) and axis.name != asked
    ]
    if not ends:
        return ""
    edge = "edge" if len(ends) == 1 else "edges"
    return f"The setting lies at the {edge} of the swept {listing(ends)}: a better one may lie beyond."


def failure_note(losses: Mapping[str, Sequence[Cells]], names: Mapping[str, str], scale: Scale) -> str:
    """A sentence on how many trials of each loss failed, and what they count as."""
    counts = {
        loss: (
            sum(int(each.failed.sum()) for each in variants),
            sum(int(each.planned.sum()) for each in variants),
        )
        for loss, variants in losses.items()
    }
    told = [f"{failed} of {planned} of {names[loss]}" for loss, (failed, planned) in counts.items() if failed]
    worst = scale.with_unit(scale.metric.worst_score)
    return f"Failed trials count as {worst}: {listing(told)}." if told else ""


def missing_note(findings: StudyAnalysis) -> str:
    """How many trials of the study, at any batch size, have no result yet."""
    return " ".join(progress_sentences(findings))


def default_note(losses: Sequence[Cells], batch_size: float | None) -> str:
    """A sentence on the axes that have no default, whose middle value counts as it."""
    axes = [axis for cells in losses for axis in cells.axes if len(axis.values) > 1]
    asked = {batch_axis(cells) for cells in losses} if batch_size is not None else set()
    words = dict.fromkeys(
        axis.info.words for axis in axes if axis.info.default is None and axis.name not in asked
    )
    return f"No default is known for {listing(list(words))}: the middle value counts as it." if words else ""
