"""The sections on configurations tuned elsewhere: at another batch size or budget, for another loss or data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.data_sets import DataSetsAnalysis
from analysis.model.aligned import Aligned, align_along, align_cells, same_axes
from analysis.model.cells import Cells
from analysis.model.metric import Metric
from analysis.names import file_names
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, bracket, number_cell, table
from analysis.report.sections.tuning.transfer_figure import Matrix, transfer_figure
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.sensitivity.transfer import TransferRegret, transfer_regret
from analysis.study_analysis import StudyAnalysis

#: Axes, besides the x axis, along which a configuration is transferred: a short budget may tune for a long one.
_BUDGETS = ("hp_epochs", "hp_steps", "hp_samples")
_METHOD = (
    "Both are selected by one seed's validation and scored on another seed. Intervals: {level}, over "
    "pairs of seeds."
)


@dataclass(frozen=True, kw_only=True)
class Regrets:
    """The regret matrix of one loss, or of the losses with one main axis, over environments of one kind."""

    kind: str  # the kind of environment, such as "batch size"
    of: str  # the loss or losses of the configurations
    aligned: Aligned
    found: TransferRegret


def transfer_section(findings: StudyAnalysis) -> Content | None:
    """Regrets between batch sizes, budgets and losses with the same axes; None where there are none of these."""
    if not findings.any_finished or findings.adaptive:
        return None
    items = [*_along_axes(findings), *_across_losses(findings)]
    if not items:
        return None
    return _content(
        "Using a configuration tuned elsewhere",
        "Regret: the score of the configuration that is tuned where it is used, minus that of one tuned elsewhere.",
        items,
        findings.info.metric,
    )


def data_transfer_section(environments: DataSetsAnalysis) -> Content:
    """Regrets between data sets, by loss."""
    title = "Using a configuration tuned on other data"
    metric, items = environments.info.metric, []
    for label in environments.losses:
        aligned = environments.aligned(label)
        if aligned is not None:
            items.append(_regrets("data set", environments.name_of(label), aligned, metric))
    if not items:
        return Content(title=title, lead="No loss was tried over the same axes on more than one data set.")
    lead = "Regret: what a loss loses on one data set at the configuration that was tuned on another one."
    return _content(title, f"{lead} {_left_out(items)}".strip(), items, metric)


def _along_axes(findings: StudyAnalysis) -> list[Regrets]:
    items = []
    for label, cells in findings.wholes.items():
        for place, axis in enumerate(cells.axes):
            told = place == 0 or axis.name in _BUDGETS
            if told and cells.shape is not None and len(axis.values) > 1:
                aligned = align_along(cells, axis.name)
                name = findings.whole_name(label)
                items.append(_regrets(axis.info.words, name, aligned, findings.info.metric))
    return [item for item in items if len(item.aligned.codes) > 1]


def _across_losses(findings: StudyAnalysis) -> list[Regrets]:
    """One matrix for each group of losses with the same axes, such as those with a temperature."""
    groups: dict[frozenset[tuple[object, ...]], dict[str, Cells]] = {}
    for label, cells in findings.wholes.items():
        groups.setdefault(same_axes(cells), {})[label] = cells
    items = []
    for parts in groups.values():
        aligned = align_cells({findings.whole_name(label): cells for label, cells in parts.items()})
        if len(parts) > 1 and len(aligned.codes) > 1:
            main = next(iter(parts.values())).axes[1].info.words
            items.append(_regrets("loss", f"losses with {main}", aligned, findings.info.metric))
    return items


def _regrets(kind: str, of: str, aligned: Aligned, metric: Metric) -> Regrets:
    found = transfer_regret(
        aligned.test, aligned.validation, span=metric.span, step=metric.step, note=aligned.note
    )
    return Regrets(kind=kind, of=of, aligned=aligned, found=found)


def _content(title: str, lead: str, items: Sequence[Regrets], metric: Metric) -> Content:
    kinds = list(dict.fromkeys(item.kind for item in items))
    names = {kind: f"transfer_{name}" for kind, name in file_names(kinds).items()}
    of = {kind: [item for item in items if item.kind == kind] for kind in kinds}
    level = f"{100 * LEVEL:.0f} %"
    return Content(
        title=title,
        lead=f"{lead} {_METHOD.format(level=level)}",
        tables=tuple(
            table(_columns(kind, metric), [_row(item, metric) for item in of[kind]], title=_title(kind))
            for kind in kinds
        ),
        figures={
            names[kind]: ShownFigure(
                build=partial(_figure, of[kind], metric),
                data=names[kind],
                caption=f"Tuned for the {kind} of the row, used for that of the column. Intervals ({level}): in "
                "the data.",
            )
            for kind in kinds
        },
        data={names[kind]: pd.concat([_pairs(item) for item in of[kind]]) for kind in kinds},
    )


def _title(kind: str) -> str:
    return f"From one {kind} to another"


def _columns(kind: str, metric: Metric) -> list[str | tuple[str, str]]:
    unit = metric.difference_unit
    whose = "Losses" if kind == "loss" else "Loss"
    return [
        (whose, TEXT),
        f"Regret over all pairs, {unit}",
    ]


def _row(item: Regrets, metric: Metric) -> list[Cell | str]:
    return [item.of, _regret_cell(item.found.mean, metric)]


def _regret_cell(estimate: Estimate, metric: Metric) -> Cell:
    form = f".{metric.digits}f"
    scaled = Estimate(
        value=metric.factor * estimate.value,
        low=metric.factor * estimate.low,
        high=metric.factor * estimate.high,
        note=estimate.note,
    )
    return number_cell(scaled.value, form, below=bracket(scaled, form))


def _left_out(items: Sequence[Regrets]) -> str:
    """Which losses lack configurations on some data set."""
    told = [
        f"{item.of} {len(item.aligned.codes)} of {len(item.aligned.codes) + item.aligned.left_out}"
        for item in items
        if item.aligned.left_out
    ]
    return f"Only configurations that every data set has are used: {', '.join(told)}." if told else ""


def _figure(items: Sequence[Regrets], metric: Metric) -> Figure | None:
    return transfer_figure(
        [
            Matrix(title=item.of, names=item.aligned.environments, values=metric.factor * item.found.value)
            for item in items
        ],
        kind=items[0].kind,
        unit=metric.difference_unit,
        digits=metric.digits,
    )


def _pairs(item: Regrets) -> pd.DataFrame:
    names = np.array(item.aligned.environments, dtype=object)
    count = len(names)
    return pd.DataFrame(
        {
            "arm": item.of,
            "tuned_at": np.repeat(names, count),
            "used_at": np.tile(names, count),
            "regret": item.found.value.ravel(),
            "low": item.found.low.ravel(),
            "high": item.found.high.ravel(),
            "seeds": item.found.seeds,
            "configurations": len(item.aligned.codes),
        }
    )
