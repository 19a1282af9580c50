"""Fairness checks on results: did all trials end, do losses differ, and do those of one gradient agree?"""

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.model.cells import FAILED
from analysis.report.verdict_null_control import null_control_sentence
from analysis.statistics.comparisons.null_control import DIFFERENT, NOT_COMPARABLE
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing


def check_completeness(findings: StudyAnalysis) -> Card:
    """Whether every planned trial has a result."""
    missing = sum(summary.missing for summary in findings.summaries.values())
    planned = sum(summary.planned for summary in findings.summaries.values())
    if not missing:
        pruned = sum(summary.pruned for summary in findings.summaries.values())
        stopped = f"; the search stopped {pruned} of them early" if pruned else ""
        return Card(level=PASS, title="Complete", text=f"All {planned} planned trials have ended{stopped}.")
    text = f"{missing} of {planned} planned trials have no result yet; every number is provisional."
    return Card(level=WARN, title="Incomplete", text=text)


def check_failures(findings: StudyAnalysis) -> Card:
    """Whether trials failed, and whether for reasons that may not be due to the loss."""
    failed = {status: _status_count(findings, status) for status in FAILED}
    told = [f"{count} {status.replace('_', ' ')}" for status, count in failed.items() if count]
    if not told:
        return Card(level=PASS, title="Failures", text="No trial failed.")
    worst = Scale(findings.info.metric).with_unit(findings.info.metric.worst_score)
    text = f"{listing(told)}: these count as the worst outcome, {worst}."
    if any(count for status, count in failed.items() if status != "diverged"):
        text += " Those that did not diverge may say more of the machine or the code than of the loss."
    return Card(level=WARN, title="Failures", text=f"{text} See the failures.")


def _status_count(findings: StudyAnalysis, status: str) -> int:
    return sum(int((cells.status == status).sum()) for cells in findings.cells.values())


def check_identical(findings: StudyAnalysis) -> Card:
    """Whether losses have the same scores in all trials, though they are no null control."""
    if not findings.identical:
        return Card(
            level=PASS,
            title="Different scores",
            text="No two losses have the same scores in all trials.",
        )
    told = [
        f"{listing([findings.whole_name(label) for label in found.losses])} have the same scores in {found.which}"
        for found in findings.identical
    ]
    text = f"{'; '.join(told)}: one method under several names, or one set of results copied."
    return Card(level=FAIL, title="Same scores", text=text, losses=tuple(findings.copied))


def check_null_controls(findings: StudyAnalysis) -> Card:
    """Whether losses with the same gradient have the same scores."""
    controls = findings.null_controls
    title = "Null control"
    if not controls:
        return Card(
            level=PASS,
            title=title,
            text="No two losses here must coincide by theory and were tried alike: nothing to check with.",
        )
    judged = [control for control in controls if control.verdict != NOT_COMPARABLE]
    doubtful = not judged or any(item.one_failed or item.rms > item.seed_noise for item in judged)
    level = FAIL if any(control.verdict == DIFFERENT for control in controls) else WARN if doubtful else PASS
    return Card(
        level=level, title=title, text=" ".join(null_control_sentence(findings, item) for item in controls)
    )
