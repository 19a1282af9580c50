"""The analysis of a table of results."""

import pandas as pd

from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from tests.analysis.tables.example_table import KEYS


def table_findings(rows: pd.DataFrame, **keys: object) -> StudyAnalysis:
    """The analysis of rows like the example's; `keys` are those of a mapping."""
    return analyse_table(*table_study(rows, build_mapping({**KEYS, **keys})))
