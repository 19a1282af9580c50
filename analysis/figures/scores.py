"""Figures of scores: one row an arm."""

import numpy as np
from matplotlib.figure import Figure

from analysis.findings import Findings
from analysis.plots.dots import Dot, draw_dots
from analysis.plots.profile import draw_levels, draw_shares
from analysis.plots.style import WIDTH, arm_look


def tuned_figure(findings: Findings) -> Figure:
    """Test accuracy of each arm's tuned configuration with its interval over seeds."""
    figure = _figure(findings, extra=0.7)
    dots = [_dot(findings, index, label) for index, label in enumerate(findings.summaries)]
    draw_dots(figure.subplots(), dots, x_label="test accuracy of the tuned configuration, %")
    return figure


def robustness_figure(findings: Findings) -> Figure:
    """Levels from tuned to worst tenth, and the share of the space near each arm's own best."""
    figure = _figure(findings, extra=1.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    summaries = list(findings.summaries.values())
    names = [findings.info.arm(label).name for label in findings.summaries]
    levels = {
        "worst tenth of the space": [100 * item.worst.value for item in summaries],
        "average over the space": [100 * item.mean.value for item in summaries],
        "default configuration": [100 * item.default.estimate.value for item in summaries],
        "tuned on validation": [100 * item.tuned.estimate.value for item in summaries],
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
    tuned = findings.summaries[label].tuned
    return Dot(
        label=findings.info.arm(label).name,
        look=arm_look(index),
        value=100 * tuned.estimate.value,
        low=100 * tuned.estimate.low,
        high=100 * tuned.estimate.high,
        seeds=100 * tuned.scores,
    )
