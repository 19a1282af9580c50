"""The section on stability: how scores change with the range and measure of the main axis, and the winner's curse."""

import math

import numpy as np
import pandas as pd

from analysis.report.sections.content import (
    TEXT,
    Cell,
    Content,
    ShownTable,
    gap_cell,
    number_cell,
    score_cell,
    table,
)
from analysis.statistics.intervals.student import STATED, mean_and_spread
from analysis.statistics.scores.robustness import TAIL, worst_case
from analysis.statistics.scores.tolerance import known_cells, tolerance_volume
from analysis.statistics.scores.winners_curse import winners_curse
from analysis.statistics.sensitivity.range_stability import (
    Headline,
    RangeStability,
    range_stability,
    range_variants,
)
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, Scale, listing, percent


def stability_section(findings: StudyAnalysis) -> Content | None:
    """Headline scores under other ranges, shifts and measures of the main axis, and the winner's curse."""
    if not findings.any_finished or findings.adaptive:
        return None
    headlines = _headlines(findings)
    found = {label: _variants(findings, label, headlines) for label in findings.surfaces}
    without = [findings.info.arm(label).name for label, item in found.items() if not item]
    found = {label: item for label, item in found.items() if item}
    scale = Scale(findings.info.metric)
    rows = [
        [
            findings.info.arm(label).name,
            name,
            *(_shown(value, name, scale) for value in (item.declared, item.lowest, item.highest)),
        ]
        for label, items in found.items()
        for name, item in items.items()
    ]
    columns = [("Loss", TEXT), ("Score", TEXT), "As declared", "Lowest", "Highest"]
    why = "trials are missing, or the main axis is none of several numbers"
    note = f"Not for {listing(without)}: {why}." if without else ""
    tables = (
        [table(columns, rows, title="Other ranges and measures of the main axis", note=note)] if rows else []
    )
    return Content(
        title="How much hangs on choices",
        lead="Temperature and kernel scale are not commensurate, so where a loss's range begins and ends "
        "is a choice. Each score is computed again with the main axis cut to its lower, middle and "
        "upper half, shortened by one step at either end, and weighed by the other measures. A score "
        "that moves much says little of the loss. The range is one over choices, not over chance. "
        f"Intervals of the winner's curse: {STATED}.",
        sentences=(note,) if note and not rows else (),
        tables=(*tables, _curse(findings)),
        data={"range_stability": pd.DataFrame(_rows(found))},
    )


def _headlines(findings: StudyAnalysis) -> dict[str, Headline]:
    bounds, eps = findings.info.metric.score_bounds, findings.info.tolerance

    def mean(scores: np.ndarray, weights: np.ndarray) -> float:
        known, shares = known_cells(scores, weights)
        return float(mean_and_spread(scores[known])[0] @ shares) if known.any() else math.nan

    return {
        "average": mean,
        f"worst {100 * TAIL:.0f} %": lambda scores, weights: worst_case(scores, weights, bounds=bounds).value,
        "near own best, %": lambda scores, weights: tolerance_volume(scores, weights, eps=eps).value,
    }


def _variants(
    findings: StudyAnalysis, label: str, headlines: dict[str, Headline]
) -> dict[str, RangeStability]:
    cells = findings.cells[label]
    axis = cells.axes[1]
    # with gaps, parts of the grid have scores over different seeds, and the declared scores differ from those above
    if not axis.numeric or len(axis.values) < 2 or not np.isfinite(cells.test).all():
        return {}
    variants, weights = range_variants(axis.values, axis.info.measure), [each.weights for each in cells.axes]
    scores = cells.on_grid(cells.test)
    return {
        name: range_stability(headline, scores, weights, 1, variants) for name, headline in headlines.items()
    }


def _shown(value: float, name: str, scale: Scale) -> Cell:
    text = percent(value) if name.endswith(", %") else scale.value(value)
    return Cell(text=text, sort=value)


def _curse(findings: StudyAnalysis) -> ShownTable:
    scale, rows = Scale(findings.info.metric), []
    for label, cells in findings.cells.items():
        name, gaps = findings.info.arm(label).name, findings.summaries[label].gaps
        if gaps:  # the best would be one of the few complete cells
            rows.append([name, *(Cell(text=NONE, below=gaps) for _ in range(3))])
            continue
        found = winners_curse(cells.test, cells.validation, bounds=findings.info.metric.score_bounds)
        naive = number_cell(findings.info.metric.shown(found.naive), f".{findings.info.metric.digits}f")
        rows.append([name, naive, score_cell(found.split, scale), gap_cell(found.optimism, scale)])
    columns = [
        ("Loss", TEXT),
        "Best mean, chosen and scored on all seeds",
        "Chosen on one half, scored on the other",
        "Optimism",
    ]
    return table(columns, rows, title="Winner's curse")


def _rows(found: dict[str, dict[str, RangeStability]]) -> list[dict[str, object]]:
    return [
        {"arm": label, "score": name, "variant": variant, "value": value}
        for label, items in found.items()
        for name, item in items.items()
        for variant, value in [("as declared", item.declared), *((v.name, v.value) for v in item.variants)]
    ]
