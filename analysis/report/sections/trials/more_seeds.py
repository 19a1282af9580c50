"""The section on more seeds: what they would decide, and where in the space the noise is."""

import math

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.report.sections.content import TEXT, Cell, Content, ShownTable, table
from analysis.report.sections.space.scores import tolerance_words
from analysis.statistics.comparisons.compare import Comparison
from analysis.statistics.comparisons.more_seeds import MOST, seeds_to_settle, where_to_add_seeds
from analysis.statistics.comparisons.power import POWER
from analysis.statistics.intervals.student import LEVEL, mean_and_spread
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, SCORE_WORDS, Scale, percent

#: Share of all configurations that counts as the noisiest.
_NOISIEST = 0.10


def more_seeds_section(findings: StudyAnalysis) -> Content | None:
    """Numbers of seeds that would settle each comparison, and how uneven the noise is over the space."""
    if findings.adaptive or not any(_noise(cells) is not None for cells in findings.cells.values()):
        return None
    tables = (_comparisons(findings),) if findings.comparisons else ()
    return Content(
        title="What more seeds would decide",
        lead="Planning figures, to an order of size: they take the noise and the differences seen here for the true "
        f"ones, so they have no interval. A comparison counts as settled where a paired t test finds the difference "
        f"with {100 * POWER:.0f} % probability at the level of the strictest step of Holm's correction.",
        tables=(*tables, _noises(findings)),
        data={"more_seeds": pd.concat([_cells_table(label, c) for label, c in findings.cells.items()])},
    )


def _comparisons(findings: StudyAnalysis) -> ShownTable:
    columns = [
        ("Loss", TEXT),
        ("Score", TEXT),
        "Difference seen",
        "Seeds now",
        "Seeds to settle it",
        f"Seeds to find {tolerance_words(findings)}",
    ]
    title = f"Seeds for each comparison with {findings.info.reference_arm.name}"
    return table(columns, [_row(findings, item) for item in findings.comparisons], title=title)


def _row(findings: StudyAnalysis, item: Comparison) -> list[Cell | str]:
    alpha, tolerance = (1 - LEVEL) / len(findings.comparisons), findings.info.tolerance
    gap = item.difference.value
    return [
        findings.info.arm(item.arm).name,
        SCORE_WORDS[item.score],
        Cell(text=Scale(findings.info.metric).gap(gap), sort=findings.info.metric.factor * gap),
        Cell(text=str(item.difference.seeds), sort=item.difference.seeds),
        _seeds(float(seeds_to_settle(gap, item.deviation, alpha=alpha))),
        _seeds(float(seeds_to_settle(tolerance, item.deviation, alpha=alpha))),
    ]


def _seeds(needed: float) -> Cell:
    if math.isnan(needed):
        return Cell(text=NONE)
    return Cell(text=f"{needed:.0f}" if math.isfinite(needed) else f"over {MOST}", sort=needed)


def _noises(findings: StudyAnalysis) -> ShownTable:
    scale = Scale(findings.info.metric)
    tenth = f"{100 * _NOISIEST:.0f} %"
    rows = []
    for label, cells in findings.cells.items():
        noise = _noise(cells)
        if noise is not None:
            typical, largest, share = noise
            shown = [Cell(text=scale.size(each), sort=each) for each in (typical, largest)]
            rows.append([findings.info.arm(label).name, *shown, Cell(text=percent(share), sort=share)])
    columns = [
        ("Loss", TEXT),
        f"Deviation between seeds, median, {findings.info.metric.difference_unit}",
        f"Largest, {findings.info.metric.difference_unit}",
        f"Variance of the average that the noisiest {tenth} of configurations make, %",
    ]
    note = (
        f"Were noise even, that share would be {tenth}. Where it is far higher, trials beyond whole seeds do most "
        "there: tables/more_seeds.csv says how many each configuration should get of as many new trials as one more "
        "seed costs (Neyman's allocation)."
    )
    return table(columns, rows, title="Where the noise is", note=note)


def _noise(cells: Cells) -> tuple[float, float, float] | None:
    """Median and largest deviation over seeds, and the share of the noisiest tenth in the variance of the mean."""
    _, deviation, _ = mean_and_spread(cells.test)
    known = np.isfinite(deviation) & (cells.weights > 0)
    if not known.any():
        return None
    parts = np.sort(np.square(cells.weights[known] * deviation[known]))[::-1]
    noisiest = parts[: max(1, round(_NOISIEST * len(parts)))].sum()
    share = float(noisiest / parts.sum()) if parts.sum() > 0 else math.nan
    return float(np.median(deviation[known])), float(deviation[known].max()), share


def _cells_table(label: str, cells: Cells) -> pd.DataFrame:
    places = {axis.info.bare: cells.values(axis.name) for axis in (cells.axes[0], *cells.axes[2:])}
    _, deviation, count = mean_and_spread(cells.test)
    return pd.DataFrame(
        {
            "arm": label,
            **places,
            "main_axis": cells.axes[1].info.bare,
            "main_axis_value": cells.values(cells.axes[1].name),
            "deviation": deviation,
            "seeds": count,
            "trials_to_add": where_to_add_seeds(cells.test, cells.weights, trials=len(cells.weights)),
        }
    )
