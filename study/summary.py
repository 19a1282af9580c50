"""What ends a run: one line an arm, and one line a kind of failure."""

import math
from typing import TYPE_CHECKING

import pyarrow as pa
from rich.table import Table

if TYPE_CHECKING:
    from analysis.findings import Findings
    from analysis.statistics.intervals import Estimate


def summary_table(findings: "Findings") -> Table:
    """Finished and failed trials of each arm, its tuned and its mean test accuracy, with 95 % intervals."""
    info = findings.info
    table = Table(
        title=f"{info.name}: {info.metric_label}, test set, %",
        caption="tuned: chosen on validation by the other seeds; in brackets: 95 % interval over seeds",
        box=None,
    )
    for name in ("loss", "finished", "failed", "tuned", "mean over space"):
        table.add_column(name, justify="left" if name == "loss" else "right", no_wrap=name != "loss")
    for arm in info.arms:
        summary = findings.summaries[arm.label]
        table.add_row(
            arm.name,
            f"{summary.finished} of {summary.planned}",
            str(summary.failed),
            _percent(summary.tuned.estimate),
            _percent(summary.mean),
        )
    return table


def _percent(estimate: "Estimate") -> str:
    if math.isnan(estimate.value):
        return "no trials"
    if not estimate.has_interval:
        return f"{100 * estimate.value:.1f}"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def failure_lines(records: pa.Table, study: str) -> list[str]:
    """One line a kind of failure: how many, the error, and the command that shows one of them."""
    columns = ["status", "error_class", "error_message", "trial_id"]
    groups: dict[tuple[str, str], list[str]] = {}
    for row in records.select(columns).to_pylist():
        if row["status"] != "ok":
            error = (
                f"{row['error_class']}: {row['error_message']}"
                if row["error_message"]
                else row["error_class"]
            )
            groups.setdefault((row["status"], error), []).append(row["trial_id"])
    return [
        f"{len(trials)} {status}: {error} (look at one with: study trial {study} {trials[0]})"
        for (status, error), trials in sorted(groups.items())
    ]
