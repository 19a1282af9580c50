"""Decides the meaning of every column of a table of results, and converts its cells accordingly.

The order of decisions: what the user names; what the layout of a known tool says; usual names; the design that the
rows show (`hyperparameters`). What was decided is kept in words, for the terminal and for the report.
"""

import dataclasses
from dataclasses import dataclass

import pandas as pd

from analysis.tables.exports.words import is_housekeeping
from analysis.tables.files import with_index
from analysis.tables.hyperparameters import Found, drawn_axes, find_hyperparameters
from analysis.tables.mapping import TableMapping
from analysis.tables.metric_words import is_outcome
from analysis.tables.names import check_different, named_columns
from analysis.tables.plain_columns import plain_columns
from analysis.tables.usual_columns import meant, translated, with_usual_columns
from analysis.tables.usual_names import FACTS, PROTOCOL, REPRESENTATION, is_hyperparameter, plain, words
from analysis.tables.values import (
    check_text,
    has_decimal_commas,
    is_time,
    merged,
    names,
    values,
    with_decimal_points,
)
from trainables.suggestion import first_names, shortened

#: Columns of trials that a metric would replace.
_RESERVED = words("trial_id config_id arm seed status attempt loss data error_class error_message")
#: Columns that count as hyperparameters only where they vary.
_PERHAPS_SWEPT = ("encoder", "views", "views_form")


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A table whose columns have a meaning: bare names, cells of one kind, and a mapping without gaps."""

    rows: pd.DataFrame
    mapping: TableMapping
    found: Found
    drawn: tuple[str, ...]  # hyperparameters whose values never repeat, as in a random search
    roles: dict[str, str]  # by bare name: what the layout of a tool says

    @property
    def described(self) -> list[str]:
        """Columns of representation metrics: those that are named, and those with the prefixes of records."""
        free = (name for name in free_columns(self.rows, self.mapping) if name.startswith(REPRESENTATION))
        return list(dict.fromkeys((*self.mapping.describes, *free)))

    @property
    def facts(self) -> dict[str, str]:
        """Columns on how trials were run, by their names in trial records."""
        free = free_columns(self.rows, self.mapping)
        facts = [name for name in free if name in FACTS or name in _PERHAPS_SWEPT]
        settled = [name for name in free if name in self.found.between or self.rows[name].nunique() == 1]
        fixed = [name for name in settled if plain(name) in PROTOCOL]
        return {name: name for name in facts} | {f"hp_{plain(name)}": name for name in fixed}


def understand(rows: pd.DataFrame, mapping: TableMapping) -> Understood:
    """Decides the meaning of all columns.

    Raises `ValueError` in one line for a column that the table lacks, for columns that may both be the same thing,
    for rows without a loss or a seed, and for a table without hyperparameters.
    """
    rows = _with_index_columns(rows)
    if rows.empty:
        raise ValueError("table: it has no rows")
    named = named_columns(plain_columns(rows))
    mapping = translated(mapping, named)
    _check_mapping(mapping)
    rows = with_decimal_points(named.rows) if mapping.decimal_comma else named.rows
    mapping = with_usual_columns(rows, mapping, named)
    assert mapping.loss is not None
    assert mapping.seed is not None
    rows = _converted(rows, mapping)
    for column, what in ((mapping.loss, "loss"), (mapping.seed, "seed")):
        check_filled(rows[column], what)
    found = _hyperparameters(rows, mapping, named.roles)
    if not found.axes:
        raise ValueError(
            "table: no column is a hyperparameter that varies; name those that are with --axis; the columns are "
            f"{first_names([str(name) for name in rows.columns])}"
        )
    for name in found.axes:
        check_text(rows[name])
    drawn = drawn_axes(rows, mapping.loss, found.axes)
    mapping = dataclasses.replace(mapping, axes=found.axes, adaptive=mapping.adaptive or named.adaptive)
    return Understood(rows=rows, mapping=mapping, found=found, drawn=drawn, roles=named.roles)


def _with_index_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with named levels of their index as columns. Raises `ValueError` for what is no table."""
    if not isinstance(rows, pd.DataFrame):
        raise ValueError(
            f"rows: got {type(rows).__name__}, must be a DataFrame, such as load_records(path) returns"
        )
    check_different(list(map(str, rows.columns)))
    return with_index(rows)


def check_filled(column: pd.Series, what: str) -> None:
    """Raises `ValueError` with the number of the first row that is empty or blank."""
    empty = column.isna() | (column.astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(
            f"{what}: row {int(empty.to_numpy().argmax()) + 1} is empty in column {column.name!r}"
        )


def _check_mapping(mapping: TableMapping) -> None:
    if mapping.x is not None and mapping.x == mapping.main:
        raise ValueError(f"main: got {mapping.main!r}, which is the axis x too; a surface has two axes")
    for name in (mapping.metric, mapping.selects):
        if name in _RESERVED:
            raise ValueError(f"{name}: a metric must not have this name, which trials use; rename the column")


def free_columns(rows: pd.DataFrame, mapping: TableMapping) -> list[str]:
    """Columns without a meaning of their own."""
    taken = {*meant(mapping), *mapping.axes}
    return [str(name) for name in rows.columns if name not in taken]


def _converted(rows: pd.DataFrame, mapping: TableMapping) -> pd.DataFrame:
    """The rows with names as text. Columns in which every value is a number become columns of numbers."""
    as_names = {mapping.loss, mapping.data, *FACTS}
    measured = {mapping.metric, mapping.selects, *mapping.describes}
    changed = {
        name: names(rows[name])
        if name in as_names
        else values(rows[name], infinite=name in measured or str(name).startswith(REPRESENTATION))
        for name in rows.columns
        if name != mapping.status and not (is_time(rows[name]) or _is_ordered(rows[name]))
    }
    measured = {mapping.metric, mapping.selects, *mapping.describes}
    changed = {name: column if name in measured else merged(column) for name, column in changed.items()}
    converted = rows.assign(**changed)
    for name in (mapping.metric, mapping.selects):
        if name and not mapping.decimal_comma and has_decimal_commas(converted[name]):
            bad = next(value for value in converted[name] if "," in str(value))
            raise ValueError(
                f"{name}: got {shortened(bad)}; if commas are decimal points, say --decimal-comma"
            )
    return converted


def _is_ordered(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and bool(column.dtype.ordered)


def _hyperparameters(rows: pd.DataFrame, mapping: TableMapping, roles: dict[str, str]) -> Found:
    if mapping.axes:
        return Found(axes=mapping.axes)
    by_flag = [name for name in (mapping.x, mapping.main) if name]
    prefixed = [
        str(name) for name in rows.columns if str(name).startswith("hp_") and name not in mapping.ignore
    ]
    if prefixed:
        varying = [name for name in dict.fromkeys((*by_flag, *prefixed)) if rows[name].nunique() > 1]
        return Found(axes=tuple(varying))
    certain = [*by_flag, *(name for name, role in roles.items() if role == "hyperparameter")]
    candidates = [
        name for name in rows.columns if name not in meant(mapping) and _may_vary(rows, name, mapping, roles)
    ]
    candidates = list(dict.fromkeys((*by_flag, *candidates)))
    trial = [name for name in (mapping.loss, mapping.data, mapping.seed) if name]
    return find_hyperparameters(rows, trial, candidates, [name for name in certain if name in candidates])


def _may_vary(rows: pd.DataFrame, name: str, mapping: TableMapping, roles: dict[str, str]) -> bool:
    """Whether a column may be a hyperparameter, as far as its name and its kind tell."""
    if name in mapping.ignore or name in FACTS:
        return False
    if is_time(rows[name]) and not is_hyperparameter(name):
        return False
    if roles.get(name) == "hyperparameter":
        return True
    if roles.get(name) in ("metric", "housekeeping", "status") or name.startswith(REPRESENTATION):
        return False
    return is_hyperparameter(name) or not (is_housekeeping(name) or is_outcome(name))
