"""The section on tuning: the expected best of n configurations, trials to parity, gaps to no tuning."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.sections.compared_curves import curve_look, curves_shown, curves_words
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, table
from analysis.report.sections.tuning.tuning_gaps import BUDGET, gaps_by_budget, gaps_shown, gaps_table
from analysis.statistics.intervals.student import LEVEL
from analysis.statistics.scores.tuning import Parity, TuningCurve, trials_to_parity, tuning_curve
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, Scale, wrapped

#: Largest number of trials of the curves.
_MOST = 64


def tuning_section(findings: StudyAnalysis) -> Content | None:
    """Tuning curves of all losses, and how many trials each needs to match the reference's default."""
    if not findings.any_finished or findings.adaptive:
        return None
    curves = {label: _curve(findings, label) for label in findings.cells}
    reference, level = findings.info.reference_arm, f"{100 * LEVEL:.0f} %"
    parity = {label: _parity(findings, label, curve) for label, curve in curves.items()}
    gaps = gaps_by_budget(findings)
    columns = [
        ("Loss", TEXT),
        *(f"Best of {n}" for n in _SHOWN),
        f"Trials to match {reference.name}'s default",
    ]
    return Content(
        title="What tuning costs and gains",
        lead=f"Expected score of the configuration that {findings.info.metric.chooser} picks among n random ones, "
        "trained anew on other seeds. A curve that is high at the left needs little tuning.",
        tables=(
            table(columns, [_row(findings, label, curves[label], parity[label]) for label in curves]),
            gaps_shown(findings, gaps[BUDGET]),
        ),
        figures={
            "tuning_curves": ShownFigure(
                build=partial(_figure, findings, curves),
                data="tuning_curves",
                caption=f"Expected best of n random configurations. Band: {level} over seeds, for all n together."
                f"{curves_words(findings)}",
            )
        },
        data={"tuning_curves": _table(curves), "tuning_gaps": gaps_table(gaps)},
    )


#: Numbers of trials in the table.
_SHOWN = (1, 4, 16)


def _curve(findings: StudyAnalysis, label: str) -> TuningCurve:
    cells = findings.cells[label]
    return tuning_curve(
        cells.test,
        cells.validation,
        cells.weights,
        np.arange(1, _MOST + 1),
        rng=np.random.default_rng(0),
        drawn=cells.drawn,
        bounds=cells.metric.score_bounds,
    )


def _parity(findings: StudyAnalysis, label: str, curve: TuningCurve) -> Parity | None:
    """Trials until the curve reaches the reference's default score; None where the seeds differ."""
    default = findings.summaries[findings.info.reference_arm.label].default
    if not np.array_equal(default.seeds, findings.cells[label].seeds):
        return None
    note = "" if np.isfinite(curve.low).any() else curve.note
    return trials_to_parity(curve.by_seed, default.scores, curve.trials, note=note)


def _row(findings: StudyAnalysis, label: str, curve: TuningCurve, parity: Parity | None) -> list[Cell | str]:
    scale = Scale(findings.info.metric)
    scores = []
    for n in _SHOWN:
        at = int(np.searchsorted(curve.trials, n))
        ends = [scale.value(curve.low[at]), scale.value(curve.high[at])]
        below = f"[{', '.join(ends)}]" if np.isfinite(curve.low[at]) else curve.note
        scores.append(
            Cell(text=scale.value(curve.mean[at]), below=below, sort=scale.metric.shown(curve.mean[at]))
        )
    return [findings.info.arm(label).name, *scores, _parity_cell(parity)]


def _parity_cell(parity: Parity | None) -> Cell:
    if parity is None or np.isnan(parity.trials):
        return Cell(text=NONE, below=parity.note if parity else "different seeds")
    below = f"[{_trials(parity.low, parity.most)}, {_trials(parity.high, parity.most)}]"
    known = np.isfinite([parity.low]).all()
    return Cell(
        text=_trials(parity.trials, parity.most), below=below if known else parity.note, sort=parity.trials
    )


def _trials(number: float, most: int) -> str:
    return f"{number:.0f}" if np.isfinite(number) else f"over {most}"


def _figure(findings: StudyAnalysis, curves: dict[str, TuningCurve]) -> Figure:
    metric = findings.info.metric
    factor = metric.sign * metric.factor
    names, shown = arm_names(findings.info), curves_shown(findings)
    drawn = [
        BandCurve(
            label=wrapped(names[label]),
            look=curve_look(findings, label),
            at=curve.trials,
            value=factor * curve.mean,
            low=factor * curve.band_low,
            high=factor * curve.band_high,
        )
        for label, curve in curves.items()
        if label in shown
    ]
    x_label = "random configurations tried, n"
    figure = band_figure(drawn, x_label=x_label, y_label=f"expected {metric.axis_label}", log=True)
    ticks = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= _MOST]
    figure.axes[0].set_xticks(ticks, map(str, ticks), minor=False)
    figure.axes[0].minorticks_off()
    return figure


def _table(curves: dict[str, TuningCurve]) -> pd.DataFrame:
    names = ("trials", "mean", "low", "high", "band_low", "band_high")
    return pd.concat(
        [
            pd.DataFrame(
                {"arm": label, **{name: getattr(curve, name) for name in names}, "seeds": curve.seeds}
            )
            for label, curve in curves.items()
        ],
        ignore_index=True,
    )
