"""The section on differences: where in the space the ranking holds, and what is decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.model.pairing import NoPairs, Pairs, pair_cells
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, share_cell, table
from analysis.report.sections.space.differences_figure import DifferenceMap, difference_maps
from analysis.report.sections.space.orientation import orientation_words
from analysis.statistics.comparisons.differences import DifferenceSurface, difference_surface
from analysis.statistics.comparisons.improvement import probability_of_improvement
from analysis.statistics.intervals.student import STATED, Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import listing, percent

_HINT = "A mapping file can declare equivalent temperatures, such as temperatures = { t = [0.5, -1] } for T = 1/(2t)."


@dataclass(frozen=True, kw_only=True)
class Rivalry:
    """One arm against the reference, over the places that both have."""

    pairs: Pairs
    surface: DifferenceSurface  # of the pairs
    improvement: Estimate


def differences_section(findings: StudyAnalysis) -> Content | None:
    """Difference maps against the reference, with the share of the space where the ranking is reversed."""
    if findings.adaptive or findings.info.draws:
        return None
    found = _rivalries(findings)
    rivalries = {label: item for label, item in found.items() if isinstance(item, Rivalry)}
    apart = tuple(
        f"No map of {findings.info.arm(label).name}: {item.reason}."
        for label, item in found.items()
        if isinstance(item, NoPairs)
    )
    if not found or not findings.any_finished:
        return None
    if findings.info.imported and apart:
        apart = (*apart, _HINT)
    title = f"Where losses differ from {findings.info.reference_arm.name}"
    if not rivalries:
        return Content(title=title, sentences=apart)
    reference = findings.info.reference_arm.name
    maps = partial(difference_maps, findings, _maps(findings, rivalries))
    columns = [
        ("Loss", TEXT),
        "Better in, % of the ranges",
        "Worse in, % of the ranges",
        "Reversed in, % of the ranges",
        "One run beats one run, %",
    ]
    return Content(
        title=title,
        lead=f"Each loss minus {reference} at the same place, by seed.{_pairing_words(findings, rivalries)} Better "
        "and worse: places with a significant difference, corrected for their number. Reversed: the difference has "
        f"the opposite sign of the overall one. Intervals: {STATED}.",
        sentences=apart,
        tables=(table(columns, [_row(findings, label, item) for label, item in rivalries.items()]),),
        figures={
            "difference_maps": ShownFigure(
                build=partial(maps, width=TWO_COLUMNS),
                column=partial(maps, width=ONE_COLUMN),
                data="differences",
                caption=f"Difference to {reference}, mean over seeds, in {findings.info.metric.difference_unit}: "
                "blue better, red worse. Dot: significant after correction. Failed trials count as the worst "
                f"outcome. Grey: no such place, or a trial is missing.{orientation_words(findings)}",
            )
        },
        data={
            "differences": _all_cells(findings, rivalries),
            "differences_by_loss": pd.DataFrame([_shares(label, item) for label, item in rivalries.items()]),
        },
    )


def _rivalries(findings: StudyAnalysis) -> dict[str, Rivalry | NoPairs]:
    """Every arm but the reference and the repeats of null controls, against the reference, where both are grids."""
    reference = findings.info.reference_arm.label
    if findings.cells[reference].shape is None:
        return {}
    apart = {reference, *findings.info.repeats}
    return {
        label: _rivalry(findings, label)
        for label, cells in findings.cells.items()
        if label not in apart and cells.shape is not None
    }


def _rivalry(findings: StudyAnalysis, label: str) -> Rivalry | NoPairs:
    """One arm against the reference over the places of both, or why there are none."""
    reference = findings.info.reference_arm.label
    pairs = pair_places(findings.cells[label], findings.cells[reference])
    if isinstance(pairs, NoPairs):
        return pairs
    own, other = findings.cells[label], findings.cells[reference]
    weights = (own.weights[pairs.own] + other.weights[pairs.other]) / 2
    test = own.test[pairs.own], other.test[pairs.other]
    failed = (own.failed[pairs.own] | other.failed[pairs.other]).any(axis=-1)
    complete = findings.summaries[label].complete and findings.summaries[reference].complete
    note = "" if complete else "trials missing"
    return Rivalry(
        pairs=pairs,
        surface=difference_surface(*test, weights, failed=failed, note=note),
        improvement=probability_of_improvement(*test, weights, note=note),
    )


def pair_places(own: Cells, other: Cells) -> Pairs | NoPairs:
    """The places of both losses (`analysis.model.pairing`), where both have the same seeds."""
    if not np.array_equal(own.seeds, other.seeds):
        return NoPairs(reason="it ran on other seeds")
    return pair_cells(own, other)


def _pairing_words(findings: StudyAnalysis, rivalries: Mapping[str, Rivalry]) -> str:
    """How places are paired where it is not by equal values, and how many are; "" where it is and all are."""
    told: dict[str, list[str]] = {}
    for label, item in rivalries.items():
        pairs, cells = item.pairs, findings.cells[label]
        whose = f"’s {pairs.rule}" if pairs.rule else ""
        gap = f", at most {percent(pairs.apart)} % apart" if pairs.apart else ""
        most = max(len(cells.codes), len(findings.cells[findings.info.reference_arm.label].codes))
        few = f" ({len(pairs.own)} of {most} places)" if len(pairs.own) < most else ""
        if whose or gap or few:
            told.setdefault(f"{whose or ' is paired by temperature'}{gap}{few}", []).append(
                findings.info.arm(label).name
            )
    return "".join(f" {listing(names)}{words}." for words, names in told.items())


def _maps(findings: StudyAnalysis, rivalries: Mapping[str, Rivalry]) -> dict[str, DifferenceMap]:
    """The maps of arms over their own grids of two axes."""
    found = {}
    for label, item in rivalries.items():
        cells = findings.cells[label]
        surface, count = item.surface, len(cells.codes)
        found[label] = DifferenceMap(
            mean=item.pairs.spread(surface.mean, count),
            marked=item.pairs.spread(surface.better | surface.worse, count, empty=False),
        )
    return found


def _row(findings: StudyAnalysis, label: str, item: Rivalry) -> list[Cell | str]:
    surface = item.surface
    return [
        findings.info.arm(label).name,
        Cell(text=percent(surface.share_better), sort=surface.share_better),
        Cell(text=percent(surface.share_worse), sort=surface.share_worse),
        share_cell(surface.share_reversed),
        share_cell(item.improvement),
    ]


def _all_cells(findings: StudyAnalysis, rivalries: Mapping[str, Rivalry]) -> pd.DataFrame:
    return pd.concat([_cells_table(findings, label, item) for label, item in rivalries.items()])


def _cells_table(findings: StudyAnalysis, label: str, item: Rivalry) -> pd.DataFrame:
    cells, surface, at = findings.cells[label], item.surface, item.pairs.own
    other = findings.cells[findings.info.reference_arm.label]
    places = {axis.info.bare: cells.values(axis.name)[at] for axis in cells.axes[:1]}
    return pd.DataFrame(
        {
            "arm": label,
            "reference": findings.info.reference_arm.label,
            **places,
            "main_axis_value": cells.values(cells.axes[1].name)[at],
            "reference_main_axis_value": other.values(other.axes[1].name)[item.pairs.other],
            "difference": surface.mean,
            "low": surface.low,
            "high": surface.high,
            "p": surface.p,
            "p_adjusted": surface.p_adjusted,
        }
    )


def _shares(label: str, item: Rivalry) -> dict[str, object]:
    return {
        "arm": label,
        "share_better": item.surface.share_better,
        "share_worse": item.surface.share_worse,
        **estimate_columns("share_reversed", item.surface.share_reversed),
        **estimate_columns("probability_of_improvement", item.improvement),
    }
