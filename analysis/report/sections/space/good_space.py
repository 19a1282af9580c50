"""The section on how much of the space is good: tolerance volumes and the performance profile."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.compared_curves import curve_look, curves_shown, curves_words
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, share_cell, table
from analysis.report.sections.space.scores import tolerance_words
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.profile import Profile, profile
from analysis.statistics.scores.tolerance import tolerance_volume
from analysis.study_analysis import StudyAnalysis
from analysis.wording import wrapped

_THRESHOLDS = 200


def good_space_section(findings: StudyAnalysis) -> Content | None:
    """Shares of the space near each loss's best and near the best of all losses, and the whole profile."""
    if not findings.any_finished or findings.adaptive:
        return None
    profiles = {label: _profile(findings, label) for label in findings.cells}
    volumes = {label: _volumes(findings, label) for label in findings.cells}
    eps, level = tolerance_words(findings), f"{100 * LEVEL:.0f} %"
    columns = [
        ("Loss", TEXT),
        f"Within {eps} of its own best, % of the ranges",
        f"Within {eps} of the best of all losses, % of the ranges",
    ]
    return Content(
        title="How much of the ranges is good",
        tables=(table(columns, [_row(findings, label, volumes[label]) for label in volumes]),),
        figures={
            "profiles": ShownFigure(
                build=partial(_figure, findings, profiles, TWO_COLUMNS),
                column=partial(_figure, findings, profiles, ONE_COLUMN),
                data="profiles",
                caption="The share of the ranges whose mean over seeds is at least as good as the threshold: the "
                f"higher the curve, the more robust. Band: {level}, for all thresholds together, from 5 seeds on."
                f"{curves_words(findings)}",
            )
        },
        data={"profiles": _profiles_table(profiles), "good_space": _volumes_table(volumes)},
    )


def _thresholds(findings: StudyAnalysis) -> np.ndarray:
    known = np.concatenate([cells.test.ravel() for cells in findings.cells.values()])
    known = known[np.isfinite(known)]
    return np.linspace(known.min(), known.max(), _THRESHOLDS)


def _profile(findings: StudyAnalysis, label: str) -> Profile:
    cells = findings.cells[label]
    note = findings.summaries[label].provisional
    return profile(cells.test, cells.weights, _thresholds(findings), note=note)


def _volumes(findings: StudyAnalysis, label: str) -> dict[str, Estimate]:
    cells = findings.cells[label]
    alive = np.any(cells.finished, axis=-1)
    note = findings.summaries[label].provisional
    same_seeds = all(np.array_equal(other.seeds, cells.seeds) for other in findings.cells.values())
    rivals = [other.test for name, other in findings.cells.items() if name != label]
    pool = np.concatenate(rivals) if rivals and same_seeds else None
    volume = partial(
        tolerance_volume, cells.test, cells.weights, eps=findings.info.tolerance, alive=alive, note=note
    )
    return {
        "own": volume(),
        "global": volume(rivals=pool)
        if same_seeds
        else Estimate(value=float("nan"), note="losses ran on different seeds"),
    }


def _row(findings: StudyAnalysis, label: str, volumes: dict[str, Estimate]) -> list[Cell | str]:
    return [findings.info.arm(label).name, *(share_cell(estimate) for estimate in volumes.values())]


def _figure(findings: StudyAnalysis, profiles: dict[str, Profile], width: float) -> Figure:
    metric = findings.info.metric
    names, shown = arm_names(findings.info), curves_shown(findings)
    curves = [
        BandCurve(
            label=wrapped(names[label]),
            look=curve_look(findings, label),
            at=metric.sign * metric.factor * item.thresholds,
            value=100 * item.share,
            low=100 * item.low,
            high=100 * item.high,
            steps=True,
        )
        for label, item in profiles.items()
        if label in shown
    ]
    figure = band_figure(
        curves,
        x_label=f"threshold: {metric.axis_label}",
        y_label="share of the ranges at least as good, %",
        width=width,
    )
    if not metric.higher_is_better:
        figure.axes[0].invert_xaxis()
    return figure


def _profiles_table(profiles: dict[str, Profile]) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "arm": label,
                    "threshold": item.thresholds,
                    "share": item.share,
                    "low": item.low,
                    "high": item.high,
                }
            )
            for label, item in profiles.items()
        ],
        ignore_index=True,
    )


def _volumes_table(volumes: dict[str, dict[str, Estimate]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"arm": label}
            | {k: v for name, each in items.items() for k, v in estimate_columns(name, each).items()}
            for label, items in volumes.items()
        ]
    )
