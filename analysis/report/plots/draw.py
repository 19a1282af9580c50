"""Draws figures once and saves them in every format."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from analysis.report.plots.figure_text import finish_texts
from analysis.report.plots.style import figure_style, paper_style
from analysis.report.sections.content import ShownFigure

#: Ends the name of a figure for one column of a paper.
COLUMN = "_column"


@dataclass(frozen=True, kw_only=True)
class DrawnFigure:
    """One figure as files."""

    png: bytes
    svg: bytes
    pdf: bytes


def draw_figures(figures: Mapping[str, ShownFigure]) -> dict[str, DrawnFigure]:
    """Every figure that is not empty, by name. Figures for papers are drawn twice: `NAME` and `NAME_column`."""
    with figure_style():
        built: dict[str, Figure | None] = {}
        for name, shown in figures.items():
            if shown.column is None:
                built[name] = shown.build()
                continue
            with paper_style():
                built |= {name: shown.build(), f"{name}{COLUMN}": shown.column()}
        drawn = {name: figure for name, figure in built.items() if figure is not None}
        for figure in drawn.values():
            finish_texts(figure)
        return {name: _save(figure) for name, figure in drawn.items()}


def _save(figure: Figure) -> DrawnFigure:
    """The figure in all formats with one computed layout; `savefig` would compute it for each format."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    png, svg, pdf = io.BytesIO(), io.StringIO(), io.BytesIO()
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
    FigureCanvasPdf(figure).print_pdf(pdf, metadata={"Creator": None, "Producer": None, "CreationDate": None})
    return DrawnFigure(png=png.getvalue(), svg=svg.getvalue().encode(), pdf=pdf.getvalue())
