"""Decides what the cells of a column are: names, which stay text, or values, of which numeric text is a number."""

import math
import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.axis_values import is_empty, numeric_text
from analysis.tables.usual_names import DATA_SETS, FACTS, LOSSES, is_hyperparameter, plain
from trainables.suggestion import shortened

#: Texts that stand for no value, in lower case, in a column of numbers. In a column of names they are names.
EMPTY_WORDS = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>", "nat", "#n/a"})

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_LARGEST = 1e308  # larger whole numbers do not fit a float
_TRUTHS = {"true": "True", "false": "False"}


def tidy_name(name: object) -> str:
    """A name without spaces around it and with one Unicode form (NFC), so that equal names are equal texts."""
    return unicodedata.normalize("NFC", str(name)).strip()


def names(column: pd.Series) -> pd.Series:
    """A column of names as tidy text; None where a cell is empty. Whole numbers have no decimals."""
    return _unique_map(column, _name)


def _name(value: Any) -> str | None:
    if is_empty(value):
        return None
    if isinstance(value, (float, np.floating)):
        return f"{value:.15g}"
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return tidy_name(value) or None


def numbers_or_none(column: pd.Series, *, infinite: bool = False) -> pd.Series | None:
    """A column as numbers, empty where it is; None where a filled cell is no number.

    Truth values are no numbers. A text such as `inf` or `1e400` is a number only with `infinite`, as in a metric.
    The result is None for a column without any filled cell.
    """
    if column.dtype == np.float16:  # pandas groups by no such numbers
        column = column.astype(np.float32)
    if column.dtype.kind in "iuf":
        return column if column.notna().any() else None
    if column.dtype.kind == "b" or column.dtype.kind in "mM":
        return None
    cells = column.astype(object)
    kinds = {type(value) for value in cells}
    if any(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return None
    emptied = _unique_map(cells, _stripped)
    try:
        found = pd.to_numeric(emptied)
    except (ValueError, TypeError, OverflowError):
        return None
    if found.notna().sum() == 0 or found.dtype.kind not in "iuf":
        return None
    beyond = emptied[~np.isfinite(found.to_numpy(dtype=float)) & emptied.notna().to_numpy()]
    is_told = infinite or not any(isinstance(value, str) for value in beyond.unique())
    return found if is_told else None


def with_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with numbers where all texts of a column are numbers, apart from columns of names."""
    of_names = (*LOSSES, *DATA_SETS, *FACTS)
    texts = [
        name
        for name in rows.columns
        if rows[name].dtype.kind not in "iufbmM" and plain(str(name)) not in of_names
    ]
    found = {name: numbers_or_none(rows[name], infinite=not is_hyperparameter(str(name))) for name in texts}
    return rows.assign(**{name: column for name, column in found.items() if column is not None})


def values(column: pd.Series, *, infinite: bool = False) -> pd.Series:
    """A column of values: numbers where every filled cell is one, else truth values and texts, None where empty.

    `infinite` is that of `numbers_or_none`.
    """
    found = numbers_or_none(column, infinite=infinite)
    if found is not None:
        return found
    return _unique_map(column, _value)


def _value(value: Any) -> Any:
    if is_empty(value):
        return None
    if isinstance(value, str):
        text = tidy_name(value)
        return _TRUTHS.get(text.lower(), text) or None
    is_plain = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )
    return value if is_plain and abs(value) < _LARGEST else str(value)


def check_text(column: pd.Series) -> None:
    """Raises `ValueError` with the cell where a text stands among numbers by mistake.

    It does where most filled cells are numbers, and the text is rarer than each of these numbers: it is no value that
    was swept, such as `auto` beside 32 and 64.
    """
    if column.dtype.kind in "iufbmM" or isinstance(column.dtype, pd.CategoricalDtype):
        return
    counts = column.value_counts()
    texts = {
        value: count for value, count in counts.items() if isinstance(value, str) and not _is_numeric(value)
    }
    numeric = [count for value, count in counts.items() if _is_numeric(value)]
    if not numeric or len(texts) + len(numeric) < len(counts) or sum(texts.values()) >= sum(numeric):
        return
    rare = [value for value, count in texts.items() if count < min(numeric)]
    if rare:
        at = int((column == rare[0]).to_numpy().argmax())
        raise ValueError(
            f"{column.name}: got {shortened(rare[0])} in row {at + 1}, which is text; most values of this "
            "hyperparameter are numbers"
        )


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, str):
        return numeric_text(value) is not None
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def merged(column: pd.Series) -> pd.Series:
    """A column of hyperparameters in which numbers that are equal but for rounding are one number.

    Such numbers come from single precision (0.10000000149) or from sums (0.30000000000000004).
    """
    if column.dtype.kind != "f":
        return column
    exact = column.astype(float).unique()
    rounded = {value: float(f"{value:.6e}") for value in exact[np.isfinite(exact)]}
    if len(set(rounded.values())) == len(rounded):
        return column
    return column.astype(float).map(lambda value: rounded.get(value, value))


def is_time(column: pd.Series) -> bool:
    """Whether a column has points in time or durations."""
    if column.dtype.kind in "mM" or isinstance(column.dtype, (pd.PeriodDtype, pd.DatetimeTZDtype)):
        return True
    if column.dtype.kind in "iufb":
        return False
    filled = [value for value in column.dropna().unique() if value != ""]
    return bool(filled) and all(isinstance(each, str) and _DATE.fullmatch(each.strip()) for each in filled)


def with_decimal_points(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a point in every text that is a number with a decimal comma."""
    texts = {
        name: _unique_map(rows[name], _with_point) for name in rows.columns if rows[name].dtype.kind == "O"
    }
    return rows.assign(**texts)


def has_decimal_commas(column: pd.Series) -> bool:
    """Whether a cell is a text such as `0,81`."""
    return any(
        isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip()) for value in column.unique()
    )


def _with_point(value: Any) -> Any:
    is_number = isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip())
    return value.replace(",", ".") if is_number else value


def _stripped(value: Any) -> Any:
    """A cell of a column of numbers: None where it is empty, and texts without spaces around them."""
    if not isinstance(value, str):
        return None if is_empty(value) else value
    text = value.strip()
    return None if text.lower() in EMPTY_WORDS else text


def _unique_map(column: pd.Series, change: Any) -> pd.Series:
    """`change` of every cell, computed once for each distinct value."""
    if {bool, np.bool_} & {type(value) for value in column}:  # pandas takes True and 1 for one value
        return pd.Series(
            [change(value) for value in column], index=column.index, name=column.name, dtype=object
        )
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=False)
    changed = np.empty(len(distinct), dtype=object)
    changed[:] = [change(value) for value in distinct]
    return pd.Series(changed[codes], index=column.index, name=column.name, dtype=object)
