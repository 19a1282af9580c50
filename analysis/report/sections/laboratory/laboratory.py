"""The sections on sphere trials: how near they come to the optimum, and the cost of choosing batches."""

from functools import partial

from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, table
from analysis.report.sections.laboratory.laboratory_figure import (
    gap_curves_figure,
    gram_figure,
    gram_matrices,
    selection_gain,
    selection_gain_figure,
)
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, opened


def optima_section(findings: StudyAnalysis) -> Content | None:
    """Gap curves and Gram matrices; None for a study whose trials kept neither."""
    figures = {}
    if "optimum_gap" in findings.curves and findings.curves["optimum_gap"].notna().any():
        figures["gap_curves"] = ShownFigure(
            build=partial(gap_curves_figure, findings),
            data="gap_curves",
            caption="Full-batch loss less the known optimum over the pairs seen and looked at, on log axes: median "
            "over trials and their range; of each method and loss the longest trials. Gaps below 1e-16 are "
            "drawn there.",
        )
    if gram_matrices(findings):
        figures["gram"] = ShownFigure(
            build=partial(gram_figure, findings),
            caption="Inner products of the two views at the end of training, beside the ideal: first seed, longest "
            "budget, the largest problem whose ideal is the simplex.",
        )
    if not figures:
        return None
    data = {"gap_curves": findings.curves} if "gap_curves" in figures else {}
    return Content(title="How near the optimum", figures=figures, data=data)


def selection_section(findings: StudyAnalysis) -> Content | None:
    """Costs and gains of choosing batches; None where all trials choose in the same way."""
    if findings.table["hp_selection"].nunique() < 2 or not findings.any_finished:
        return None
    metric = findings.info.metric
    gains = selection_gain(findings.table, metric.reporting_column)
    by_method = gains.groupby("hp_selection", sort=False)
    rows = [
        [
            name,
            str(len(own)),
            _number(own[metric.reporting_column].median() * metric.factor),
            _number((own["seconds_selection"] / own["seconds_pretrain"]).median() * 100),
            _number(own["seconds_pretrain"].median()),
        ]
        for name, own in by_method
    ]
    columns = [
        ("Batches", TEXT),
        "Problems and budgets",
        f"{opened(metric.axis_label)}, median",
        "Choosing, % of training time",
        "Training a trial, s, median",
    ]
    return Content(
        title="What choosing batches costs and brings",
        lead="Methods met different problems and budgets: compare them within the rows of the data table, where "
        "problem and budget are equal.",
        tables=(table(columns, rows),),
        figures={
            "selection_gain": ShownFigure(
                build=partial(selection_gain_figure, findings),
                data="selection_gain",
                caption="Outcome over the seconds that a trial trained, choosing batches included: medians over "
                "seeds, one point a method, problem and budget.",
            )
        },
        data={"selection_gain": gains},
    )


def _number(value: float) -> Cell:
    return Cell(text=f"{value:.2g}" if value == value else NONE, sort=float(value))
