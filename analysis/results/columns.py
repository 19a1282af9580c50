"""Decides the meaning of table columns that the mapping leaves open."""

import dataclasses
import difflib
from collections.abc import Sequence

import pandas as pd

from analysis.results.mapping import TableMapping
from analysis.wording import counted

#: Usual column names for the number of pairs in a step.
BATCH_SIZES = ("batch_size", "batch", "batchsize", "bs", "hp_batch_size")
#: Names of columns that are used although the mapping does not name them.
_STATUS, _DATA = ("status",), ("data", "dataset")
#: Columns of a trial record that tables may have under the same names, and that are not hyperparameters.
_FACTS = (
    *("data_fingerprint", "probe_id", "device", "device_name", "threads", "execution_mode", "git_revision"),
    *(
        "numerics_version",
        "package_version",
        "torch_version",
        "python_version",
        "error_class",
        "error_message",
    ),
)
#: Columns that count as hyperparameters only where they vary.
_PERHAPS_SWEPT = ("encoder", "views", "views_form")
#: Hyperparameters that fairness cards check, under these names or with the prefix `hp_`.
_PROTOCOL = ("epochs", "steps", "samples", "optimizer", "lr_rule", "weight_decay", "precision")
#: Largest number of distinct values of a column that is guessed to be a hyperparameter.
_MOST_VALUES = 200
#: Largest number of such columns that vary within one loss. More are probably a mistake.
_MOST_AXES = 8
_SHOWN = 5  # ignored columns that are named


def resolved(rows: pd.DataFrame, mapping: TableMapping) -> TableMapping:
    """The mapping with all hyperparameters, and with columns of usual names where it names none.

    Raises `ValueError` for a column that the table lacks, for rows without a loss or a seed, and for too many columns
    that may be hyperparameters.
    """
    if rows.empty:
        raise ValueError("table: it has no rows")
    _check_there(rows, mapping)
    for column, what in ((mapping.loss, "loss"), (mapping.seed, "seed")):
        check_filled(rows[column], what)
    mapping = _with_usual_columns(rows, mapping)
    return dataclasses.replace(mapping, axes=mapping.axes or _guessed_axes(rows, mapping))


def check_filled(column: pd.Series, what: str) -> None:
    """Raises `ValueError` with the number of the first row that is empty or blank."""
    empty = column.isna() | (column.astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(
            f"{what}: row {int(empty.to_numpy().argmax()) + 1} is empty in column {column.name!r}"
        )


def described_columns(rows: pd.DataFrame, mapping: TableMapping) -> list[str]:
    """Columns of representation metrics: those that are named, and those with the prefixes of records."""
    return list(dict.fromkeys((*mapping.describes, *_free(rows, mapping, ("z_", "h_")))))


def fact_columns(rows: pd.DataFrame, mapping: TableMapping) -> dict[str, str]:
    """Columns on how trials were run, by their names in trial records. `mapping` is the result of `resolved`."""
    facts = [name for name in _free(rows, mapping) if name in _FACTS or name in _PERHAPS_SWEPT]
    fixed = [
        name
        for name in _free(rows, mapping)
        if name.removeprefix("hp_") in _PROTOCOL and rows[name].nunique() == 1
    ]
    return {name: name for name in facts} | {f"hp_{name.removeprefix('hp_')}": name for name in fixed}


def column_lines(rows: pd.DataFrame, mapping: TableMapping) -> list[str]:
    """Lines that say how every column was understood. `mapping` is the result of `resolved`."""
    described, facts = described_columns(rows, mapping), list(fact_columns(rows, mapping).values())
    meant = [
        ("loss", mapping.loss),
        ("seed", mapping.seed),
        ("data set", mapping.data),
        ("status", mapping.status),
        ("metric", mapping.metric),
        ("chosen by", mapping.selects),
        ("hyperparameters", ", ".join(mapping.axes) or "none"),
        ("representation", ", ".join(described)),
        ("protocol", ", ".join(facts)),
    ]
    lines = [f"Columns: {'; '.join(f'{what} {names}' for what, names in meant if names)}"]
    ignored = [name for name in _free(rows, mapping) if name not in (*described, *facts)]
    if ignored:
        more = ", …" if len(ignored) > _SHOWN else ""
        lines.append(f"Ignored: {counted(len(ignored), 'column')} ({', '.join(ignored[:_SHOWN])}{more})")
    return lines


def _free(rows: pd.DataFrame, mapping: TableMapping, prefixes: str | tuple[str, ...] = "") -> list[str]:
    """Columns without another meaning whose names start with one of the prefixes."""
    taken = {*_meant(mapping), *mapping.axes}
    return [name for name in map(str, rows.columns) if name not in taken and name.startswith(prefixes)]


def _meant(mapping: TableMapping) -> list[str | None]:
    single = [mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.status, mapping.data]
    return [*single, *mapping.describes]


def _check_there(rows: pd.DataFrame, mapping: TableMapping) -> None:
    named = [*_meant(mapping), mapping.x, mapping.main, *mapping.axes, *(mapping.measures or ())]
    for column in named:
        if column is not None and column not in rows.columns:
            near = difflib.get_close_matches(column, map(str, rows.columns), n=3) or list(rows.columns)[:12]
            raise ValueError(f"table: no column {column!r}; did you mean {', '.join(map(str, near))}?")


def _with_usual_columns(rows: pd.DataFrame, mapping: TableMapping) -> TableMapping:
    named = {*_meant(mapping), mapping.x, mapping.main, *mapping.axes}
    free = {str(name) for name in rows.columns} - named
    status = next((name for name in _STATUS if name in free), None)
    data = next((name for name in _DATA if name in free and rows[name].notna().any()), None)
    return dataclasses.replace(mapping, status=mapping.status or status, data=mapping.data or data)


def _guessed_axes(rows: pd.DataFrame, mapping: TableMapping) -> tuple[str, ...]:
    """The named columns and those with the prefix `hp_`.

    Where no column has the prefix: the named ones, and all that have no other meaning and repeat their values.
    """
    meant = {*_meant(mapping), *_FACTS, *described_columns(rows, mapping)}
    named = [name for name in (mapping.x, mapping.main) if name]
    prefixed = [str(name) for name in rows.columns if str(name).startswith("hp_")]
    found = prefixed or [str(name) for name in rows.columns if name not in meant and _repeats(rows[name])]
    axes = tuple(dict.fromkeys((*named, *(name for name in found if rows[name].nunique() > 1))))
    if len(axes) > _MOST_AXES:
        _check_number(rows, mapping, axes)
    return axes


def _check_number(rows: pd.DataFrame, mapping: TableMapping, axes: Sequence[str]) -> None:
    for loss, of_loss in rows[list(axes)].groupby(rows[mapping.loss]):
        varying = [name for name, count in of_loss.nunique().items() if count > 1]
        if len(varying) > _MOST_AXES:
            raise ValueError(
                f"table: {len(varying)} columns of loss {loss} may be hyperparameters "
                f"({', '.join(map(str, varying[:_SHOWN]))}, …); name those that are with --axis"
            )


def _repeats(column: pd.Series) -> bool:
    """Whether a column looks like a hyperparameter: few values, each in several rows. Outcomes hardly repeat."""
    return 1 < column.nunique() <= min(_MOST_VALUES, max(2, len(column) // 2))
