"""Finds the columns of losses, seeds, statuses and data sets that the mapping does not name."""

import dataclasses
import difflib
from collections.abc import Sequence

import pandas as pd

from analysis.tables.mapping import TableMapping
from analysis.tables.names import Named
from analysis.tables.statuses import has_statuses
from analysis.tables.usual_names import DATA_SETS, LOSSES, SEEDS, STATUSES, plain
from analysis.tables.values import values
from trainables.suggestion import first_names


def translated(mapping: TableMapping, named: Named) -> TableMapping:
    """The mapping with bare names. Raises `ValueError` for a column that the table lacks."""

    def bare(name: str) -> str:
        if name in named.bare:
            return named.bare[name]
        if name in named.rows.columns:
            return name
        known = [*map(str, named.rows.columns)]
        near = difflib.get_close_matches(name, known, n=3) or known[:12]
        raise ValueError(f"table: no column {name!r}; did you mean {', '.join(near)}?")

    one = {
        key: bare(value)
        for key in ("metric", "selects", "loss", "seed", "status", "data", "x", "main")
        if (value := getattr(mapping, key)) is not None
    }
    many = {key: tuple(map(bare, getattr(mapping, key))) for key in ("axes", "describes", "ignore")}
    measures = {bare(name): measure for name, measure in (mapping.measures or {}).items()} or None
    temperatures = {bare(name): law for name, law in (mapping.temperatures or {}).items()} or None
    return dataclasses.replace(mapping, **one, **many, measures=measures, temperatures=temperatures)  # type: ignore[arg-type]


def with_usual_columns(rows: pd.DataFrame, mapping: TableMapping, named: Named) -> TableMapping:
    taken = {*meant(mapping), mapping.x, mapping.main, *mapping.axes, *mapping.ignore}
    free = [str(name) for name in rows.columns if name not in taken]
    loss = mapping.loss or _loss_column(rows, free)
    seed = mapping.seed or _seed_column(rows, free)
    if seed is None:
        raise ValueError(
            f"seed: no column has a usual name ({', '.join(SEEDS[:3])}, …); the table needs one row for each trial, "
            "and the column with its seed, which --seed names; "
            f"the columns are {first_names(free)}"
        )
    status = mapping.status or next((name for name in free if named.roles.get(name) == "status"), None)
    if status is None:
        status = next(
            (
                name
                for name in free
                if plain(name) in STATUSES and (name == STATUSES[0] or has_statuses(rows[name]))
            ),
            None,
        )
    data = mapping.data or next(
        (name for name in _all_usual(free, DATA_SETS) if rows[name].notna().any()), None
    )
    return dataclasses.replace(mapping, loss=loss, seed=seed, status=status, data=data)


def _seed_column(rows: pd.DataFrame, free: Sequence[str]) -> str | None:
    """The column of seeds: of those with a usual name, the first that varies."""
    found = _all_usual(free, SEEDS)
    return next((name for name in found if rows[name].nunique() > 1), next(iter(found), None))


def _loss_column(rows: pd.DataFrame, free: Sequence[str]) -> str:
    """The column that names the losses. A column of numbers called `loss` is a value of the training."""
    found = _all_usual(free, LOSSES)
    named = [name for name in found if not _are_measured(values(rows[name]))]
    if len(named) > 1 and plain(named[0]) != LOSSES[0]:
        raise ValueError(f"loss: {first_names(named)} may name the losses; say which with --loss")
    if not named:
        raise ValueError(
            f"loss: no column has a usual name ({', '.join(LOSSES[:3])}, …); name it with --loss; "
            f"the columns are {first_names(free)}"
        )
    return named[0]


def _are_measured(column: pd.Series) -> bool:
    """Whether a column has numbers that hardly repeat."""
    return column.dtype.kind == "f" and column.nunique() > max(2, len(column) // 2)


def _all_usual(columns: Sequence[str], usual: Sequence[str]) -> list[str]:
    """The columns with a usual name, in the order of the usual names."""
    return sorted(
        (name for name in columns if plain(name) in usual), key=lambda name: usual.index(plain(name))
    )


def meant(mapping: TableMapping) -> list[str | None]:
    """Columns with a meaning other than that of a hyperparameter."""
    single = [mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.status, mapping.data]
    return [*single, *mapping.describes]
