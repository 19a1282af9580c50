"""Figures of scores: one row an arm."""

import numpy as np
from matplotlib.figure import Figure

from analysis.findings import Findings
from analysis.plots.dots import Dot, draw_dots
from analysis.plots.profile import draw_levels, draw_shares
from analysis.plots.style import WIDTH, arm_look
from analysis.statistics.robustness import RobustnessSummary
from analysis.wording import wrapped


def tuned_figure(findings: Findings) -> Figure | None:
    """Test accuracy of each arm's tuned configuration with its interval; None before any trial finished."""
    if not findings.any_finished:
        return None
    figure = _figure(findings, extra=0.7)
    dots = [_dot(findings, index, label) for index, label in enumerate(findings.summaries)]
    draw_dots(figure.subplots(), dots, x_label="test accuracy of the tuned configuration, %")
    return figure


def robustness_figure(findings: Findings) -> Figure | None:
    """Levels from tuned to worst tenth, and the share near each arm's best; None before any trial finished."""
    if not findings.any_finished:
        return None
    figure = _figure(findings, extra=1.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    summaries = list(findings.summaries.values())
    names = [wrapped(findings.info.arm(label).name) for label in findings.summaries]
    scale = [_percent(item) for item in summaries]
    estimates = {
        "worst tenth of the space": [item.worst for item in summaries],
        "average over the space": [item.mean for item in summaries],
        "default configuration": [item.default.estimate for item in summaries],
        "tuned on validation": [item.tuned.estimate for item in summaries],
    }
    levels = {
        name: [factor * item.value for factor, item in zip(scale, items, strict=True)]
        for name, items in estimates.items()
    }
    draw_levels(left, names, levels, x_label="test accuracy, %")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    shares = [(item.tolerance.value, item.tolerance.low, item.tolerance.high) for item in summaries]
    eps = f"{100 * findings.info.tolerance:g}"
    label = f"share of the space within {eps} points\nof the loss's own best, %"
    value, low, high = 100 * np.array(shares).T
    draw_shares(right, [""] * len(names), value, low, high, x_label=label)
    return figure


def _figure(findings: Findings, *, extra: float) -> Figure:
    return Figure(figsize=(WIDTH, extra + 0.42 * len(findings.summaries)), layout="constrained")


def _dot(findings: Findings, index: int, label: str) -> Dot:
    tuned, scale = findings.summaries[label].tuned, _percent(findings.summaries[label])
    return Dot(
        label=wrapped(findings.info.arm(label).name),
        look=arm_look(index),
        value=scale * tuned.estimate.value,
        low=scale * tuned.estimate.low,
        high=scale * tuned.estimate.high,
        seeds=scale * tuned.scores,
    )


def _percent(summary: RobustnessSummary) -> float:
    """Shares to percent; NaN for an arm of which no trial finished: a mark at chance would squeeze the rest."""
    return 100.0 if summary.finished else np.nan
