"""The analysis in a notebook: one call from rows to scores, comparisons or a report.

`rows` is any table with a row a trial. Keyword arguments say which column means what, with the keys of
`analysis.results.mapping.TableMapping`: `metric` at least, `loss`, `seed`, `selects`, `axes`, `higher_is_better` ...
With `data`, a column of data sets, scores are computed on each, and tables get a first column `data`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data_sets import DataSetsAnalysis, analyse_data_sets
from analysis.report import write_data_sets
from analysis.results.build import table_study
from analysis.results.mapping import build_mapping
from analysis.study_analysis import StudyAnalysis
from analysis.tables import comparisons_table, scores_table


def findings_of(rows: pd.DataFrame, **mapping: Any) -> StudyAnalysis:
    """Everything that a report would say of one data set. Raises `ValueError` naming what does not fit."""
    environments = environments_of(rows, **mapping)
    if environments.only is None:
        raise ValueError(f"data: got {len(environments.findings)} data sets; environments_of takes several")
    return environments.only


def environments_of(rows: pd.DataFrame, **mapping: Any) -> DataSetsAnalysis:
    """Everything that a report would say, by data set. Raises `ValueError` naming what does not fit."""
    return analyse_data_sets(*table_study(rows, build_mapping(mapping)))


def robustness(rows: pd.DataFrame, **mapping: Any) -> pd.DataFrame:
    """Robustness scores with their intervals, a row a loss (`tables.scores_table`)."""
    return _by_data(environments_of(rows, **mapping), scores_table)


def compare(rows: pd.DataFrame, **mapping: Any) -> pd.DataFrame:
    """Every loss minus the reference, paired by seed, with Holm's correction (`tables.comparisons_table`)."""
    return _by_data(environments_of(rows, **mapping), comparisons_table)


def write_table_report(rows: pd.DataFrame, out: str | Path, **mapping: Any) -> Path:
    """Write the report into the folder `out` and give the page's path."""
    return write_data_sets(environments_of(rows, **mapping), Path(out))


def _by_data(environments: DataSetsAnalysis, table: Callable[[StudyAnalysis], pd.DataFrame]) -> pd.DataFrame:
    if environments.only is not None:
        return table(environments.only)
    parts = {name: table(findings) for name, findings in environments.findings.items()}
    return pd.concat(parts, names=["data"]).reset_index("data").reset_index(drop=True)
