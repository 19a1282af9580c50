"""Tables on how much each loss gains from tuning, at the same budget of trials, for the section on tuning."""

import pandas as pd

from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, ShownTable, gap_cell, score_cell, table
from analysis.statistics.scores.gaps import TAIL, Gaps, tuning_gaps
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale

#: Configurations tried in the shown table; the table file also has the results for the whole space.
BUDGET = 16


def gaps_by_budget(findings: StudyAnalysis) -> dict[int | None, dict[str, Gaps]]:
    """The gaps of every arm by budget; None is the budget of the whole space."""
    return {
        budget: {label: _gaps(findings, label, budget) for label in findings.cells}
        for budget in (BUDGET, None)
    }


def gaps_shown(findings: StudyAnalysis, gaps: dict[str, Gaps]) -> ShownTable:
    """The tuned score and its gains, one row for each loss."""
    unit, tail = findings.info.metric.difference_unit, f"{100 * TAIL:.0f} %"
    columns = [
        ("Loss", TEXT),
        f"Tuned, best of {BUDGET}",
        f"Above the default, {unit}",
        f"Above one random configuration, {unit}",
        f"Above the worst {tail} of the space, {unit}",
    ]
    return table(
        columns,
        [_row(findings, label, item) for label, item in gaps.items()],
        title=f"What tuning gains with {BUDGET} trials",
        on_page=False,
        note="Small gains are what a robust loss shows: little is lost without tuning. Paired by seed; "
        f"configurations, the worst {tail} among them, are selected by one seed and scored on another. "
        "Intervals over seeds. tables/tuning_gaps.csv has the same with all of the "
        "space tried.",
    )


def gaps_table(gaps: dict[int | None, dict[str, Gaps]]) -> pd.DataFrame:
    """One row for each arm and budget; `budget` is empty for the whole space."""
    return pd.DataFrame([_told(label, item) for items in gaps.values() for label, item in items.items()])


def _gaps(findings: StudyAnalysis, label: str, budget: int | None) -> Gaps:
    cells, summary = findings.cells[label], findings.summaries[label]
    return tuning_gaps(
        cells.test,
        cells.validation,
        cells.weights,
        summary.default.at,
        budget=budget,
        bounds=cells.metric.score_bounds,
        step=cells.metric.step,
        note=summary.provisional,
    )


def _row(findings: StudyAnalysis, label: str, item: Gaps) -> list[Cell | str]:
    scale = Scale(findings.info.metric)
    gaps = (gap_cell(gap, scale) for gap in (item.default, item.random, item.worst))
    return [findings.info.arm(label).name, score_cell(item.tuned, scale), *gaps]


def _told(label: str, item: Gaps) -> dict[str, object]:
    return {
        "arm": label,
        "budget": item.budget,
        **estimate_columns("tuned", item.tuned),
        **estimate_columns("gap_to_default", item.default),
        **estimate_columns("gap_to_random", item.random),
        **estimate_columns("gap_to_worst_tenth", item.worst),
    }
