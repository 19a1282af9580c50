"""The sections on the metric over the space: surfaces, lines along each axis, effective rank."""

from functools import partial

from analysis.model.metric import Metric
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS
from analysis.report.sections.compared_curves import curves_words
from analysis.report.sections.content import Content, ShownFigure
from analysis.report.sections.space.curves_figure import (
    MOST_DOTS,
    batch_size_figure,
    main_axis_figure,
    numeric_surfaces,
)
from analysis.report.sections.space.orientation import orientation_words
from analysis.report.sections.space.scatter_figure import places_figure, without_surface
from analysis.report.sections.space.surfaces_figure import (
    ROOMY,
    metric_surfaces,
    rank_surfaces,
    width_surfaces,
)
from analysis.statistics.intervals.student import LEVEL
from analysis.statistics.scores.robustness import COLLAPSE_RANK
from analysis.study_analysis import StudyAnalysis
from analysis.wording import listing, opened

_LINE = "Line: mean over seeds; dots: seeds; bar: their range; cross: a seed failed."
_FEWER = f" Of more than {MOST_DOTS} seeds, {MOST_DOTS} are drawn."


def _marked(metric: Metric) -> str:
    """The configuration that figures mark."""
    return "the default" if metric.no_choice else f"the configuration that {metric.chooser} chooses"


def surfaces_section(findings: StudyAnalysis) -> Content | None:
    """One heat map for each loss with a grid; None where no loss has one."""
    metric = findings.info.metric
    title = "Where does each loss work?"
    if not findings.surfaces:
        return None
    figure = ShownFigure(
        build=partial(metric_surfaces, findings, width=TWO_COLUMNS),
        column=partial(metric_surfaces, findings, width=ONE_COLUMN),
        data="cells",
        caption=f"{opened(metric.reported)}, mean over seeds, ± half the width of its {100 * LEVEL:.0f} % "
        f"interval. Frame: {_marked(metric)}. Hatched: failed trials, which count as "
        "the worst outcome in every score and are left out here. White: not run. Star or count: trials are left out."
        f"{orientation_words(findings)}",
    )
    widths = ShownFigure(
        build=partial(width_surfaces, findings),
        data="cells",
        caption=f"Half the width of the {100 * LEVEL:.0f} % interval of each mean over seeds. –: fewer than two "
        "seeds.",
    )
    crowded = any(len(surface.x) > ROOMY for surface in findings.surfaces.values())
    return Content(
        title=title, figures={"surfaces": figure, **({"surface_widths": widths} if crowded else {})}
    )


def places_section(findings: StudyAnalysis) -> Content | None:
    """One scatter plot for each loss whose configurations are not a grid of two axes; None without such losses."""
    shown = without_surface(findings)
    if not shown:
        return None
    metric = findings.info.metric
    more = sorted({axis.info.words for cells in shown.values() for axis in cells.axes[2:]})
    further = f" What else varies ({', '.join(more)}) is not drawn; it stands in the data." if more else ""
    figure = ShownFigure(
        build=partial(places_figure, findings),
        data="cells",
        caption=f"{opened(metric.reported)} at every configuration, mean over seeds. Ring: {_marked(metric)}. "
        f"Orange cross: every seed failed; white cross: some did. Hollow: not "
        f"run.{further}{orientation_words(findings)}",
    )
    return Content(title=f"{opened(metric.noun)} at every configuration", figures={"places": figure})


def curves_section(findings: StudyAnalysis) -> Content | None:
    """The metric by batch size and by the main axis; None where no loss has a grid."""
    if not findings.surfaces:
        return None
    metric, x = findings.info.metric, findings.info.x.words
    title = f"{opened(metric.noun)} along each axis"
    if not findings.any_finished:
        return Content(title=title, lead="No trial has ended with a score.")
    numeric = {
        label: cells for label, cells in findings.cells.items() if all(a.numeric for a in cells.axes[:2])
    }
    without = [findings.info.arm(label).name for label in findings.surfaces if label not in numeric]
    note = (
        f"No lines for {listing(without)}: an axis has categories, which have no distances."
        if without
        else ""
    )
    if not numeric_surfaces(findings):
        return Content(title=title, lead=note)
    line = _LINE + (_FEWER if any(len(cells.seeds) > MOST_DOTS for cells in numeric.values()) else "")
    by_x = ShownFigure(
        build=partial(batch_size_figure, findings),
        data="cells",
        caption=f"{opened(metric.reported)} by {x}, each loss at its {'default' if metric.no_choice else 'tuned'} "
        f"{findings.info.main_words}. {line}"
        f"{curves_words(findings)}",
    )
    mains = {(arm.main_axis, *arm.main.meaning.same_as): arm.main for arm in findings.info.arms}
    laws = [
        axis.meaning.formula(axis.bare)
        for axis in mains.values()
        if axis.meaning.law not in (None, (1.0, 1.0))
    ]
    apart = ""
    if laws:
        apart += f" Equivalent temperature, up to a factor of the loss: {listing(laws)}."
    apart += orientation_words(findings, "to the right")
    by_main = ShownFigure(
        build=partial(main_axis_figure, findings),
        data="cells",
        caption=f"{opened(metric.reported)} by {findings.info.main_words}, one column for each of at most four "
        f"values of {x}.{apart}{curves_words(findings)}",
    )
    return Content(
        title=title,
        sentences=(note,) if note else (),
        figures={"by_batch_size": by_x, "by_main_axis": by_main},
    )


def rank_section(findings: StudyAnalysis) -> Content | None:
    """Effective rank over the space; None where no loss has a grid, and for imported tables without the metric."""
    if not findings.surfaces:
        return None
    column = findings.info.rank_metric
    if not findings.surfaces_of(column):
        if findings.info.imported:  # imported tables rarely have one, so the report does not mention it
            return None
        return Content(title="Effective rank", lead="No trial has an effective rank.")
    figure = ShownFigure(
        build=partial(rank_surfaces, findings),
        data="cells",
        caption=f"Over how many dimensions the {'test ' if findings.info.metric.on_test else ''}embeddings spread "
        f"(column {column}), mean over seeds. Below {COLLAPSE_RANK:g} a trial counts as collapsed.",
    )
    return Content(title="Effective rank", figures={"effective_rank": figure})
