"""Figures draw names literally: every character or its code, all entries of legends, and nothing too long."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.names import columns, visible
from analysis.report.plots import fonts
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.plots.draw import draw_figures
from analysis.report.plots.figure_text import LONGEST_NAME, figure_names, finish_texts
from analysis.report.plots.heatmap import HeatmapData, draw_heatmap
from analysis.report.plots.style import arm_look, figure_style, new_figure
from analysis.report.sections.content import ShownFigure
from analysis.wording import number, wrapped
from tests.analysis.hostile import NAMES


@pytest.fixture(autouse=True)
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results do not depend on the fonts of the machine."""
    monkeypatch.setattr(fonts, "installed_families", lambda: ())


def joined(text: str) -> str:
    return re.sub(r"\s", "", text)


def legend_figure() -> Figure:
    names = figure_names(NAMES)
    one = np.array([0.5])
    return band_figure(
        [
            BandCurve(label=wrapped(names[name]), look=arm_look(i), at=one, value=one, low=one, high=one)
            for i, name in enumerate(NAMES)
        ],
        x_label="$x$_" + "very long " * 30,
        y_label="é" * 300,
    )


def heat_map_figure() -> Figure:
    figure = new_figure(4)
    values = np.arange(3.0 * len(NAMES)).reshape(-1, 3)
    data = HeatmapData(
        title="$t$",
        x_label="_x",
        y_label="{y}",
        x_ticks=NAMES[:3],
        y_ticks=[number(name) for name in NAMES],
        values=values,
        texts=values.astype(str).astype(object),
        failed=np.zeros(values.shape),
    )
    draw_heatmap(figure.subplots(), data, low=0, high=9, text_size=6)
    return figure


def test_every_name_is_in_the_legend_and_different() -> None:
    with figure_style():
        figure = legend_figure()
        finish_texts(figure)
        texts = figure.legends[0].get_texts()
    names = figure_names(NAMES)
    assert [joined(text.get_text()) for text in texts] == [joined(names[name]) for name in NAMES]
    assert not any(text.get_parse_math() for text in texts)
    assert len({text.get_text() for text in texts}) == len(NAMES)
    unchanged = [name for name in NAMES if name.isascii() and name.isprintable() and len(name) < LONGEST_NAME]
    assert len(unchanged) > 15
    assert all(names[name] == name for name in unchanged)
    assert names["数据 集"] == "\\u6570\\u636e \\u96c6"
    assert names["esc\x1b[31m\x07"] == "esc\\x1b[31m\\x07"


def test_labels_of_axes_are_cut_to_their_place() -> None:
    with figure_style():
        figure = legend_figure()
        finish_texts(figure)
    ax = figure.axes[0]
    assert ax.get_xlabel().startswith("$x$_very long")
    for text in (ax.get_xlabel(), ax.get_ylabel()):
        assert "…" in text
        assert columns(text) < 200
        assert text.count("\n") < 3


def test_ticks_show_their_values() -> None:
    with figure_style():
        figure = heat_map_figure()
        finish_texts(figure)
        ax = figure.axes[0]
        shown = [label.get_text() for label in ax.get_yticklabels()]
    assert len(set(shown)) == len(NAMES)
    short = [name for name in NAMES if name.isascii() and name.isprintable() and len(name) < 30]
    assert [text for text in shown if text in NAMES and text.isascii()] == short
    assert all(columns(line) <= 34 for text in shown for line in text.split("\n"))


def test_powers_of_ten_need_no_mathematics() -> None:
    with figure_style():
        figure = new_figure(3)
        ax = figure.subplots()
        ax.set(xscale="log", yscale="log", xlim=(1e-4, 1e2), ylim=(2, 8))
        finish_texts(figure)
        figure.draw_without_rendering()
        texts = [label.get_text() for label in ax.get_xticklabels()]
        small = [label.get_text() for label in ax.get_yticklabels(minor=True) if label.get_text()]
    assert {"10⁻³", "10⁰", "10²"} <= set(texts)
    assert "3×10⁰" in [text.replace(" ", "") for text in small]


def test_all_is_drawn_without_a_warning() -> None:
    figures = {
        "legend": ShownFigure(build=legend_figure, caption=""),
        "map": ShownFigure(build=heat_map_figure, caption=""),
    }
    drawn = draw_figures(figures)
    svg = drawn["legend"].svg.decode()
    for name in ("$$", "_hidden", "{{7*7}}{%x%}{0}", "[red]r[/red] :smile:", "..", "=1+1", "A", "a"):
        assert f"<!-- {name} -->" in svg
    assert "<b>" not in re.sub("<!--.*?-->", "", svg)


def test_an_installed_font_stands_in_where_it_has_the_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fonts are those of matplotlib, so that the test is the same on every machine."""
    lacks = {"数", "据"}
    other = "DejaVu Serif"
    own = fonts._characters
    monkeypatch.setattr(fonts, "installed_families", lambda: (other,))
    monkeypatch.setattr(fonts, "_characters", lambda name: own(name) | ({"数"} if name == other else set()))
    assert fonts.families_for(lacks) == (fonts.FAMILY, other)
    assert fonts.families_for("abc") == (fonts.FAMILY,)
    assert fonts.drawable("数据") == "数\\u636e"
    assert fonts.without_font("数据a") == {"据"}
    with figure_style():
        figure = new_figure(2)
        figure.subplots().set(title="数")
        finish_texts(figure)
    titles = [text for text in figure.findobj(Text) if text.get_text() == "数"]
    assert [text.get_fontfamily() for text in titles] == [[fonts.FAMILY, other]]
    assert visible("数") == "数"
