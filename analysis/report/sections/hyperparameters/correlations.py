"""The section on correlations of representation metrics with the reported metric."""

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, bracket, number_cell, table
from analysis.statistics.intervals.student import STATED, Estimate
from analysis.statistics.sensitivity.metric_correlation import metric_correlations, rank_metrics
from analysis.study_analysis import StudyAnalysis
from analysis.tables.usual_names import REPRESENTATION
from analysis.wording import p_value

_WHERE = {"z": "projection z", "h": "encoder output h"}


def correlations_section(findings: StudyAnalysis) -> Content | None:
    """Correlations of every representation metric with the reported metric: overall, within a loss, between seeds.

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
    found = {item.metric: item for item in metric_correlations(metrics, scores, losses, names)}
    ranks = rank_metrics(metrics, scores, losses, names)
    rows = [
        [
            _words(rank.metric),
            _cell(found[rank.metric].within),
            _cell(found[rank.metric].overall),
            _cell(found[rank.metric].noise),
            Cell(text=p_value(rank.p_holm), sort=rank.p_holm),
        ]
        for rank in ranks
    ]
    noun = findings.info.metric.reported
    columns = [
        ("Metric", TEXT),
        "Within a loss",
        "Over all losses",
        "Between seeds (Pearson)",
        "Behind the first: p (Holm)",
    ]
    return Content(
        title=f"Which representation metric goes along with {findings.info.metric.noun}",
        lead=f"Spearman's correlation with {noun} over configurations, computed for each seed by itself; "
        "strongest within a loss first. Over all losses it may only say that some losses are better. "
        "Between seeds: whether the luckier seed of one configuration has the better metric too, Pearson's "
        "correlation of all trials once each configuration's and each seed's mean is taken out. "
        "Failed trials have no metric and are left out. The first is picked and compared on the same "
        f"seeds, so this explores and does not confirm. Intervals: {STATED}.",
        tables=(table(columns, rows),),
        data={
            "metric_correlations": pd.DataFrame(
                [
                    {
                        "metric": name,
                        **estimate_columns("within", item.within),
                        **estimate_columns("overall", item.overall),
                        **estimate_columns("noise", item.noise),
                    }
                    for name, item in found.items()
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
