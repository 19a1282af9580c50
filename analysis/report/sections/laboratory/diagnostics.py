"""The section of diagnostic trials on fixed points: bias and variance by batch size, precision, uniformity."""

from functools import partial

import pandas as pd

from analysis.report.sections.content import Content, ShownFigure
from analysis.report.sections.laboratory.diagnostics_figure import (
    batch_intervals,
    bias_figure,
    defects_figure,
    deviations,
    precision_figure,
    variance_figure,
)
from analysis.statistics.intervals.student import LEVEL
from analysis.study_analysis import StudyAnalysis

#: Columns of a record that only diagnostic trials have.
DIAGNOSTIC_COLUMNS = frozenset(
    {
        "loss_population", "loss_mean", "loss_mean_error", "loss_shift_ratio",
        "gradient_bias", "gradient_bias_ratio", "gradient_variance",
        "effective_samples", "signal", "gradient_error_float32", "gradient_error_bfloat16",
        "gradient_error_float16", "silent_float32", "silent_bfloat16", "silent_float16",
    }
)  # fmt: skip


_INTERVALS = f"Vertical lines: {100 * LEVEL:.0f} % intervals over seeds (Student), each for itself."


def diagnostics_section(findings: StudyAnalysis) -> Content | None:
    """The figures for the quantity that a diagnostic study measures; None for other studies."""
    measures = set(findings.table["hp_measure"].dropna()) if "hp_measure" in findings.table else set()
    if not findings.any_finished or len(measures) != 1:
        return None
    return _MEASURES[measures.pop()](findings)


def _batches(findings: StudyAnalysis) -> Content:
    return Content(
        title="Bias and variance by batch size",
        figures={
            "batch_bias": ShownFigure(
                build=partial(bias_figure, findings),
                data="batch_intervals",
                caption="Mean gradient of batches of M off the population's. Above: over its length, noise taken "
                "off, 0 where the distance is within noise. Below: its square over what noise alone makes; 1 without "
                "bias. "
                f"{_INTERVALS}",
            ),
            "batch_variance": ShownFigure(
                build=partial(variance_figure, findings),
                data="batch_intervals",
                caption="Variance of one batch's gradient over the population's squared length; below the line at 1 "
                "there is more signal than noise. Dotted: a U-statistic's, set at the least and the largest M. "
                f"{_INTERVALS}",
            ),
        },
        data={"diagnostics": _measured(findings), "batch_intervals": batch_intervals(findings)},
    )


def _precision(findings: StudyAnalysis) -> Content:
    figure = ShownFigure(
        build=partial(precision_figure, findings),
        data="diagnostics",
        caption="Relative error of the gradient of plain formulas, and NT-Xent's signal, by temperature; all batch "
        "sizes. An error that is not a number is not drawn.",
    )
    return Content(
        title="The gradient in low precision",
        figures={"precision": figure},
        data={"diagnostics": _measured(findings)},
    )


def _points(findings: StudyAnalysis) -> Content:
    figure = ShownFigure(
        build=partial(defects_figure, findings),
        data="deviations",
        caption="How far each measure is off its mean over uniform points, in standard deviations over their seeds; "
        "above the dashed line at 5 it sees the defect.",
    )
    return Content(
        title="Which measure sees which defect",
        figures={"defects": figure},
        data={"deviations": deviations(findings.table).reset_index()},
    )


def _measured(findings: StudyAnalysis) -> pd.DataFrame:
    """The hyperparameters of each trial and what it measured."""
    table = findings.table.dropna(axis=1, how="all")
    columns = DIAGNOSTIC_COLUMNS.intersection(table)
    return table[
        ["arm", "seed", *(name for name in map(str, table) if name.startswith("hp_") or name in columns)]
    ]


_MEASURES = {"batches": _batches, "precision": _precision, "points": _points}
