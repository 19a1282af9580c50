"""The section on hyperparameters: importance and tunability."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.model.info import AxisInfo
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import (
    TEXT,
    Content,
    ShownTable,
    gap_cell,
    number_cell,
    share_cell,
    table,
)
from analysis.statistics.intervals.student import STATED
from analysis.statistics.scores.choice import default_cell
from analysis.statistics.sensitivity.importance import (
    LEAST_SEEDS,
    Importances,
    given_importances,
    grid_importances,
)
from analysis.statistics.sensitivity.tunability import Tunability, tunability
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing

_NONE_YET = f"No importances yet: they need {LEAST_SEEDS} seeds that know every configuration."


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """Importances of the axes of one uncut arm and, on a grid, the value of tuning each."""

    axes: tuple[AxisInfo, ...]  # those with more than one value
    importances: Importances
    tunability: Tunability | None


def hyperparameters_section(findings: StudyAnalysis) -> Content | None:
    """Importances and gains by loss and hyperparameter."""
    if not findings.any_finished or findings.adaptive:
        return None
    found = {label: item for label in findings.wholes if (item := _meaning(findings, label)) is not None}
    if not found:
        return None
    rows = [row for item in found.values() for row in item.importances.rows]
    methods = dict.fromkeys(item.importances.method for item in found.values())
    gain = " Gain: what tuning it alone adds to the default."
    told = any(np.isfinite([row.main.value, row.optuna]).any() for row in rows)
    return Content(
        title="Which hyperparameter matters",
        lead="Importance: the share of the variance between configurations that a hyperparameter explains, with its "
        "interactions, without the seeds' noise. Most important: how often, when seeds are drawn again."
        f"{'' if findings.info.metric.no_choice else gain} Method: {listing(list(methods))}. Intervals: {STATED}.",
        sentences=() if told else (_NONE_YET,),
        tables=(*([_importance_table(findings, found)] if told else []), *_tunability_table(findings, found)),
        data={"hyperparameters": pd.DataFrame(_rows(found))},
    )


def _meaning(findings: StudyAnalysis, label: str) -> Meaning | None:
    cells = findings.wholes[label]
    varying = [place for place, axis in enumerate(cells.axes) if len(axis.values) > 1]
    if not varying or not cells.finished.any():
        return None
    names = [cells.axes[place].info.words for place in varying]
    rng = np.random.default_rng(0)
    optuna = findings.optuna_importances.get(label)
    if cells.shape is None:
        points = np.stack([_coordinate(cells, place) for place in varying], axis=1)
        importances = given_importances(points, cells.test, names, rng=rng, optuna=optuna)
    else:
        weights = [cells.axes[place].weights for place in varying]
        shape = (*(len(cells.axes[place].values) for place in varying), len(cells.seeds))
        importances = grid_importances(cells.test.reshape(shape), weights, names, rng=rng, optuna=optuna)
    return Meaning(
        axes=tuple(cells.axes[place].info for place in varying),
        importances=importances,
        tunability=_tunability(findings, cells, varying),
    )


def _coordinate(cells: Cells, place: int) -> np.ndarray:
    """Numbers `(C,)` of an axis; categories by their codes."""
    axis = cells.axes[place]
    return cells.values(axis.name) if axis.numeric else cells.codes[:, place].astype(float)


def _tunability(findings: StudyAnalysis, cells: Cells, varying: list[int]) -> Tunability | None:
    if cells.shape is None or findings.info.metric.no_choice:
        return None
    shape = (*(cells.shape[place] for place in varying), len(cells.seeds))
    default = [int(cells.codes[default_cell(cells), place]) for place in varying]
    known = np.isfinite(cells.test[cells.weights > 0]).all()
    note = "" if known else "provisional"
    test, validation = cells.test.reshape(shape), cells.validation.reshape(shape)
    return tunability(
        test, validation, default, span=findings.info.metric.span, step=findings.info.metric.step, note=note
    )


def _importance_table(findings: StudyAnalysis, found: dict[str, Meaning]) -> ShownTable:
    rows = []
    for label, item in found.items():
        for row in item.importances.rows:
            rows.append(
                [
                    findings.whole_name(label),
                    row.name,
                    share_cell(row.main if row.total is None else row.total),
                    number_cell(100 * row.first, ".0f"),
                    number_cell(100 * row.optuna, ".0f"),
                ]
            )
    columns = [
        ("Loss", TEXT),
        ("Hyperparameter", TEXT),
        "Importance, %",
        "Most important in, % of draws",
        "Optuna's, %",
    ]
    return table(columns, rows, title="Importance")


def _tunability_table(findings: StudyAnalysis, found: dict[str, Meaning]) -> list[ShownTable]:
    scale, rows = Scale(findings.info.metric), []
    for label, item in found.items():
        if item.tunability is None:
            continue
        name = findings.whole_name(label)
        for info, axis in zip(item.axes, item.tunability.axes, strict=True):
            rows.append([name, info.words, gap_cell(axis.gain, scale)])
    columns = [("Loss", TEXT), ("Hyperparameter", TEXT), f"Gain, {findings.info.metric.difference_unit}"]
    return [table(columns, rows, title="Gain of tuning it")] if rows else []


def _rows(found: dict[str, Meaning]) -> list[dict[str, object]]:
    rows = []
    for label, item in found.items():
        axes = item.tunability.axes if item.tunability else (None,) * len(item.axes)
        for row, axis in zip(item.importances.rows, axes, strict=True):
            told: dict[str, object] = {
                "arm": label,
                "hyperparameter": row.name,
                "method": item.importances.method,
            }
            told |= estimate_columns("main", row.main) | {"first": row.first, "optuna": row.optuna}
            told |= estimate_columns("total", row.total) if row.total else {}
            if axis:
                told |= estimate_columns("gain", axis.gain)
            rows.append(told)
    return rows
