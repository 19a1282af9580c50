"""The section on scores of an adaptive search: results of tuning at a budget, without statements on the space."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.model.cells import axis_values
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.plots.style import arm_look
from analysis.report.score_tables import cells_table, comparisons_table, scores_table
from analysis.report.sections.content import COUNT, TEXT, Cell, Content, ShownFigure, score_cell, table
from analysis.report.sections.space.scores_figure import tuned_figure
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.choice import tuned_estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, Scale, counted, number, opened, wrapped


def search_section(findings: StudyAnalysis) -> Content:
    """Each loss tuned at the budget of the search, and the best score so far over its configurations."""
    metric, curves = findings.info.metric, best_so_far(findings)
    level = f"{100 * LEVEL:.0f} %"
    columns = [
        ("Loss", TEXT),
        f"Tuned, {metric.unit}" if metric.unit else "Tuned",
        ("Tuned at", TEXT),
        ("Budget, configurations", COUNT),
        ("Failed trials", COUNT),
        ("Collapsed trials", COUNT),
    ]
    return Content(
        title="Losses by tuned score",
        lead=f"{opened(metric.reported)} of the configuration that an adaptive search found, each loss tuned at "
        f"its budget. Below each value: its {level} interval over seeds, or why there is none. One seed's "
        "validation selects among the configurations tried and another seed scores, averaged over all ordered pairs "
        "of seeds; all seeds had a say in what was tried. A search crowds where scores are good, so nothing is said "
        "of the space: neither averages nor shares of it nor importances.",
        tables=(table(columns, [_row(findings, label) for label in findings.summaries]),),
        figures={
            "best_so_far": ShownFigure(
                build=partial(_figure, findings, curves),
                data="best_so_far",
                caption="Tuned score after so many configurations, in the order in which the search asked for them. "
                f"Band: {level} interval over seeds, for each number by itself, from 2 seeds on.",
            ),
            "tuned": ShownFigure(
                build=partial(tuned_figure, findings),
                data="scores",
                caption=f"{opened(metric.reported)} tuned at the budget; grey dots are seeds. Line: {level} "
                "interval over seeds.",
            ),
        },
        data={
            "scores": scores_table(findings),
            "cells": cells_table(findings),
            "comparisons": comparisons_table(findings),
            "best_so_far": pd.concat([_curve_table(label, curve) for label, curve in curves.items()]),
        },
    )


def best_so_far(findings: StudyAnalysis) -> dict[str, list[Estimate]]:
    """The tuned score of every arm among its first 1, 2, ... configurations."""
    return {label: _curve(findings, label) for label in findings.cells}


def _curve(findings: StudyAnalysis, label: str) -> list[Estimate]:
    cells = findings.cells[label]
    order = _order(findings, label)
    test, validation = cells.test[order], cells.validation[order]
    bounds = cells.metric.score_bounds
    return [
        tuned_estimate(test[:n], validation[:n], bounds=bounds, step=cells.metric.step)
        for n in range(1, len(order) + 1)
    ]


def _order(findings: StudyAnalysis, label: str) -> list[int]:
    """The cells in the order in which their first trials were planned."""
    cells = findings.cells[label]
    rows = findings.table[findings.table["arm"] == label]
    codes = [axis.index_of(axis_values(rows, axis.info)) for axis in cells.axes]
    place = {tuple(code): cell for cell, code in enumerate(cells.codes.tolist())}
    return list(dict.fromkeys(place[tuple(code)] for code in np.stack(codes, axis=1).tolist()))


def _row(findings: StudyAnalysis, label: str) -> list[Cell | str]:
    item, arm = findings.summaries[label], findings.info.arm(label)
    budget = len(findings.cells[label].codes)
    place = "\n".join(f"{arm.axis(name).words} {number(value)}" for name, value in item.tuned.place.items())
    agree = f"by {item.tuned.agreeing} of {item.tuned.choices} seeds" if item.tuned.choices else ""
    return [
        arm.name,
        score_cell(item.tuned.estimate, Scale(findings.info.metric)),
        Cell(text=place if np.isfinite(item.tuned.estimate.value) else NONE, below=agree),
        Cell(text=str(budget), below=counted(len(findings.cells[label].seeds), "seed"), sort=budget),
        Cell(text=f"{item.failed} of {item.ended}", sort=item.failed),
        Cell(text=f"{item.collapsed} of {item.ranked}", sort=item.collapsed),
    ]


def _figure(findings: StudyAnalysis, curves: dict[str, list[Estimate]]) -> Figure | None:
    if not findings.any_finished:
        return None
    metric = findings.info.metric
    factor = metric.sign * metric.factor
    names = arm_names(findings.info)
    drawn = [
        BandCurve(
            label=wrapped(names[label]),
            look=arm_look(index),
            at=np.arange(1, len(curve) + 1),
            value=factor * np.array([item.value for item in curve]),
            low=factor * np.array([item.low for item in curve]),
            high=factor * np.array([item.high for item in curve]),
        )
        for index, (label, curve) in enumerate(curves.items())
    ]
    y_label = f"tuned {metric.axis_label}"
    return band_figure(drawn, x_label="configurations tried", y_label=y_label)


def _curve_table(label: str, curve: list[Estimate]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": label,
            "configurations": np.arange(1, len(curve) + 1),
            "tuned": [item.value for item in curve],
            "low": [item.low for item in curve],
            "high": [item.high for item in curve],
            "seeds": [item.seeds for item in curve],
        }
    )
