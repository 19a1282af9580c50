"""The first section of a report on several data sets: each loss on each data set."""

import pandas as pd

from analysis.data_sets import DataSetsAnalysis
from analysis.fairness.card import WARN, Card
from analysis.fairness.studies import study_cards
from analysis.names import visible
from analysis.report.score_tables import decisions_table, scores_table
from analysis.report.sections.content import TEXT, Cell, Content, score_cell, share_cell, table
from analysis.report.verdict_over_sets import over_sets_table
from analysis.statistics.intervals.student import LEVEL
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing, opened


def overview_section(environments: DataSetsAnalysis) -> Content:
    """Scores and verdicts by data set and loss, with cards of warnings."""
    metric = environments.info.metric
    columns = [
        ("Data", TEXT),
        ("Loss", TEXT),
        "Tuned",
        "Average over the ranges",
        "Near own best, % of the ranges",
    ]
    rows = [
        _row(name, findings, label)
        for name, findings in environments.findings.items()
        for label in findings.summaries
    ]
    unit = f", in {metric.unit}" if metric.unit else ""
    tuned = metric.no_choice or "each loss is tuned on each data set by itself"
    return Content(
        title="Data sets side by side",
        lead=f"{opened(metric.reported)}{unit}; {tuned}. Below each value: its "
        f"{100 * LEVEL:.0f} % interval over seeds.",
        tables=(table(columns, rows), *([pooled] if (pooled := over_sets_table(environments)) else [])),
        cards=(
            *_look_alikes(environments),
            *study_cards(environments.info, environments.table, data_apart=True),
        ),
        data={
            "data_scores": _stacked(
                environments, {n: scores_table(f) for n, f in environments.findings.items()}
            ),
            "data_decisions": _stacked(
                environments, {n: decisions_table(f) for n, f in environments.findings.items()}
            ),
        },
    )


def _row(name: str, findings: StudyAnalysis, label: str) -> list[Cell | str]:
    item, scale = findings.summaries[label], Scale(findings.info.metric)
    return [
        visible(name),
        findings.info.arm(label).name,
        score_cell(item.tuned.estimate, scale),
        score_cell(item.mean, scale),
        share_cell(item.tolerance),
    ]


def _stacked(environments: DataSetsAnalysis, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [
        frame.assign(data=name)[["data", *frame.columns]] for name, frame in tables.items() if len(frame)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["data"])


def _look_alikes(environments: DataSetsAnalysis) -> list[Card]:
    """A card for names that differ only in spelling."""
    groups: dict[str, list[str]] = {}
    for name in environments.findings:
        groups.setdefault("".join(c for c in name.lower() if c.isalnum()), []).append(name)
    alike = [f"“{'”, “'.join(names)}”" for names in groups.values() if len(names) > 1]
    if not alike:
        return []
    text = (
        f"{listing(alike)} differ in spelling alone. They count as two; rename them if they are one data set."
    )
    return [Card(level=WARN, title="Names of data sets", text=text)]
