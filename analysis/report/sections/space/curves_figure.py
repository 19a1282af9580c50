"""Figures of curves: the metric over batch size, and over temperature or kernel scale."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from analysis.model.info import ArmInfo
from analysis.model.meaning import LOWER_TEMPERATURE
from analysis.model.surface import Surface
from analysis.names import columns as text_columns
from analysis.names import distinct_names
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.curves import AxisTicks, Curve, draw_curves
from analysis.report.plots.figure_text import add_legend, legend_entries
from analysis.report.plots.style import new_figure
from analysis.report.sections.compared_curves import curve_look, curves_shown
from analysis.statistics.intervals.student import mean_and_spread
from analysis.study_analysis import StudyAnalysis
from analysis.wording import number, wrapped

#: Largest number of seeds that are drawn as dots at one configuration.
MOST_DOTS = 20

_PANELS = 4  # number of batch sizes with a panel: both ends, and others evenly between
_TEXTS = 18  # number of texts that fit along the axes of a row of panels
_LINE = 0.2  # inches, height of a line of a legend
_LEGEND_LETTERS = 100  # number of letters that fit in a line below a figure
_DODGE = 0.012  # horizontal offset between one arm and the next, as a share of the axis


def batch_size_figure(findings: StudyAnalysis) -> Figure | None:
    """The metric by batch size, each arm at its tuned main-axis value; None before any trial finished."""
    if not findings.any_finished or not numeric_surfaces(findings):
        return None
    shown = numeric_surfaces(findings)
    names = {label: wrapped(arm_names(findings.info)[label]) for label in shown}
    lines = sum(name.count("\n") + 1 for name in names.values())
    figure = new_figure(max(3.9, 0.9 + _LINE * lines))
    grids = [surface.x for surface in shown.values()]
    curves = []
    for label, surface in shown.items():
        row = findings.summaries[label].tuned.at % len(surface.y)
        name = f"{names[label]}, {number(surface.y[row])}"
        layer = (surface.x, surface.values[:, row], surface.failed[:, row])
        curves.append(_curve(findings, label, name, *layer, grids))
    ax = draw_curves(
        figure.subplots(),
        curves,
        _ticks(grids, findings.info.x_label, most=_TEXTS // 2),
        y_label=findings.info.metric.axis_label,
    )
    add_legend(
        figure,
        legend_entries([ax]),
        loc="outside right upper",
        title=f"Loss, at its {'default' if findings.info.metric.no_choice else 'tuned'}\ntemperature or kernel scale",
    )
    return figure


def numeric_surfaces(findings: StudyAnalysis) -> dict[str, Surface]:
    """The surfaces of the arms with curves, by label: those whose axes are both numeric."""
    shown = curves_shown(findings)
    return {
        label: surface
        for label, surface in findings.surfaces.items()
        if label in shown and surface.x_axis.numeric and surface.y_axis.numeric
    }


def main_axis_figure(findings: StudyAnalysis) -> Figure | None:
    """The metric by the main axis: a row for each kind of axis, a column for each of at most four batch sizes.

    None before any trial finished.
    """
    if not findings.any_finished or not numeric_surfaces(findings):
        return None
    surfaces = numeric_surfaces(findings)
    arms = [arm for arm in findings.info.arms if arm.label in surfaces]
    kinds = list(dict.fromkeys(_kind(arm) for arm in arms))
    sizes = np.unique(np.concatenate([surface.x for surface in surfaces.values()]))
    sizes = sizes[np.unique(np.linspace(0, len(sizes) - 1, _PANELS).round().astype(int))]
    names = {label: name for label, name in arm_names(findings.info).items() if label in surfaces}
    columns = max(1, min(len(names), 6, _LEGEND_LETTERS // (max(map(text_columns, names.values())) + 6)))
    height = 0.4 + 2.5 * len(kinds) + _LINE * math.ceil(len(names) / columns)
    figure = new_figure(height)
    grid = figure.subplots(len(kinds), len(sizes), squeeze=False, sharey=True)
    for axes, kind in zip(grid, kinds, strict=True):
        _draw_kind(findings, axes, kind, sizes, names)
    add_legend(figure, legend_entries(grid.flat), loc="outside lower center", ncols=columns)
    return figure


def _kind(arm: ArmInfo) -> tuple[object, ...]:
    """Arms with equal kinds share a row: equal values of their main axes mean the same."""
    return (arm.main_axis, *arm.main.meaning.same_as)


def _draw_kind(
    findings: StudyAnalysis,
    axes: Sequence,
    kind: tuple[object, ...],
    sizes: np.ndarray,
    names: Mapping[str, str],
) -> None:
    """Draws one row of panels: the arms of one kind of main axis at every batch size."""
    surfaces = numeric_surfaces(findings)
    arms = [arm for arm in findings.info.arms if _kind(arm) == kind and arm.label in surfaces]
    grids = [surfaces[arm.label].y for arm in arms]
    ticks = _ticks(grids, arms[0].main.axis_label, most=_TEXTS // len(sizes))
    if (
        arms[0].main.meaning.larger_acts_as == LOWER_TEMPERATURE
    ):  # temperature rises to the right in every row
        ticks = dataclasses.replace(ticks, limits=ticks.limits[::-1])
    short_x = distinct_names([findings.info.x.words], _LEGEND_LETTERS // len(axes))[findings.info.x.words]
    for ax, size in zip(axes, sizes, strict=True):
        curves = []
        for arm in arms:
            surface = surfaces[arm.label]
            if size in surface.x:
                at = int(np.searchsorted(surface.x, size))
                layer = (surface.y, surface.values[at], surface.failed[at])
                curves.append(_curve(findings, arm.label, names[arm.label], *layer, grids))
        draw_curves(ax, curves, ticks, y_label=findings.info.metric.axis_label if ax is axes[0] else "")
        ax.set_title(wrapped(f"{short_x} {number(size)}", width=90 // len(axes)))


def _curve(
    findings: StudyAnalysis,
    arm: str,
    label: str,
    axis: np.ndarray,
    seeds: np.ndarray,
    failed: np.ndarray,
    grids: Sequence[np.ndarray],
) -> Curve:
    """A curve of values `(X, S)` over an axis `(X,)`, with a small offset so that equal curves are all visible."""
    shown = curves_shown(findings)
    shift = (shown.index(arm) - (len(shown) - 1) / 2) * _DODGE * _span(grids)
    at = _positions(axis, grids) + shift
    factor = findings.info.metric.factor
    known, some = np.isfinite(seeds), np.isfinite(seeds).any(axis=-1)
    return Curve(
        label=label,
        look=curve_look(findings, arm),
        at=at,
        mean=factor * mean_and_spread(seeds)[0],
        seeds=factor * fewer_dots(seeds),
        low=factor * np.where(some, np.where(known, seeds, np.inf).min(axis=-1), np.nan),
        high=factor * np.where(some, np.where(known, seeds, -np.inf).max(axis=-1), np.nan),
        failed_at=at[failed.any(axis=-1)],
    )


def fewer_dots(seeds: np.ndarray) -> np.ndarray:
    """At most `MOST_DOTS` of the values `(X, S)` at each position: both ends, and evenly between them in order."""
    if seeds.shape[-1] <= MOST_DOTS:
        return seeds
    ordered, known = (
        np.sort(seeds, axis=-1),
        np.isfinite(seeds).sum(axis=-1, keepdims=True),
    )  # NaN is sorted last
    places = np.rint(np.linspace(0, 1, MOST_DOTS) * np.maximum(known - 1, 0)).astype(int)
    return np.take_along_axis(ordered, places, axis=-1)


def _positions(axis: np.ndarray, grids: Sequence[np.ndarray]) -> np.ndarray:
    """Log positions where every value of the panel is positive, otherwise the values."""
    return np.log2(axis) if all(np.all(grid > 0) for grid in grids) else axis


def _span(grids: Sequence[np.ndarray]) -> float:
    """Length of the panel's axis; 1 for a single value."""
    return float(np.ptp(_positions(np.concatenate(grids), grids))) or 1.0


def _ticks(grids: Sequence[np.ndarray], label: str, *, most: int) -> AxisTicks:
    """A tick at every grid value, with at most `most` texts at even distances."""
    values = np.unique(np.concatenate(grids))
    at, margin = _positions(values, grids), 0.08 * _span(grids)
    every = math.ceil(len(values) / most)
    texts = [number(value) if place % every == 0 else "" for place, value in enumerate(values)]
    return AxisTicks(at=at.tolist(), texts=texts, label=label, limits=(at[0] - margin, at[-1] + margin))
