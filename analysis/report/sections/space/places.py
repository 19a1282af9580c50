"""The sections on the metric over the space: surfaces, lines along each axis, effective rank."""

import dataclasses
from functools import partial

from analysis.report.sections.content import Content, ShownFigure
from analysis.report.sections.space.curves_figure import MOST_DOTS, batch_size_figure, main_axis_figure
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

_LINE = (
    "Line: mean over the finished seeds; dots: single seeds; bar: their range; cross at the bottom: a seed "
    "failed."
)
_FEWER = (
    f" Of more than {MOST_DOTS} seeds at a configuration, {MOST_DOTS} are dots: the lowest, the highest, and others "
    "evenly between them in the order of their values."
)


def surfaces_section(findings: StudyAnalysis) -> Content | None:
    """One heat map for each loss with a grid; None where no loss has one."""
    metric = findings.info.metric
    title = f"{opened(metric.noun)} over the space"
    if not findings.surfaces:
        return None
    figure = ShownFigure(
        build=partial(metric_surfaces, findings),
        data="cells",
        caption=f"{opened(metric.reported)}, mean over the finished seeds, and where there is room half "
        f"the width of its {100 * LEVEL:.0f} % interval over them; all losses on one colour scale. "
        f"Frame: the configuration that {metric.chooser} on all seeds chooses; the tuned score is cross-fitted, "
        "so it may differ from this cell. Hatched grey: failed trials, a full cell where all seeds "
        "failed. They are left out of the means drawn here, and count as the worst outcome in every score and in the "
        "difference maps. White: not run. A star or a count: not all seeds entered.",
    )
    widths = ShownFigure(
        build=partial(width_surfaces, findings),
        data="cells",
        caption=f"How sure each mean is: half the width of its {100 * LEVEL:.0f} % interval over the finished seeds "
        "(Student), all losses on one colour scale. –: fewer than two seeds finished.",
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
        caption=f"{opened(metric.reported)} at every configuration, mean over the finished seeds; all losses "
        f"on one colour scale. Ring: the configuration that {metric.chooser} on all seeds chooses. Orange cross: "
        "every seed that ended failed; white cross: some did. Hollow dot: not run. Intervals over seeds "
        f"({100 * LEVEL:.0f} %, Student) stand in the data.{further}",
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
    findings = dataclasses.replace(findings, cells=numeric)
    if not findings.surfaces:
        return Content(title=title, lead=note)
    line = _LINE + (_FEWER if any(len(cells.seeds) > MOST_DOTS for cells in numeric.values()) else "")
    by_x = ShownFigure(
        build=partial(batch_size_figure, findings),
        data="cells",
        caption=f"{opened(metric.reported)} by {x}, each loss at the main-axis value of its tuned "
        f"configuration (after its name). {line} Losses are set slightly apart sideways.",
    )
    kernels = any(arm.main_axis == "hp_t" for arm in findings.info.arms)
    apart = (
        " Temperature and kernel scale are not commensurate, hence separate rows: on the unit sphere a "
        "Gaussian kernel exp(−t d²) is exp(u·v / T) up to a factor, with T = 1 / (2t), so small t "
        "corresponds to large temperature."
    )
    by_main = ShownFigure(
        build=partial(main_axis_figure, findings),
        data="cells",
        caption=f"{opened(metric.reported)} by the main axis, one column for each value of {x} (of "
        f"more than four, four are shown). {line}{apart if kernels else ''}",
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
        caption=f"Effective rank of the {'test ' if findings.info.metric.held_out else ''}embeddings "
        f"(column {column}): over how many dimensions they "
        f"spread, mean over the finished seeds. Below {COLLAPSE_RANK:g} a trial counts as "
        f"collapsed. Frame: the configuration tuned on {findings.info.metric.chooser}.",
    )
    return Content(title="Effective rank", figures={"effective_rank": figure})
