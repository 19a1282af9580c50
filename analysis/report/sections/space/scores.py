"""The section on robustness scores by loss."""

import math
from functools import partial

from analysis.model.info import ArmInfo
from analysis.report.score_tables import cells_table, decisions_table, scores_table
from analysis.report.sections.content import (
    COUNT,
    TEXT,
    Cell,
    Content,
    ShownFigure,
    score_cell,
    share_cell,
    table,
)
from analysis.report.sections.space.scores_figure import robustness_figure
from analysis.report.sections.tuning.search import search_section
from analysis.statistics.scores.choice import Choice
from analysis.statistics.scores.robustness import TAIL, RobustnessSummary
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, Scale, number, opened


def scores_section(findings: StudyAnalysis) -> Content:
    """Every robustness score of every loss, with its interval; for an adaptive search only the tuned score."""
    if findings.adaptive:
        return search_section(findings)
    metric, eps = findings.info.metric, tolerance_words(findings)
    tail = f"{100 * TAIL:.0f} %"
    columns = [
        ("Loss", TEXT),
        *(() if metric.no_choice else ("Tuned", ("Tuned at", TEXT))),
        "Default",
        "Average",
        f"Worst {tail}",
        f"Within {eps} of own best, % of the ranges",
        ("Failed, collapsed", COUNT),
    ]
    unit = f", in {metric.unit}" if metric.unit else ""
    tuned = (
        f"Tuned: one seed selects the configuration by {metric.chooser} and another seed scores it; mean over all "
        f"pairs of seeds. Tuned at: the best mean over seeds by {metric.chooser}."
    )
    if metric.no_choice:
        tuned = f"No tuned score: {metric.no_choice}."
    return Content(
        title="Losses by score",
        lead=f"{opened(metric.reported)}{unit}{'' if metric.higher_is_better else '; lower is better'}. Below: 95 % "
        f"interval over seeds. {tuned} Collapsed: effective rank near 1.",
        tables=(table(columns, [_row(findings, label) for label in findings.summaries]),),
        figures={
            "robustness": ShownFigure(
                build=partial(robustness_figure, findings),
                data="scores",
                caption=f"Left: {metric.reported} {'' if metric.no_choice else 'tuned, '}at the default, on "
                f"average and in the worst {tail}; a "
                f"short line means a robust loss. Right: the share of the ranges within {eps} of the loss's own "
                "best.",
            ),
        },
        data={
            "scores": scores_table(findings),
            "cells": cells_table(findings),
            "decisions": decisions_table(findings),
        },
    )


def tolerance_words(findings: StudyAnalysis) -> str:
    """The tolerance with its unit, such as `2 points`."""
    metric = findings.info.metric
    return f"{metric.factor * findings.info.tolerance:g} {metric.difference_unit}"


def place_words(choice: Choice, arm: ArmInfo) -> list[str]:
    """A configuration as texts, one for each axis."""
    return [f"{arm.axis(name).words} {number(value)}" for name, value in choice.place.items()]


def _row(findings: StudyAnalysis, label: str) -> list[Cell | str]:
    item, arm, scale = findings.summaries[label], findings.info.arm(label), Scale(findings.info.metric)
    known = math.isfinite(item.tuned.estimate.value)
    agree = f"by {item.tuned.agreeing} of {item.tuned.choices} seeds" if item.tuned.choices else ""
    tuned = [
        score_cell(item.tuned.estimate, scale),
        Cell(text="\n".join(place_words(item.tuned, arm)) if known else NONE, below=agree),
    ]
    return [
        arm.name,
        *([] if findings.info.metric.no_choice else tuned),
        score_cell(item.default.estimate, scale),
        score_cell(item.mean, scale),
        score_cell(item.worst, scale),
        share_cell(item.tolerance),
        Cell(text=f"{item.failed} of {item.ended}", below=_collapsed(item), sort=item.failed),
    ]


def _collapsed(item: RobustnessSummary) -> str:
    return f"{item.collapsed} of {item.ranked}" if item.ranked else ""
