"""The section on correlations of representation metrics with the reported metric."""

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, bracket, number_cell, table
from analysis.statistics.intervals.student import STATED, Estimate
from analysis.statistics.sensitivity.metric_correlation import metric_correlations
from analysis.study_analysis import StudyAnalysis
from analysis.tables.usual_names import REPRESENTATION

#: Metrics in the table, the strongest first; the table file has all.
_MOST = 5
_WHERE = {"z": "projection z", "h": "encoder output h"}


def correlations_section(findings: StudyAnalysis) -> Content | None:
    """Correlations of every representation metric with the reported metric: within a loss, and over all losses.

    None for an adaptive search, without finished trials or metrics, and where losses ran on different seeds.
    """
    names = _metrics(findings)
    if (
        not names or not findings.any_finished or findings.adaptive
    ):  # the places of a search are dense near its optimum
        return None
    parts = list(findings.wholes.values())
    if any(not np.array_equal(part.seeds, parts[0].seeds) for part in parts):
        return None
    scores = np.concatenate([part.finished_test for part in parts])
    losses = np.concatenate([np.full(len(part.codes), index) for index, part in enumerate(parts)])
    metrics = np.stack([np.concatenate([_known(part, name) for part in parts]) for name in names])
    found = metric_correlations(metrics, scores, losses, names)
    strongest = sorted(found, key=lambda item: -np.nan_to_num(abs(item.within.value), nan=-1.0))
    rows = [[_words(item.metric), _cell(item.within), _cell(item.overall)] for item in strongest]
    noun = findings.info.metric.reported
    columns = [
        ("Metric", TEXT),
        "Within a loss",
        "Over all losses",
    ]
    return Content(
        title=f"Which representation metrics correlate with {findings.info.metric.noun}",
        lead=f"Rank correlation with {noun} over configurations, for each seed by itself, strongest within a loss "
        f"first. The files have all {len(rows)} metrics. Intervals: {STATED}.",
        tables=(table(columns, rows[:_MOST]),),
        data={
            "metric_correlations": pd.DataFrame(
                [
                    {
                        "metric": item.metric,
                        **estimate_columns("within", item.within),
                        **estimate_columns("overall", item.overall),
                    }
                    for item in found
                ]
            )
        },
    )


def _metrics(findings: StudyAnalysis) -> list[str]:
    """Representation metrics that some arm has; sizes of representations are not metrics."""
    columns = dict.fromkeys(name for cells in findings.wholes.values() for name in cells.raw)
    return [
        name
        for name in columns
        if (name.startswith(REPRESENTATION) and not name.endswith("_dim")) or name in findings.info.describes
    ]


def _known(cells: Cells, name: str) -> np.ndarray:
    return cells.raw.get(name, np.full(cells.status.shape, np.nan))


def _words(name: str) -> str:
    where, _, rest = name.partition("_")
    if where not in _WHERE:
        return name.replace("_", " ")
    return f"{rest.replace('_', ' ')} of {_WHERE[where]}"


def _cell(estimate: Estimate) -> Cell:
    return number_cell(estimate.value, "+.2f", below=bracket(estimate, "+.2f"))
