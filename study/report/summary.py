"""The output at the end of a run: one line for each claim and for each kind of failure."""

from typing import TYPE_CHECKING

import pyarrow as pa
from rich.table import Table

from study.console import shell_line
from study.report.failures import group_failures
from trainables.store.attempts import failures

if TYPE_CHECKING:
    from analysis.study_analysis import StudyAnalysis


def claims_table(findings: "StudyAnalysis") -> Table:
    """Each claim of a study, its finding, and the numbers."""
    from analysis.study_analysis import judged_claims

    table = Table("claim", "finding", "found", title=f"{findings.info.name}: claims", box=None)
    for item in judged_claims(findings):
        table.add_row(item.claim.claim, item.finding, item.found)
    return table


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
