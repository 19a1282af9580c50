"""The analysis for notebooks: one call from rows to scores, comparisons or a report.

`rows` is any table with one row for each trial. Keyword arguments give the meaning of its columns, with the keys of
`analysis.tables.mapping.TableMapping`: at least `metric`; also `loss`, `seed`, `selects`, `axes`, `higher_is_better`
and others. With `data`, a column of data sets, scores are computed for each data set, and tables get a first column
`data`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data_sets import DataSetsAnalysis, analyse_data_sets
from analysis.report.recommended import recommend_from
from analysis.report.recommended_data import recommendation_table
from analysis.report.score_tables import decisions_table, scores_table
from analysis.report.write import write_data_sets
from analysis.study_analysis import StudyAnalysis
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping


def findings_of(rows: pd.DataFrame, **mapping: Any) -> StudyAnalysis:
    """All results of a report on one data set. Raises `ValueError` with the column or value that does not fit."""
    environments = environments_of(rows, **mapping)
    if environments.only is None:
        raise ValueError(f"data: got {len(environments.findings)} data sets; environments_of takes several")
    return environments.only


def environments_of(rows: pd.DataFrame, **mapping: Any) -> DataSetsAnalysis:
    """All results of a report, by data set. Raises `ValueError` with the column or value that does not fit."""
    return analyse_data_sets(*table_study(rows, build_mapping(mapping)))


def robustness(rows: pd.DataFrame, **mapping: Any) -> pd.DataFrame:
    """Robustness scores with their intervals, one row for each loss (`score_tables.scores_table`)."""
    return _by_data(environments_of(rows, **mapping), scores_table)


def compare(rows: pd.DataFrame, **mapping: Any) -> pd.DataFrame:
    """One decision for each loss and question against the reference (`score_tables.decisions_table`).

    `findings_of(...).decisions` has the same as objects, with each loss's own values.
    """
    return _by_data(environments_of(rows, **mapping), decisions_table)


def recommend(
    rows: pd.DataFrame, *, batch_size: float | None = None, tuned: bool = True, **mapping: Any
) -> pd.DataFrame:
    """One row for each compared loss, the one that validation chooses first: its setting, score and largest cost.

    `costs_at_most` is the upper end of its regret, the expected score of the best loss minus its own; all of them
    hold at once (`statistics.comparisons.recommendation`). It is NaN where the records support no choice, and the
    column `reason` says why. With `batch_size`, only trials at it are compared. Without `tuned`, each loss has its
    default setting. Raises `ValueError` as `findings_of` does.
    """

    def table(findings: StudyAnalysis) -> pd.DataFrame:
        return recommendation_table(recommend_from(findings, batch_size=batch_size, tuned=tuned))

    return _by_data(environments_of(rows, **mapping), table)


def write_table_report(rows: pd.DataFrame, out: str | Path, **mapping: Any) -> Path:
    """Writes the report into the folder `out` and returns the path of the page."""
    return write_data_sets(environments_of(rows, **mapping), Path(out))


def _by_data(environments: DataSetsAnalysis, table: Callable[[StudyAnalysis], pd.DataFrame]) -> pd.DataFrame:
    if environments.only is not None:
        return table(environments.only)
    parts = {name: table(findings) for name, findings in environments.findings.items()}
    return pd.concat(parts, names=["data"]).reset_index("data").reset_index(drop=True)
