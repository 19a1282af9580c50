"""The section on steps away from the tuned place: over batch size, and by one grid step."""

from dataclasses import dataclass

import pandas as pd

from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Content, gap_cell, number_cell, table
from analysis.statistics.intervals.student import STATED
from analysis.statistics.scores.batch_size import BatchElasticity, batch_elasticity
from analysis.statistics.scores.neighbourhood import LocalDrop, local_drop
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing, opened


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Results for one arm over its grid of x axis and main axis."""

    elasticity: BatchElasticity
    drop: LocalDrop


def steps_section(findings: StudyAnalysis) -> Content | None:
    """Elasticity to batch size, and the drop after one grid step."""
    found = {label: _steps(findings, label) for label in findings.surfaces if _positive(findings, label)}
    without = [findings.info.arm(label).name for label in findings.surfaces if label not in found]
    if not findings.surfaces or not findings.any_finished:
        return None
    note = f"Not for {listing(without)}: an axis has values that are no numbers above 0." if without else ""
    unit, x = findings.info.metric.difference_unit, findings.info.x.words
    columns = [
        ("Loss", TEXT),
        f"{opened(findings.info.main_words)} fixed, {unit}",
        f"Tuned anew, {unit}",
        f"Drop after one step of the grid, {unit}",
        "Tuned at an edge, % of choices",
    ]
    title = f"Sensitivity to {x} and to one step"
    if not found:
        return Content(title=title, lead=note)
    scale = Scale(findings.info.metric)
    rows = [
        [
            findings.info.arm(label).name,
            gap_cell(item.elasticity.fixed, scale),
            gap_cell(item.elasticity.retuned, scale),
            gap_cell(item.drop.mean, scale),
            number_cell(100 * item.drop.at_edge, ".0f"),
        ]
        for label, item in found.items()
    ]
    return Content(
        title=title,
        lead=f"Change for each doubling of {x}; near 0, {x} needs no tuning. One seed selects the configuration and "
        f"another scores it. Intervals: {STATED}.",
        sentences=(note,) if note else (),
        tables=(table(columns, rows),),
        data={"steps": pd.DataFrame([_told(label, item) for label, item in found.items()])},
    )


def _positive(findings: StudyAnalysis, label: str) -> bool:
    return all(axis.positive for axis in findings.cells[label].axes)


def _steps(findings: StudyAnalysis, label: str) -> Steps:
    cells, summary = findings.cells[label], findings.summaries[label]
    test, validation = cells.on_grid(cells.test), cells.on_grid(cells.validation)
    note = summary.provisional
    return Steps(
        elasticity=batch_elasticity(test, validation, cells.axes[0].values, note=note),
        drop=local_drop(
            test, validation, span=findings.info.metric.span, step=findings.info.metric.step, note=note
        ),
    )


def _told(label: str, item: Steps) -> dict[str, object]:
    return {
        "arm": label,
        **estimate_columns("elasticity_fixed", item.elasticity.fixed),
        **estimate_columns("elasticity_retuned", item.elasticity.retuned),
        **estimate_columns("local_drop", item.drop.mean),
        "at_edge": item.drop.at_edge,
    }
