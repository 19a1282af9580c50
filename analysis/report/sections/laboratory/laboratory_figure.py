"""Figures of sphere trials: gaps over the pairs seen, Gram matrices next to the ideal, cost against gain."""

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.report.plots.figure_text import add_legend, figure_names, legend_entries, legend_label
from analysis.report.plots.heatmap import draw_cells, panel_grid
from analysis.report.plots.style import arm_look, new_figure
from analysis.study_analysis import StudyAnalysis
from analysis.wording import wrapped

#: Value at which a gap is drawn that is rounding error or less.
_FLOOR = 1e-16

_SIZES = ["hp_n_pairs", "hp_dim"]
SIMPLEX = "simplex"


def _trials(findings: StudyAnalysis) -> pd.DataFrame:
    """The table with the arms of the study, before the analysis split them."""
    uncut = {arm.label: arm.whole_label for arm in findings.info.arms}
    return findings.table.assign(arm=findings.table["arm"].map(uncut))


def series_column(table: pd.DataFrame) -> str:
    """The column that distinguishes lines: how batches are selected where that varies, otherwise the loss."""
    return "hp_selection" if table["hp_selection"].nunique() > 1 else "arm"


def gap_curves_figure(findings: StudyAnalysis) -> Figure | None:
    """Gap to the optimum over pairs seen, on log axes: a panel for each problem, a line for each method or loss."""
    curves = _curves(findings)
    if curves.empty:
        return None
    trials = _trials(findings)
    column = series_column(trials)
    problems = [*_SIZES, "hp_batch_size"] if column == "hp_selection" else _SIZES
    shared = curves[curves["hp_selection"] == "full"] if column == "hp_selection" else curves.iloc[:0]
    panels = {
        keys: pd.concat([own, shared[(shared[_SIZES] == list(keys[:2])).all(axis=1)]])
        for keys, own in curves.drop(shared.index).groupby(problems)
    }
    names = list(dict.fromkeys(trials[column]))
    rows, columns = panel_grid(len(panels))
    figure = new_figure(2.6 * rows + 0.5)
    axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    for ax, (keys, own) in zip(axes, panels.items(), strict=False):
        _draw_gaps(ax, own, column, names, _problem(keys))
    add_legend(figure, legend_entries(axes), loc="outside lower center", ncols=5)
    return figure


def _curves(findings: StudyAnalysis) -> pd.DataFrame:
    """Curve points of the longest trials of every method, loss and problem, with their hyperparameters."""
    if findings.curves.empty or "optimum_gap" not in findings.curves:
        return pd.DataFrame()
    table = findings.table[
        [name for name in findings.table if name not in findings.curves or name == "trial_id"]
    ]
    curves = findings.curves.dropna(subset="optimum_gap").merge(table, on="trial_id")
    keys = ["arm", "hp_selection", *_SIZES, "hp_batch_size"]
    return curves[curves["steps_planned"] == curves.groupby(keys)["steps_planned"].transform("max")]


def _problem(keys: Sequence[Hashable]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip("NdB", keys, strict=False))


def _draw_gaps(ax: Axes, own: pd.DataFrame, column: str, names: list[str], title: str) -> None:
    """Draws the median over trials, and their range as a band."""
    own = own.assign(
        pairs=own["samples_seen"] + own["samples_selection"].fillna(0),
        gap=own["optimum_gap"].clip(lower=_FLOOR),
    )
    shown = figure_names(names)
    for index, name in enumerate(names):
        gaps = own[own[column] == name].groupby("pairs")["gap"].agg(["median", "min", "max"])
        look = arm_look(index)
        if len(gaps):
            ax.plot(
                gaps.index,
                gaps["median"],
                color=look.color,
                ls=look.line,
                lw=1.4,
                label=legend_label(shown[name]),
            )
            ax.fill_between(gaps.index, gaps["min"], gaps["max"], color=look.color, alpha=0.15, lw=0)
    ax.set(xscale="log", yscale="log", title=title, xlabel="pairs seen and looked at", ylabel="gap, nats")
    ax.grid(axis="y")


def gram_figure(findings: StudyAnalysis) -> Figure | None:
    """`U V^T` at the end of one trial of each method or loss, next to the ideal.

    It shows the largest problem whose ideal is the simplex.
    """
    shown = gram_matrices(findings)
    if not shown:
        return None
    rows, columns = math.ceil(len(shown) / 5), min(5, len(shown))
    figure = new_figure(2.0 * rows + 0.4)
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    names = figure_names(shown)
    for ax, (name, matrix) in zip(axes, shown.items(), strict=False):
        draw_cells(ax, matrix, low=-1, high=1, colormap="RdBu_r", gap=0)
        ax.set_aspect("equal")
        ax.invert_yaxis()
        ax.set(xticks=[], yticks=[])
        ax.set_title(wrapped(names[name], width=16), fontsize=8)
    figure.colorbar(axes[0].collections[0], ax=axes, label="inner product uᵢ · vⱼ", shrink=0.7)
    return figure


def gram_matrices(findings: StudyAnalysis) -> Mapping[str, np.ndarray]:
    """Inner products `(N, N)` by name, the ideal first.

    They come from the longest trials of the first seed that kept embeddings.
    """
    if findings.embeddings.empty:
        return {}
    table = _trials(findings)
    column = series_column(table)
    table = table[table["trial_id"].isin(findings.embeddings["trial_id"])]
    table = table[table["ideal"] == SIMPLEX]
    if table.empty:
        return {}
    n = int(table["hp_n_pairs"].max())
    table = table[(table["hp_n_pairs"] == n) & (table["seed"] == table["seed"].min())]
    last = table.sort_values("steps_planned", kind="stable").groupby(column, sort=False).tail(1)
    points = dict(tuple(findings.embeddings.groupby("trial_id")))
    ideal = np.where(np.eye(n, dtype=bool), 1.0, -1 / (n - 1))
    return {f"ideal, N = {n}": ideal} | {
        str(row[column]): _products(points[row["trial_id"]]) for _, row in last.iterrows()
    }


def _products(points: pd.DataFrame) -> np.ndarray:
    u, v = (np.stack(points.loc[points["view"] == view, "z"].tolist()) for view in (0, 1))
    return u @ v.T


def selection_gain(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Cost and outcome of every selection in every problem and budget, as medians over trials.

    `pairs` counts pairs trained on and looked at. `seconds_pretrain` is the time of training, `seconds_selection`
    that of choosing.
    """
    told = table.dropna(subset=[metric]).assign(
        pairs=table["samples_seen"] + table["samples_selection"].fillna(0)
    )
    budgets = [
        name for name in ("hp_steps", "hp_samples", "hp_epochs") if name in told and told[name].notna().any()
    ]
    problems = [name for name in _SIZES if told[name].notna().any()]
    keys = ["arm", *problems, "hp_batch_size", *budgets, "hp_selection"]
    values = ["pairs", "seconds_pretrain", "seconds_selection", metric]
    return told.groupby(keys, dropna=False)[values].median().reset_index()


def selection_gain_figure(findings: StudyAnalysis) -> Figure | None:
    """Outcome over training seconds of a trial: one point for each method, problem and budget."""
    metric = findings.info.metric
    gains = selection_gain(findings.table, metric.reporting_column)
    if gains.empty or findings.table["hp_selection"].nunique() < 2:
        return None
    figure = new_figure(3.4)
    ax = figure.subplots()
    for index, (name, own) in enumerate(gains.groupby("hp_selection", sort=False)):
        look = arm_look(index)
        values = metric.factor * own[metric.reporting_column]
        values = values.clip(lower=_FLOOR) if not metric.higher_is_better else values
        ax.plot(
            own["seconds_pretrain"],
            values,
            look.marker,
            color=look.color,
            label=legend_label(str(name)),
            alpha=0.8,
        )
    ax.set(xscale="log", xlabel="training a trial, choosing included, seconds", ylabel=metric.axis_label)
    if not metric.higher_is_better:
        ax.set_yscale("log")
    ax.grid(axis="y")
    add_legend(ax, legend_entries([ax]), loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
