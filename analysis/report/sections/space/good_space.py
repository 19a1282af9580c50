"""The section on how much of the space is good: tolerance volumes and the performance profile."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.plots.style import arm_look
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, share_cell, table
from analysis.report.sections.space.scores import tolerance_words
from analysis.statistics.intervals.student import LEVEL, STATED, Estimate
from analysis.statistics.scores.profile import Profile, profile, profile_area
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
        "Area under the profile",
        f"Within {eps} of its own best, % of the space",
        f"Within {eps} of the best of all losses, % of the space",
    ]
    return Content(
        title="How much of the space is good",
        lead="A robust loss scores well in much of its space, not only at its best. The area under the "
        f"profile is the profile's mean over all thresholds {_ends_words(findings)}. Intervals: {STATED}; "
        "conservative where they rest on simultaneous intervals of all configurations.",
        tables=(table(columns, [_row(findings, label, volumes[label]) for label in volumes]),),
        figures={
            "profiles": ShownFigure(
                build=partial(_figure, findings, profiles),
                data="profiles",
                caption="Profile over the space: the share of configurations whose mean over seeds is at "
                f"least as good as the threshold. Higher is more robust. Band: {level}, for all "
                "thresholds together, from 5 seeds on; conservative.",
            )
        },
        data={"profiles": _profiles_table(profiles), "good_space": _volumes_table(volumes)},
    )


def _thresholds(findings: StudyAnalysis) -> np.ndarray:
    known = np.concatenate([cells.test.ravel() for cells in findings.cells.values()])
    known = known[np.isfinite(known)]
    return np.linspace(known.min(), known.max(), _THRESHOLDS)


def _area_ends(findings: StudyAnalysis) -> tuple[float, float]:
    """Thresholds between which the area is computed: the metric's bounds, and the extreme scores for infinite ones.

    With a bounded metric, one extreme trial of a loss does not change the area of another loss.
    """
    bounds, observed = findings.info.metric.score_bounds, _thresholds(findings)[[0, -1]]
    low, high = (b if np.isfinite(b) else float(o) for b, o in zip(bounds, observed, strict=True))
    return low, high


def _ends_words(findings: StudyAnalysis) -> str:
    metric = findings.info.metric
    if not np.isfinite(metric.bounds).all():
        return "that occur in any loss, so that a score far out moves the area of every loss"
    low, high = (f"{metric.factor * bound:g}" for bound in metric.bounds)
    unit = f" {metric.unit}" if metric.unit else ""
    return f"from {low} to {high}{unit}, the metric's bounds: the average on that scale"


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
    low, high = _area_ends(findings)
    area = profile_area(cells.test, cells.weights, low=low, high=high, note=note)
    return {
        "area": area,
        "own": volume(),
        "global": volume(rivals=pool)
        if same_seeds
        else Estimate(value=float("nan"), note="losses ran on different seeds"),
    }


def _row(findings: StudyAnalysis, label: str, volumes: dict[str, Estimate]) -> list[Cell | str]:
    return [findings.info.arm(label).name, *(share_cell(estimate) for estimate in volumes.values())]


def _figure(findings: StudyAnalysis, profiles: dict[str, Profile]) -> Figure:
    metric = findings.info.metric
    names = arm_names(findings.info)
    curves = [
        BandCurve(
            label=wrapped(names[label]),
            look=arm_look(index),
            at=metric.sign * metric.factor * item.thresholds,
            value=100 * item.share,
            low=100 * item.low,
            high=100 * item.high,
            steps=True,
        )
        for index, (label, item) in enumerate(profiles.items())
    ]
    figure = band_figure(
        curves, x_label=f"threshold: {metric.axis_label}", y_label="share of the space at least as good, %"
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
