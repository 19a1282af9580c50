"""The section on stability: how scores change with the range and measure of the main axis."""

import math

import numpy as np
import pandas as pd

from analysis.report.sections.content import (
    TEXT,
    Cell,
    Content,
    table,
)
from analysis.statistics.intervals.student import mean_and_spread
from analysis.statistics.scores.robustness import TAIL, worst_case
from analysis.statistics.scores.tolerance import known_cells, tolerance_volume
from analysis.statistics.sensitivity.range_stability import (
    Headline,
    RangeStability,
    range_stability,
    range_variants,
)
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, listing, percent


def stability_section(findings: StudyAnalysis) -> Content | None:
    """Headline scores under other ranges, shifts and measures of the main axis; None without a loss on a grid."""
    if not findings.any_finished or not findings.surfaces:
        return None
    headlines = _headlines(findings)
    found = {label: _variants(findings, label, headlines) for label in findings.surfaces}
    without = [findings.info.arm(label).name for label, item in found.items() if not item]
    found = {label: item for label, item in found.items() if item}
    scale = Scale(findings.info.metric)
    rows = [
        [
            findings.info.arm(label).name,
            *(_shown(value, name, scale) for value in (item.declared, item.lowest, item.highest)),
        ]
        for label, items in found.items()
        for name, item in items.items()
        if name == "average"
    ]
    columns = [("Loss", TEXT), "As declared", "Lowest", "Highest"]
    why = "trials are missing, or the axis is none of several numbers"
    note = f"Not for {listing(without)}: {why}." if without else ""
    tables = [table(columns, rows, note=note)] if rows else []
    return Content(
        title="How much depends on the choice of ranges",
        lead=f"The average over other ranges of {findings.info.main_words}: the lower, middle and upper half, "
        "without the first or last value, and with other weights.",
        sentences=(note,) if note and not rows else (),
        tables=tuple(tables),
        data={"range_stability": pd.DataFrame(_rows(found))} if found else {},
    )


def _headlines(findings: StudyAnalysis) -> dict[str, Headline]:
    eps = findings.info.tolerance

    def mean(both: np.ndarray, weights: np.ndarray) -> float:
        scores = _parts(both)[0]
        known, shares = known_cells(scores, weights)
        return float(mean_and_spread(scores[known])[0] @ shares) if known.any() else math.nan

    return {
        "average": mean,
        f"worst {100 * TAIL:.0f} %": lambda both, weights: worst_case(*_parts(both), weights).value,
        "near own best, %": lambda both, weights: tolerance_volume(_parts(both)[0], weights, eps=eps).value,
    }


def _parts(both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation scores `(C, S)` of `(C, 2 S)`."""
    seeds = both.shape[-1] // 2
    return both[:, :seeds], both[:, seeds:]


def _variants(
    findings: StudyAnalysis, label: str, headlines: dict[str, Headline]
) -> dict[str, RangeStability]:
    cells = findings.cells[label]
    axis = cells.axes[1]
    # with gaps, parts of the grid have scores over different seeds, and the declared scores differ from those above
    if not axis.numeric or len(axis.values) < 2 or not np.isfinite(cells.test).all():
        return {}
    variants, weights = range_variants(axis.values, axis.info.measure), [each.weights for each in cells.axes]
    scores = cells.on_grid(np.concatenate([cells.test, cells.validation], axis=-1))
    return {
        name: range_stability(headline, scores, weights, 1, variants) for name, headline in headlines.items()
    }


def _shown(value: float, name: str, scale: Scale) -> Cell:
    text = percent(value) if name.endswith(", %") else scale.value(value)
    return Cell(text=text, sort=value)


def _rows(found: dict[str, dict[str, RangeStability]]) -> list[dict[str, object]]:
    return [
        {"arm": label, "score": name, "variant": variant, "value": value}
        for label, items in found.items()
        for name, item in items.items()
        for variant, value in [("as declared", item.declared), *((v.name, v.value) for v in item.variants)]
    ]
