"""Every figure of a report, drawn once and saved in two formats."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from analysis.figures.curves import batch_size_figure, main_axis_figure
from analysis.figures.scores import robustness_figure, tuned_figure
from analysis.figures.surfaces import accuracy_surfaces, rank_surfaces
from analysis.findings import Findings
from analysis.plots.style import figure_style

#: Builders by the figure's file name; one gives None where the findings hold nothing to draw.
FIGURES: dict[str, Callable[[Findings], Figure | None]] = {
    "tuned_accuracy": tuned_figure,
    "robustness": robustness_figure,
    "accuracy_surfaces": accuracy_surfaces,
    "accuracy_by_batch_size": batch_size_figure,
    "accuracy_by_main_axis": main_axis_figure,
    "effective_rank_surfaces": rank_surfaces,
}


@dataclass(frozen=True, kw_only=True)
class DrawnFigure:
    """One figure as files."""

    png: bytes
    svg: bytes


def draw_figures(findings: Findings) -> dict[str, DrawnFigure]:
    """Every figure that the findings allow, by name."""
    with figure_style():
        built = {name: build(findings) for name, build in FIGURES.items()}
        return {name: _save(figure) for name, figure in built.items() if figure is not None}


def _save(figure: Figure) -> DrawnFigure:
    """Both formats from one solved layout, each drawn once; `savefig` would do either twice."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    png, svg = io.BytesIO(), io.StringIO()
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
    return DrawnFigure(png=png.getvalue(), svg=svg.getvalue().encode())
