"""Values of a hyperparameter: numbers where all of them are, otherwise ordered categories.

Columns come with any type: numbers, truth values, texts, dates, and mixtures of them with empty cells. Numeric text
is a number, and an empty cell is a category of its own, `EMPTY`, which comes last.
"""

import datetime
import itertools
import math
import numbers
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

#: The category of an empty cell.
EMPTY = ""

_NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_WHOLE = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
#: Whole numbers up to this one are exact as floats.
_EXACT = 2**53
#: Names of types whose numbers have fewer digits than those of Python.
_SHORT_FLOATS = ("float16", "float32", "Float32", "halffloat[pyarrow]", "float[pyarrow]")


def floats_or_categories(column: pd.Series) -> np.ndarray:
    """The values of a column `(N,)`: floats where all of them are numbers, otherwise texts.

    Texts also stand for whole numbers that floats cannot tell apart, and for those that are too large. Two values are
    one category where their texts are equal (`category`).
    """
    if _is_plain(column):
        return column.to_numpy(dtype=float)
    distinct, codes = _distinct(column)
    values = [_number_or_value(value) for value in distinct]
    if values and all(_is_number(value) for value in values):
        found = _floats(values)
        if found is not None:
            return found[codes]
    return categories(column)


def categories(column: pd.Series) -> np.ndarray:
    """The values of a column `(N,)` as texts."""
    distinct, codes = _distinct(column)
    return np.array([category(value) for value in distinct], dtype=str)[codes]


def category_order(column: pd.Series) -> tuple[str, ...]:
    """The categories of a column in their order; none where all values are numbers.

    Ordered categories of pandas keep their order. Otherwise the order is that of truth values, numbers, times and
    texts, each by size or alphabet, and `EMPTY` is last.
    """
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        used = [value for value in column.dtype.categories if (column == value).any()]
        empty = [EMPTY] if column.isna().any() else []
        if empty or not _increasing(used):
            return tuple(dict.fromkeys([*map(category, used), *empty]))
    if floats_or_categories(column).dtype.kind == "f":
        return ()
    return tuple(dict.fromkeys(category(value) for value in sorted(_distinct(column)[0], key=value_order)))


def category(value: Any) -> str:
    """The text of a value; equal numbers have equal texts, whatever their type."""
    value = _number_or_value(value)
    if is_empty(value):
        return EMPTY
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if _is_number(value):
        plain = _as_float(value)
        return str(int(plain)) if plain.is_integer() and abs(plain) <= _EXACT else repr(plain)
    return str(value).removesuffix(" 00:00:00") if isinstance(value, datetime.date) else str(value)


def value_order(value: Any) -> tuple[int, Any]:
    """A key that sorts values of different types: truth values, numbers, times, texts, empty ones."""
    value = _number_or_value(value)
    if is_empty(value) or (isinstance(value, str) and value == EMPTY):
        return 5, 0
    if isinstance(value, (bool, np.bool_)):
        return 0, bool(value)
    if _is_number(value):
        return 1, value
    if isinstance(value, datetime.timedelta):
        return 2, value
    if isinstance(value, (datetime.date, pd.Period)):
        return 3, str(value)
    return 4, str(value)


def numeric_text(value: str) -> int | float | None:
    """The finite number that a text means, or None."""
    if not _NUMERIC.fullmatch(value):
        return None
    found = float(value)
    if not math.isfinite(found):
        return None
    return int(value) if _WHOLE.fullmatch(value) else found


def is_empty(value: Any) -> bool:
    """Whether a cell has no value: None, NA, NaT, or NaN of any type of numbers. A text is a value."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, (numbers.Real, np.datetime64, np.timedelta64)) and bool(value != value)


def _distinct(column: pd.Series) -> tuple[list[Any], np.ndarray]:
    """The distinct values, and the index of each row's value `(N,)`. The truth value True is not the number 1."""
    seen: dict[tuple[type, Any], int] = {}
    rows = zip(_objects(column), column.isna(), strict=True)
    keys = ((type(None), None) if empty else (type(value), value) for value, empty in rows)
    codes = [seen.setdefault(key, len(seen)) for key in keys]
    return [value for _, value in seen], np.array(codes, dtype=int)


def _objects(column: pd.Series) -> list[Any]:
    """The values of a column one by one; numbers of single precision stay so."""
    if column.dtype.name in _SHORT_FLOATS:
        return list(column.to_numpy(dtype=np.float32, na_value=np.nan))
    return list(column.astype(object))


def _number_or_value(value: Any) -> Any:
    """The number that a text means; other values unchanged."""
    if not isinstance(value, str):
        return value
    found = numeric_text(value)
    return value if found is None else found


def _is_number(value: Any) -> bool:
    """Whether a value is a real number; truth values and empty cells are not."""
    if isinstance(value, (bool, np.bool_)) or is_empty(value):
        return False
    return isinstance(value, (numbers.Real, Decimal))


def _floats(values: Sequence[Any]) -> np.ndarray | None:
    """Numbers as floats; None where one is too large or where several become one."""
    try:
        found = np.array([_as_float(value) for value in values])
    except OverflowError:
        return None
    large = {value for value in values if isinstance(value, numbers.Integral) and abs(int(value)) > _EXACT}
    return None if len({float(value) for value in large}) < len(large) else found


def _as_float(value: Any) -> float:
    """A number as the float with the shortest text: 0.1 in single precision is 0.1."""
    return float(str(value)) if isinstance(value, np.floating) else float(value)


def _is_plain(column: pd.Series) -> bool:
    """Whether a column has only numbers that are exact as floats, by its type."""
    if column.dtype.kind not in "iuf" or not len(column) or column.isna().any():
        return False
    if column.dtype.kind == "f":
        return column.dtype.name not in _SHORT_FLOATS
    return bool(column.max() <= _EXACT and column.min() >= -_EXACT)


def _increasing(values: Iterable[Any]) -> bool:
    """Whether all values are numbers in increasing order."""
    kept = [_number_or_value(value) for value in values]
    return all(map(_is_number, kept)) and all(a < b for a, b in itertools.pairwise(kept))
