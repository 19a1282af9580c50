"""Figures of scores: one row for each arm."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from analysis.model.metric import Metric
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.dots import Dot, draw_dots
from analysis.report.plots.figure_text import add_legend, legend_entries
from analysis.report.plots.profile import draw_levels, draw_shares
from analysis.report.plots.style import arm_look, new_figure
from analysis.statistics.scores.robustness import RobustnessSummary
from analysis.study_analysis import StudyAnalysis
from analysis.wording import wrapped


def tuned_figure(findings: StudyAnalysis) -> Figure | None:
    """Score of each arm's tuned configuration with its interval; None before any trial finished."""
    if not findings.any_finished:
        return None
    names = _row_names(findings)
    figure = _figure(list(names.values()), extra=0.7)
    dots = [_dot(findings, index, label, names[label]) for index, label in enumerate(findings.summaries)]
    draw_dots(figure.subplots(), dots, x_label=f"tuned configuration: {findings.info.metric.axis_label}")
    return figure


def robustness_figure(findings: StudyAnalysis) -> Figure | None:
    """Scores from tuned to worst tenth, and the share near each arm's best; None before any trial finished."""
    if not findings.any_finished:
        return None
    shown = {label: item for label, item in findings.summaries.items() if findings.is_shown(label)}
    rows = _row_names(findings)
    names = [rows[label] for label in shown]
    figure = _figure(names, extra=1.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    summaries = list(shown.values())
    scale = [_factor(findings.info.metric, item) for item in summaries]
    estimates = {
        "worst tenth of the ranges": [item.worst for item in summaries],
        "average over the ranges": [item.mean for item in summaries],
        "default configuration": [item.default.estimate for item in summaries],
        "tuned": [item.tuned.estimate for item in summaries],
    }
    if findings.info.metric.no_choice:
        del estimates["tuned"]
    levels = {
        name: [factor * item.value for factor, item in zip(scale, items, strict=True)]
        for name, items in estimates.items()
    }
    draw_levels(left, names, levels, x_label=findings.info.metric.axis_label)
    add_legend(figure, legend_entries([left]), loc="outside lower left", ncols=4)
    shares = [(item.tolerance.value, item.tolerance.low, item.tolerance.high) for item in summaries]
    metric = findings.info.metric
    eps = f"{metric.factor * findings.info.tolerance:g} {metric.difference_unit}"
    label = f"share of the ranges within {eps}\nof the loss's own best, %"
    value, low, high = 100 * np.array(shares).T
    draw_shares(right, [""] * len(names), value, low, high, x_label=label)
    return figure


def _row_names(findings: StudyAnalysis) -> dict[str, str]:
    shown = arm_names(findings.info)
    return {label: wrapped(shown[label]) for label in findings.summaries}


def _figure(names: Sequence[str], *, extra: float) -> Figure:
    """A figure with a row for each name, high enough for the name with most lines."""
    lines = max(name.count("\n") + 1 for name in names)
    return new_figure(extra + max(0.42, 0.18 * lines) * len(names))


def _dot(findings: StudyAnalysis, index: int, label: str, name: str) -> Dot:
    summary = findings.summaries[label]
    tuned, scale = summary.tuned, _factor(findings.info.metric, summary)
    ends = (scale * tuned.estimate.low, scale * tuned.estimate.high)
    return Dot(
        label=name,
        look=arm_look(index),
        value=scale * tuned.estimate.value,
        low=min(ends),
        high=max(ends),
        seeds=scale * tuned.scores,
    )


def _factor(metric: Metric, summary: RobustnessSummary) -> float:
    """Factor from scores to shown values.

    NaN for an arm without a finished trial, because its mark would compress the scale for the others.
    """
    return metric.sign * metric.factor if summary.finished else np.nan
