"""Figures of diagnostic trials: bias and variance by batch size, precision by temperature, measures by defect."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.figure_text import add_legend, legend_entries, legend_label
from analysis.report.plots.style import arm_look, new_figure
from analysis.statistics.intervals.student import student_interval
from analysis.study_analysis import StudyAnalysis

#: Measures of uniformity in the order of the figure.
MEASURES = (
    "z_wasserstein_uniformity",
    "z_uniformity",
    "z_energy_distance",
    "z_gaussian_mmd",
    "z_effective_rank",
)

#: Columns on the gradient of batches.
_OF_BATCHES = ("gradient_bias", "gradient_bias_ratio", "gradient_variance")

_SEEN = 5.0  # a defect counts as seen from so many deviations of the uniform control on
_PRECISIONS = ("float32", "bfloat16", "float16")


def bias_figure(findings: StudyAnalysis) -> Figure | None:
    """Relative bias of the gradient by M; below, its square over what noise alone gives."""
    return _by_batch_size(
        findings,
        {
            "gradient_bias": "bias over the gradient's length",
            "gradient_bias_ratio": "squared distance over noise alone",
        },
    )


def variance_figure(findings: StudyAnalysis) -> Figure | None:
    """Relative variance of the gradient by M; dots: the theory's variance of a KCL gradient."""
    figure = _by_batch_size(findings, {"gradient_variance": "variance over squared length"})
    if figure is None:
        return None
    ax, names = figure.axes[0], arm_names(findings.info)
    for index, arm in enumerate(findings.info.arms):
        own = findings.table[findings.table["arm"] == arm.label]
        if arm.loss == "kcl" and own["hp_batch_size"].nunique() > 2:
            sizes, line = theory_line(own)
            ax.plot(
                sizes,
                line,
                ":",
                color=arm_look(index).color,
                lw=3,
                alpha=0.6,
                label=legend_label(f"{names[arm.label]}, theory"),
            )
    ax.axhline(1, color="#888888", lw=0.8)
    add_legend(ax, legend_entries([ax]), loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def batch_intervals(findings: StudyAnalysis) -> pd.DataFrame:
    """Mean over seeds and Student's interval of each measure, one row for each arm, batch size and measure.

    A seed whose distance is within noise counts with a bias of 0.
    """
    groups = findings.table.groupby(["arm", "hp_batch_size"], sort=False)
    rows = [
        (
            arm,
            size,
            name,
            *map(float, student_interval(own[name].to_numpy(float), bounds=(0.0, np.inf))),
            len(own),
        )
        for (arm, size), own in groups
        for name in _OF_BATCHES
    ]
    return pd.DataFrame(rows, columns=["arm", "batch_size", "measure", "mean", "low", "high", "seeds"])


def theory_line(own: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Batch sizes, and the variance of a U-statistic at them, from its two coefficients.

    For M of N drawn without replacement, with Hoeffding's terms of one sample and of two (Bloznelis and Goetze 2001,
    Annals of Statistics 29, 899):

        a (N - M) / (M (N - 1)) + b 2 (N - M)(N - M - 1) / (M (M - 1) (N - 2)(N - 3)).

    a and b are chosen so that the line meets the values at the smallest and the largest M. The values between test
    it.
    """
    means = own.groupby("hp_batch_size")["gradient_variance"].mean()
    sizes, n = means.index.to_numpy(float), float(own["hp_n_pairs"].iloc[0])
    one = (n - sizes) / (sizes * (n - 1))
    two = 2 * (n - sizes) * (n - sizes - 1) / (sizes * (sizes - 1) * (n - 2) * (n - 3))
    terms = np.stack([one, two], axis=1)
    return sizes, terms @ np.linalg.solve(terms[[0, -1]], means.to_numpy()[[0, -1]])


def _by_batch_size(findings: StudyAnalysis, columns: dict[str, str]) -> Figure | None:
    if findings.table[list(columns)].isna().all(axis=None):
        return None
    found = batch_intervals(findings)
    figure = new_figure(3.2 * len(columns))
    panels = np.atleast_1d(figure.subplots(len(columns), 1))
    for ax, (column, label) in zip(panels, columns.items(), strict=True):
        _draw_intervals(ax, findings, found[found["measure"] == column])
        ax.set(xscale="log", yscale="log", xlabel="batch size M, pairs", ylabel=label)
        add_legend(ax, legend_entries([ax]), loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw_intervals(ax: Axes, findings: StudyAnalysis, found: pd.DataFrame) -> None:
    """Draws one line for each arm. On the log axis, an end at or below 0 is drawn at the bottom."""
    names = arm_names(findings.info)
    foot = found.loc[found["mean"] > 0, "mean"].min() / 3
    ax.set_ylim(foot, 1.5 * np.nanmax(found[["mean", "high"]].to_numpy(float)))
    for index, arm in enumerate(findings.info.arms):
        own, look = found[found["arm"] == arm.label], arm_look(index)
        x = own["batch_size"] * 1.03 ** (index - len(findings.info.arms) / 2)  # side by side
        ax.vlines(x, own["low"].clip(lower=foot), own["high"], color=look.color, lw=1)
        ax.plot(
            x, own["mean"].where(own["mean"] > 0), color=look.color, ls=look.line, marker=look.marker, ms=4,
            label=legend_label(names[arm.label]),
        )  # fmt: skip
    ax.grid(axis="y")


def _draw(ax: Axes, findings: StudyAnalysis, table: pd.DataFrame, x: str, column: str) -> None:
    """Draws the mean over seeds and single trials; a log axis has no place for zeros."""
    names = arm_names(findings.info)
    for index, arm in enumerate(findings.info.arms):
        own = table[(table["arm"] == arm.label) & (table[column] > 0)]
        look, means = arm_look(index), own.groupby(x)[column].mean()
        ax.plot(own[x], own[column], ".", color=look.color, ms=3.5)
        ax.plot(
            means.index, means, color=look.color, ls=look.line, marker=look.marker, ms=4,
            label=legend_label(names[arm.label]),
        )  # fmt: skip
    ax.grid(axis="y")


def precision_figure(findings: StudyAnalysis) -> Figure | None:
    """Error of the gradient by temperature in each precision, and the signal; all batch sizes together."""
    columns = [f"gradient_error_{name}" for name in _PRECISIONS]
    if findings.table[columns].isna().all(axis=None):
        return None
    figure = new_figure(3.2)
    axes: Sequence[Axes] = figure.subplots(1, 4)
    panels = {**dict(zip(columns, _PRECISIONS, strict=True)), "signal": "signal 1 − p"}
    for ax, (column, title) in zip(axes, panels.items(), strict=True):
        _draw(ax, findings, findings.table, "hp_temperature", column)
        ax.set(xscale="log", yscale="log", title=title, xlabel="temperature")
    axes[0].set_ylabel("relative error of the gradient")
    add_legend(axes[0], legend_entries(axes[:1]))
    return figure


def deviations(table: pd.DataFrame) -> pd.DataFrame:
    """Distance of each measure's mean from that of uniform points, in deviations over seeds, by defect and level."""
    control = table[table["hp_defect"] == "none"]
    center, spread = control[list(MEASURES)].mean(), control[list(MEASURES)].std()
    means = (
        table[table["hp_defect"] != "none"]
        .groupby(["hp_defect", "hp_defect_level"], sort=False)[list(MEASURES)]
        .mean()
    )
    return (means - center) / spread


def defects_figure(findings: StudyAnalysis) -> Figure | None:
    """One panel for each measure: deviations by level, one line for each defect; above the dashed line it is seen."""
    found = deviations(findings.table)
    if found.isna().all(axis=None):
        return None
    figure = new_figure(3.2)
    axes = figure.subplots(1, len(MEASURES), sharey=True)
    for ax, measure in zip(axes, MEASURES, strict=True):
        for index, (defect, own) in enumerate(found[measure].groupby(level=0, sort=False)):
            levels, look = own.index.get_level_values(1), arm_look(index)
            ax.plot(
                levels, own.abs(), color=look.color, marker=look.marker, ms=4, label=legend_label(str(defect))
            )
        ax.axhline(_SEEN, color="#888888", lw=0.8, ls="--")
        ax.set(yscale="log", xlabel="level")
        ax.set_title(measure.removeprefix("z_").replace("_", " "), fontsize=8)
    axes[0].set_ylabel("off uniform points, deviations")
    add_legend(figure, legend_entries(axes[:1]), loc="outside lower center", ncols=6)
    return figure
