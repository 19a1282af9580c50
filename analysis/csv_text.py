"""Tables as CSV text that a spreadsheet shows and does not run."""

import re

import pandas as pd

from analysis.model.axis_values import numeric_text
from analysis.names import visible

#: Beginnings of a cell that spreadsheets take for a formula, after the apostrophes of earlier escapes.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV. Texts and titles of columns that look like formulas get an apostrophe before them."""
    shown = table.rename(columns=csv_cell)
    for place, dtype in enumerate(table.dtypes):
        if dtype.kind not in "biufcmM":
            cells = table.iloc[:, place].astype(object).map(csv_cell, na_action="ignore")
            shown.isetitem(place, cells.to_numpy())
    text: str = shown.to_csv(index=False, lineterminator="\n")
    return text


def csv_cell(value: object) -> object:
    """A cell of a CSV file. Only texts change: control characters become their codes, and formulas texts.

    An apostrophe goes before a text that begins like a formula and is no number. It also goes before a text of
    apostrophes and such a beginning, so that a reader who removes one apostrophe has the text again. Line breaks and
    tabs stay. Parquet files have all texts unchanged.

    >>> [csv_cell(each) for each in ("=1+1", "-0.5", "a=b", -0.5, "'=1")]
    ["'=1+1", '-0.5', 'a=b', -0.5, "''=1"]
    """
    if not isinstance(value, str):
        return value
    text = visible(value, lines=True)
    return f"'{text}" if _FORMULA.match(text) and numeric_text(text) is None else text


def cell_of(text: str) -> str:
    """The content of a cell of a CSV file: without the apostrophe that `csv_cell` puts before a formula.

    >>> [cell_of(each) for each in ("'=1+1", "''=1", "'a'", "-0.5")]
    ['=1+1', "'=1", "'a'", '-0.5']
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
