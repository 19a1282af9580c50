"""The section on failures and coverage."""

import pandas as pd

from analysis.report.score_tables import coverage_table, failures_table, trials_table
from analysis.report.sections.content import COUNT, TEXT, Cell, Content, ShownTable, table
from analysis.report.sections.trials.failure_rates import (
    costs_table,
    failure_surfaces,
    rates_figure,
    rates_shown,
    rates_table,
)
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, number

#: Largest number of kinds of failure in the table; the table file has every failed trial.
_MOST = 30

_COUNTS = {
    "planned": "Planned",
    "ok": "Finished",
    "diverged": "Diverged",
    "crashed": "Crashed",
    "oom": "Out of memory",
    "timeout": "Out of time",
    "no_score": "No score",
    "pruned": "Pruned",
    "missing": "Not run",
}


def failures_section(findings: StudyAnalysis) -> Content:
    """Trials by status, the kinds of failure, their rates and their cost."""
    coverage, failed, surfaces = (
        coverage_table(findings),
        failures_table(findings),
        failure_surfaces(findings),
    )
    ended = int(coverage["planned"].sum() - coverage["missing"].sum())
    clean = not len(failed) and not coverage["missing"].sum() and not coverage["pruned"].sum()
    tables = [] if clean else [_coverage(findings, coverage)]
    lead, figures = "", {}
    facts: tuple[tuple[str, str], ...] = ()
    if len(failed):
        tables.append(_kinds(findings, failed))
        if findings.ranks_losses and not findings.adaptive:
            tables.append(rates_shown(findings, surfaces))
            figures = rates_figure(findings, surfaces)
    else:
        facts = (("Failed trials", f"None of {ended}."),) if ended else ()
        lead = "" if ended else "No trial has ended yet."
    return Content(
        title="Failures and coverage",
        lead=lead,
        tables=tuple(tables),
        figures=figures,
        facts=facts,
        data={
            "failures": failed,
            "failure_rates": rates_table(findings, surfaces),
            "failure_costs": costs_table(findings, surfaces),
            "coverage": coverage,
            "trials": trials_table(findings),
        },
    )


def _coverage(findings: StudyAnalysis, coverage: pd.DataFrame) -> ShownTable:
    names = {arm.label: arm.name for arm in findings.info.arms}
    if not findings.ranks_losses:  # the arms are then problems, and there are many
        whole = {arm.label: arm.whole_label for arm in findings.info.arms}
        coverage = (
            coverage.assign(arm=coverage["arm"].map(whole)).groupby("arm", sort=False, as_index=False).sum()
        )
        names = {label: findings.whole_name(label) for label in coverage["arm"]}
    counts = {name: title for name, title in _COUNTS.items() if coverage[name].any()}
    rows = [
        [names[row["arm"]], *(Cell(text=str(row[name]), sort=row[name]) for name in counts)]
        for row in coverage.to_dict("records")
    ]
    return table([("Loss", TEXT), *((title, COUNT) for title in counts.values())], rows)


def _kinds(findings: StudyAnalysis, failed: pd.DataFrame) -> ShownTable:
    keys = ["arm", "status", "error_class", "error_message"]
    told = {name: failed[name].astype(object).fillna("") for name in ("error_class", "error_message")}
    groups = failed.assign(**told).groupby(keys, sort=False)
    rows = [_kind(findings, tuple(map(str, key)), rows) for key, rows in groups]
    note = (
        f"{len(rows) - _MOST} further kinds of failure stand in tables/failures.csv."
        if len(rows) > _MOST
        else ""
    )
    columns = [("Loss", TEXT), ("Status", TEXT), ("Trials", COUNT), ("Error", TEXT), ("First of them", TEXT)]
    return table(columns, rows[:_MOST], title="What failed", note=note)


def _kind(findings: StudyAnalysis, key: tuple[str, ...], rows: pd.DataFrame) -> list[Cell | str]:
    label, status, error, message = key
    first, arm = rows.iloc[0], findings.info.arm(label)
    place = (
        f"{arm.x.words} {number(first[arm.x.bare])}, {arm.main.words} {number(first['main_axis_value'])}, "
        f"seed {first['seed']}"
    )
    return [
        arm.name,
        status.replace("_", " "),
        Cell(text=str(len(rows)), sort=len(rows)),
        ": ".join(filter(None, [error, message])) or NONE,
        Cell(text=place, below=f"trial {first['trial_id']}"),
    ]
