"""The section on sensitivity: how much a loss needs tuning on each data set, and in how many hyperparameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.data_sets import DataSetsAnalysis
from analysis.model.aligned import Aligned
from analysis.report.plots.figure_text import figure_names
from analysis.report.plots.style import arm_look
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, bracket, number_cell, table
from analysis.report.sections.hyperparameters.plane_figure import PlanePoint, plane_figure
from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread
from analysis.statistics.sensitivity.data_sets import (
    NEAR_PEAK,
    Dimensionality,
    Sensitivity,
    effective_dimensionality,
    hyperparameter_sensitivity,
    normalised,
    percentile_scale,
)
from analysis.wording import NONE, listing, wrapped

_FORM = ".2f"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Results for one loss over the configurations that its data sets share."""

    aligned: Aligned
    sensitivity: Sensitivity
    #: None where those configurations are not a grid, nothing varies, or no seed is shared.
    dimensionality: Dimensionality | None


def sensitivity_section(environments: DataSetsAnalysis) -> Content:
    """Hyperparameter sensitivity and effective dimensionality after Adkins et al., with data sets as environments."""
    found, title = tuning_needs(environments), "How much a loss wants tuning on each data set"
    if not found:
        return Content(title=title, lead="No loss was tried over the same axes on more than one data set.")
    level = f"{100 * LEVEL:.0f} %"
    columns = [
        ("Loss", TEXT),
        "Tuned on each data set",
        "One configuration for all",
        "Sensitivity",
        "Hyperparameters to tune on each",
        ("Which", TEXT),
        "Data sets",
        "Configurations compared",
    ]
    return Content(
        title=title,
        lead="Scores of each data set are put on one scale: 0 is the 5th percentile of the configurations of all "
        "losses there, 1 the 95th. Sensitivity is what a loss gains by tuning on each data set over the one "
        "configuration that is best on average. The number of hyperparameters to tune on each is the least that "
        f"reaches {100 * NEAR_PEAK:.0f} % of the score tuned on each (Adkins, Bowling and White, NeurIPS 2024, with "
        "data sets as environments). Configurations are selected by the validation of "
        f"one seed and scored on another. Intervals: {level}, over seeds; data sets are taken as given.",
        sentences=_sentences(environments, found),
        tables=(table(columns, [_row(environments, label, item) for label, item in found.items()]),),
        figures={
            "sensitivity": ShownFigure(
                build=partial(_figure, environments, found),
                data="sensitivity",
                caption="Score tuned on each data set over sensitivity, both on the normalised scale: higher is "
                f"better, further left wants less tuning. Bars: {level} interval over seeds.",
            )
        },
        data={"sensitivity": pd.DataFrame([_columns(label, item) for label, item in found.items()])},
    )


def tuning_needs(environments: DataSetsAnalysis) -> dict[str, Needs]:
    """By label, for uncut arms of which several data sets share at least two configurations."""
    scales, found = _scales(environments), {}
    for label, names in environments.losses.items():
        aligned = environments.aligned(label)
        if aligned is not None and len(aligned.codes) > 1:
            found[label] = _needs(aligned, np.stack([scales[name] for name in names]))
    return found


def _scales(environments: DataSetsAnalysis) -> dict[str, np.ndarray]:
    """Percentiles `(2,)` of the mean scores of all losses' cells, by data set."""
    scales = {}
    for name, findings in environments.findings.items():
        means = np.concatenate([mean_and_spread(cells.test)[0] for cells in findings.wholes.values()])
        scales[name] = percentile_scale(means[None, :, None])[0]
    return scales


def _needs(aligned: Aligned, scale: np.ndarray) -> Needs:
    test, validation = normalised(aligned.test, scale), normalised(aligned.validation, scale)
    varying = [axis for axis in aligned.axes if len(axis.values) > 1]
    dimensionality = None
    if aligned.shape is not None and varying and len(aligned.seeds):
        shape = (len(test), *(len(axis.values) for axis in varying), len(aligned.seeds))
        dimensionality = effective_dimensionality(
            test.reshape(shape), validation.reshape(shape), note=aligned.note
        )
    return Needs(
        aligned=aligned,
        sensitivity=hyperparameter_sensitivity(test, validation, note=aligned.note),
        dimensionality=dimensionality,
    )


def _sentences(environments: DataSetsAnalysis, found: Mapping[str, Needs]) -> tuple[str, ...]:
    """The losses by sensitivity, the least sensitive first."""
    known = [label for label, item in found.items() if np.isfinite(item.sensitivity.sensitivity.value)]
    if not known:
        return ("No loss has its sensitivity yet.",)
    ranked = sorted(known, key=lambda label: found[label].sensitivity.sensitivity.value)
    told = [
        f"{environments.name_of(label)} {_words(found[label].sensitivity.sensitivity)}" for label in ranked
    ]
    return (f"Gain from tuning on each data set, on the normalised scale: {', '.join(told)}.",)


def _words(estimate: Estimate) -> str:
    cell = _cell(estimate)
    return f"{cell.text} {cell.below}" if estimate.has_interval else cell.text


def _cell(estimate: Estimate) -> Cell:
    return number_cell(estimate.value, _FORM, below=bracket(estimate, _FORM))


def _row(environments: DataSetsAnalysis, label: str, item: Needs) -> list[Cell | str]:
    shared, left_out = len(item.aligned.codes), item.aligned.left_out
    return [
        environments.name_of(label),
        _cell(item.sensitivity.each),
        _cell(item.sensitivity.across),
        _cell(item.sensitivity.sensitivity),
        *_dimension_cells(item),
        Cell(text=str(len(item.aligned.environments)), sort=len(item.aligned.environments)),
        Cell(text=str(shared), below=f"{left_out} not shared" if left_out else "", sort=shared),
    ]


def _dimension_cells(item: Needs) -> list[Cell]:
    found, varying = item.dimensionality, [axis for axis in item.aligned.axes if len(axis.values) > 1]
    if found is None or found.value is None:
        why = "no trials" if found is not None else item.aligned.note or "no grid"
        return [Cell(text=NONE, below=why), Cell(text=NONE)]
    others = sorted({value for value in found.left_out if value is not None})
    ends = " to ".join(str(value) for value in dict.fromkeys((others[0], others[-1]))) if others else ""
    below = f"with a seed less: {ends}" if ends else ""
    names = listing([varying[place].info.words for place in found.axes])
    return [
        Cell(
            text=f"{found.value} of {len(varying)}",
            below=below,
            sort=found.value,
        ),
        Cell(text=names or "none"),
    ]


def _columns(label: str, item: Needs) -> dict[str, object]:
    found = item.dimensionality
    curve = found.curve if found is not None else ()
    return {
        "arm": label,
        **estimate_columns("tuned_on_each", item.sensitivity.each),
        **estimate_columns("one_for_all", item.sensitivity.across),
        **estimate_columns("sensitivity", item.sensitivity.sensitivity),
        "dimensionality": None if found is None else found.value,
        **{f"score_with_{size}_tuned": estimate.value for size, estimate in enumerate(curve)},
        "data_sets": len(item.aligned.environments),
        "configurations": len(item.aligned.codes),
        "configurations_not_shared": item.aligned.left_out,
    }


def _figure(environments: DataSetsAnalysis, found: Mapping[str, Needs]) -> Figure | None:
    names = figure_names(map(environments.name_of, found))
    points = [
        PlanePoint(
            label=wrapped(names[environments.name_of(label)]),
            look=arm_look(index),
            x=item.sensitivity.sensitivity,
            y=item.sensitivity.each,
        )
        for index, (label, item) in enumerate(found.items())
    ]
    return plane_figure(
        points,
        x_label="sensitivity: gain from tuning on each data set, normalised score",
        y_label="tuned on each data set, normalised score",
    )
