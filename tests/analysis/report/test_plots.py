"""Figures draw the values of their tables; pixels are not compared."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.model.meaning import TEMPERATURE, Meaning
from analysis.report.plots.heatmap import HATCH, panel_grid
from analysis.report.plots.style import arm_look, figure_style
from analysis.report.sections.space.curves_figure import (
    MOST_DOTS,
    batch_size_figure,
    fewer_dots,
    main_axis_figure,
)
from analysis.report.sections.space.scatter_figure import places_figure
from analysis.report.sections.space.scores_figure import robustness_figure, tuned_figure
from analysis.report.sections.space.surfaces_figure import metric_surfaces, rank_surfaces
from analysis.statistics.intervals.student import student_interval
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study


def texts(figure: Figure, axes: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[axes].texts]


def hatched(figure: Figure, axes: int = 0) -> list[tuple[float, float, float, float]]:
    patches = [patch for patch in figure.axes[axes].patches if isinstance(patch, Rectangle)]
    return [
        (*patch.get_xy(), patch.get_width(), patch.get_height())
        for patch in patches
        if patch.get_hatch() == HATCH
    ]


def test_heat_maps_show_every_arm_on_one_colour_scale(findings: StudyAnalysis) -> None:
    figure = metric_surfaces(findings)
    meshes = [ax.collections[0] for ax in figure.axes[:3]]
    assert len({mesh.get_clim() for mesh in meshes}) == 1
    means = [surface.values.mean(axis=-1) for surface in findings.surfaces.values()]
    assert meshes[0].get_clim() == pytest.approx((100 * np.min(means), 100 * np.max(means)))
    np.testing.assert_allclose(
        meshes[0].get_array(), 100 * findings.surfaces["infonce"].values.mean(axis=-1).T
    )
    assert [text.split("\n")[0] for text in texts(figure)] == [
        f"{value:.1f}" for value in meshes[0].get_array().ravel()
    ]
    assert [ax.get_title() for ax in figure.axes[:3]] == ["InfoNCE", "DHEL", "KCL"]


def test_cells_tell_half_the_width_of_their_interval(findings: StudyAnalysis) -> None:
    _, low, high = student_interval(100 * findings.surfaces["infonce"].values)
    halves = ((high - low) / 2).T.ravel()
    assert [text.split("\n")[1] for text in texts(metric_surfaces(findings))] == [
        f"±{half:.1f}" for half in halves
    ]


@pytest.mark.parametrize(
    ("panels", "grid"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3)), (7, (3, 3))]
)
def test_panels_fill_their_rows_evenly(panels: int, grid: tuple[int, int]) -> None:
    assert panel_grid(panels) == grid


def test_heat_map_axes_show_the_grid_and_units(findings: StudyAnalysis) -> None:
    ax = metric_surfaces(findings).axes[2]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["16", "64", "256"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0.25", "0.707", "2", "5.66", "16"]
    assert ax.get_xlabel() == "batch size, pairs"
    assert ax.get_ylabel() == "kernel scale t"
    assert not ax.yaxis_inverted()  # large values are on top


def test_failures_are_hatched_and_gaps_are_marked(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records, ["infonce-16-0-0", "infonce-16-0-1", "infonce-64-1-0"])
    records = records[~records["config_id"].isin(["infonce-256-4"])]
    figure = metric_surfaces(analyse(planned, records, info))
    assert sorted(hatched(figure)) == [(0, 0, 1.0, 1.0), (1, 1, 0.5, 0.18)]
    written = texts(figure)
    assert written.count("diverged") == written.count("not run") == 1
    assert sum(text.endswith("\n1 failed") for text in written) == 1
    assert np.ma.getmaskarray(figure.axes[0].collections[0].get_array()).sum() == 2


def test_narrow_cells_have_short_texts(study: Study) -> None:
    _, _, info = study
    planned = synthetic.plan(info.arms, batch_sizes=(8, 16, 32, 64, 128))
    hill = synthetic.hill(peak=0.9, at=0.3, width=9.0)
    records = synthetic.run(planned, {arm.label: hill for arm in info.arms})
    records = synthetic.fail(records, ["infonce-8-0-0", "infonce-8-0-1", "infonce-16-0-0"])
    records = records[records["config_id"] != "infonce-32-0"]
    written = texts(metric_surfaces(analyse(planned, records, info)))
    assert written.count("✕") == written.count("–") == 1
    assert sum(text.endswith("*") for text in written) == 1


def test_the_tuned_cell_has_a_frame(findings: StudyAnalysis) -> None:
    frames = [patch for patch in metric_surfaces(findings).axes[0].patches if not patch.get_fill()]
    column, row = divmod(findings.summaries["infonce"].tuned.at, 5)
    assert {(round(frame.get_x()), round(frame.get_y())) for frame in frames} == {(column, row)}


def test_curves_are_the_means_at_the_tuned_value(findings: StudyAnalysis) -> None:
    ax = batch_size_figure(findings).axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    row = findings.summaries["dhel"].tuned.at % 5
    expected = 100 * findings.surfaces["dhel"].values[:, row].mean(axis=-1)
    name = next(label for label in lines if label.startswith("DHEL"))
    np.testing.assert_allclose(lines[name].get_ydata(), expected)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["16", "64", "256"]


def test_many_seeds_are_some_dots_with_both_ends() -> None:
    values = np.random.default_rng(0).uniform(size=(2, 3 * MOST_DOTS))
    values[1, 5:] = np.nan
    found = fewer_dots(values)
    assert found.shape == (2, MOST_DOTS)
    assert (found[0].min(), found[0].max()) == (values[0].min(), values[0].max())
    assert set(found[0]) <= set(values[0])
    assert len(set(found[0])) == MOST_DOTS
    assert set(found[1]) == set(values[1, :5])
    np.testing.assert_array_equal(fewer_dots(values[:, :MOST_DOTS]), values[:, :MOST_DOTS])


def test_main_axes_of_other_kind_have_panels_of_their_own(findings: StudyAnalysis) -> None:
    figure = main_axis_figure(findings)
    assert len(figure.axes) == 6
    drawn = [set(ax.get_legend_handles_labels()[1]) for ax in figure.axes]
    assert drawn == [{"InfoNCE", "DHEL"}] * 3 + [{"KCL"}] * 3
    assert figure.axes[3].get_xlabel() == "kernel scale t"


def test_temperature_rises_to_the_right_and_upwards_in_every_panel(study: Study) -> None:
    planned, records, info = study
    meanings = {"hp_t": Meaning(larger_acts_as="lower temperature"), "hp_temperature": TEMPERATURE}
    arms = [
        dataclasses.replace(arm, axes=(arm.x, dataclasses.replace(arm.main, meaning=meanings[arm.main_axis])))
        for arm in info.arms
    ]
    found = analyse(planned, records, info.with_arms(tuple(arms)))
    figure, place = main_axis_figure(found), [arm.main_axis for arm in arms].index("hp_t")
    assert figure is not None
    spans = [np.diff(ax.get_xlim())[0] > 0 for ax in figure.axes]
    assert spans == [True] * 3 + [False] * 3
    maps = metric_surfaces(found)
    assert maps is not None
    kernel, surface = maps.axes[place], found.surfaces[arms[place].label]
    assert [float(text.get_text()) for text in kernel.get_yticklabels()] == pytest.approx(
        surface.y[::-1], rel=1e-2
    )
    drawn = kernel.collections[0].get_array()
    np.testing.assert_allclose(drawn, 100 * surface.values.mean(axis=-1).T[::-1])
    frame = next(patch for patch in kernel.patches if not patch.get_fill())
    column, row = np.unravel_index(found.summaries[arms[place].label].tuned.at, surface.values.shape[:2])
    assert (int(frame.get_x()), int(frame.get_y())) == (column, len(surface.y) - 1 - row)


def test_temperature_rises_upwards_among_drawn_points(study: Study) -> None:
    planned, records, info = study
    arms = [
        dataclasses.replace(
            arm,
            axes=(arm.x, dataclasses.replace(arm.main, meaning=Meaning(larger_acts_as="lower temperature"))),
        )
        for arm in info.arms
    ]
    figure = places_figure(analyse(planned, records, info.with_arms(tuple(arms), drawn=True, adaptive=True)))
    assert figure is not None
    low, high = figure.axes[0].get_ylim()
    assert low > high


def test_many_long_names_fit_into_the_legends() -> None:
    """A split study has dozens of arms; a legend that leaves no room for panels is a warning, so an error."""
    names = [f"KCL ({kernel}), gamma {gamma}, momentum 0.9" for kernel in "abcd" for gamma in range(9)]
    arms = [synthetic.arm_info(name) for name in names]
    planned = synthetic.plan(arms, seeds=(0,), batch_sizes=(16, 64), values=(0.1, 0.5))
    hill = synthetic.hill(peak=0.9, at=0.3, width=9.0)
    findings = analyse(
        planned, synthetic.run(planned, dict.fromkeys(names, hill)), synthetic.study_info(arms, seeds=(0,))
    )
    for build in (batch_size_figure, main_axis_figure):
        figure = build(findings)
        figure.draw_without_rendering()
        box, width = figure.legends[0].get_window_extent(), figure.bbox
        assert width.x0 <= box.x0 <= box.x1 <= width.x1
        assert width.y0 <= box.y0 <= box.y1 <= width.y1


def test_a_failed_seed_is_a_cross_on_its_curve(study: Study) -> None:
    planned, records, info = study
    figure = main_axis_figure(analyse(planned, synthetic.fail(records, ["kcl-64-3-0"]), info))
    crosses = [[len(line.get_xdata()) for line in ax.lines if line.get_marker() == "x"] for ax in figure.axes]
    assert [sum(counts) for counts in crosses] == [0, 0, 0, 0, 1, 0]


def test_dots_carry_their_intervals(findings: StudyAnalysis) -> None:
    ax = tuned_figure(findings).axes[0]
    ends = [path.vertices[:, 0].tolist() for collection in ax.collections for path in collection.get_paths()]
    estimates = [item.tuned.estimate for item in findings.summaries.values()]
    np.testing.assert_allclose(ends, [[100 * item.low, 100 * item.high] for item in estimates])
    assert ax.get_xlabel().endswith(", %")


def test_robustness_shows_every_score(findings: StudyAnalysis) -> None:
    figure = robustness_figure(findings)
    lines = {line.get_label(): line.get_xdata() for line in figure.axes[0].lines}
    summaries = findings.summaries.values()
    drawn = [lines["average over the ranges"], lines["worst tenth of the ranges"]]
    drawn.append([patch.get_width() for patch in figure.axes[1].patches])
    scores = [(item.mean.value, item.worst.value, item.tolerance.value) for item in summaries]
    np.testing.assert_allclose(drawn, 100 * np.array(scores).T)


def test_an_arm_that_never_finished_has_no_mark(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records, list(records.loc[records["hp_t"].notna(), "trial_id"]))
    findings = analyse(planned, records, info)
    for line in robustness_figure(findings).axes[0].lines:
        assert np.isfinite(line.get_xdata()).tolist() == [True, True, False]
    assert tuned_figure(findings).axes[0].get_xlim()[0] > 50


def test_no_effective_rank_no_figure(study: Study) -> None:
    planned, records, info = study
    assert rank_surfaces(analyse(planned, records.drop(columns="z_effective_rank"), info)) is None


def test_looks_differ_beyond_the_palette() -> None:
    with figure_style():
        assert len({(look.color, look.marker, look.line) for look in map(arm_look, range(30))}) == 30
