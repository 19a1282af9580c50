"""Turns columns of lists, maps and dicts into plain values that can be compared and grouped.

Every function of the analysis that takes a table from the user calls it.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.axis_values import is_empty
from analysis.model.info import RECORD_COLUMNS
from analysis.tables.exports.nested import as_dict, flattened

#: The column of records that maps every other field of a loss to its value as JSON.
_OTHER = "hp_other"
#: A column that only records of this platform have.
_VERSION = "schema_version"


def plain_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `hp_other` and dicts split into columns, and with JSON text for every list, map and other dict.

    A column in which every filled cell is a dict, or the text of one, becomes a column `<column>/<key>` for each key,
    in the same way for dicts in it. Each key of `hp_other` becomes a column `hp_<key>` of its decoded values, empty
    in rows without that key. Where the table already has values in a column of that name, the new column is
    `hp_other_<key>`.
    """
    plain = _with_other_fields(rows) if _OTHER in rows.columns else rows
    ours = RECORD_COLUMNS if _VERSION in plain.columns else ()  # their JSON is read elsewhere
    for name in [name for name in plain.columns if name not in ours and _holds_objects(plain[name])]:
        plain = _with_keys_as_columns(plain, name)
    held = [name for name in plain.columns if plain[name].dtype.kind == "O"]
    texts = {name: plain[name].map(_as_text) for name in held if not plain[name].map(_is_hashable).all()}
    return plain.assign(**texts) if texts else plain


def _holds_objects(column: pd.Series) -> bool:
    """Whether every filled cell is a dict with keys of text, or the text of one."""
    if column.dtype.kind != "O":
        return False
    filled = [value for value in column if not is_empty(value)]
    return bool(filled) and all(as_dict(value) for value in filled)


def _with_keys_as_columns(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    trees = [as_dict(value) for value in rows[name]]
    flat = [flattened({name: tree}, "/") if tree else {} for tree in trees]
    return pd.concat([rows.drop(columns=name), pd.DataFrame(flat, index=rows.index, dtype=object)], axis=1)


def _with_other_fields(rows: pd.DataFrame) -> pd.DataFrame:
    told = [dict(value) if _is_filled(value) else {} for value in rows[_OTHER]]
    keys = sorted({key for each in told for key in each})
    rows = rows.drop(columns=_OTHER)
    fields = {}
    for key in keys:
        name = f"hp_{key}"
        taken = name in rows.columns and rows[name].notna().any()
        fields[f"{_OTHER}_{key}" if taken else name] = _decoded([each.get(key) for each in told], rows.index)
    return rows.assign(**fields)


def _is_filled(value: Any) -> bool:
    """Whether a cell holds a map: entries as pairs, or a dict."""
    return isinstance(value, (dict, list, tuple, np.ndarray))


def _decoded(texts: list[Any], index: pd.Index) -> pd.Series:
    """Values decoded from JSON; the texts where the values have several kinds or are lists or dicts."""
    values = [None if text is None else json.loads(text) for text in texts]
    kinds = {_kind(value) for value in values if value is not None}
    simple = len(kinds) <= 1 and "nested" not in kinds
    return pd.Series(values if simple else texts, index=index)


def _kind(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return "nested"
    return (
        "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
    )


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _as_text(value: Any) -> Any:
    """JSON text of a list, map or dict; other values unchanged."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    return value if _is_hashable(value) else json.dumps(value, sort_keys=True, default=str)
