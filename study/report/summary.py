"""The output at the end of a run: one line for each arm, for each claim and for each kind of failure."""

import math
from typing import TYPE_CHECKING

import pyarrow as pa
from rich.table import Table

from study.console import shell_line
from study.report.failures import group_failures
from trainables.store.attempts import failures

if TYPE_CHECKING:
    from analysis.statistics.intervals.student import Estimate
    from analysis.study_analysis import StudyAnalysis
    from analysis.wording import Scale


_WIDEST = 30  # characters of a name in a table, which has to fit 80


def summary_table(findings: "StudyAnalysis") -> Table:
    """Finished and failed trials of each arm, and its metric tuned and on average, with 95 % intervals."""
    from analysis.names import distinct_names
    from analysis.wording import Scale

    info, scale = findings.info, Scale(findings.info.metric)
    names = distinct_names((arm.name for arm in info.arms), _WIDEST)
    unit = f", {info.metric.unit}" if info.metric.unit else ""
    where = ", test set" if info.metric.is_test else ""
    chooser = "validation" if info.metric.held_out else "the metric itself"
    table = Table(
        title=f"{info.name}: {info.metric.words}{where}{unit}",
        caption=f"tuned: chosen on {chooser} by the other half of the seeds, so with few seeds it may lie below "
        "the default; in brackets: 95 % interval over seeds",
        box=None,
    )
    of_space = () if findings.adaptive else ("mean over space",)  # searches concentrate where scores are good
    for name in ("loss", "finished", "failed", "tuned", *of_space):
        table.add_column(name, justify="left" if name == "loss" else "right", no_wrap=name != "loss")
    for arm in info.arms:
        summary = findings.summaries[arm.label]
        table.add_row(
            names[arm.name],
            f"{summary.finished} of {summary.planned}",
            str(summary.failed),
            _estimate_text(summary.tuned.estimate, scale),
            *(_estimate_text(summary.mean, scale) for _ in of_space),
        )
    return table


def claims_table(findings: "StudyAnalysis") -> Table:
    """Each claim of a study, its finding, and the numbers."""
    from analysis.study_analysis import judged_claims

    table = Table("claim", "finding", "found", title=f"{findings.info.name}: claims", box=None)
    for item in judged_claims(findings):
        table.add_row(item.claim.claim, item.status, item.found)
    return table


def _estimate_text(estimate: "Estimate", scale: "Scale") -> str:
    if math.isnan(estimate.value):
        return "no trials"
    return f"{scale.value(estimate.value)} {scale.interval(estimate)}".rstrip()


def failure_lines(records: pa.Table, study: str, bundle: str = "") -> list[str]:
    """One line for each kind of failure: the number of trials, the error, and the command that shows one of them.

    Trials of a `bundle` do not run again: the command shows the record.
    """
    return [
        f"{group.title} (look at one with: {_look(group.first['trial_id'], study, bundle)})"
        for group in group_failures(failures(records))
    ]


def _look(trial_id: str, study: str, bundle: str) -> str:
    if bundle:
        return shell_line("study", "show", trial_id, "--store", bundle)
    return shell_line("study", "trial", study, trial_id)
