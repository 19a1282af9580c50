"""What every column of a table was taken for, in words: for the terminal, for the report, and for messages."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from analysis.model.info import DIFFERS, TRAINS_ENCODER, ColumnMeaning
from analysis.model.metric import Metric
from analysis.tables.columns import Understood, free_columns
from analysis.tables.evaluation_words import encoder_trained
from analysis.tables.exports.words import is_housekeeping
from analysis.tables.metric import metric_words
from analysis.tables.metric_words import is_outcome
from analysis.tables.names import named_columns
from analysis.tables.plain_columns import plain_columns
from analysis.tables.statuses import status_words
from analysis.tables.usual_names import EVALUATED
from analysis.tables.values import is_time, numbers_or_none
from analysis.wording import counted

#: What is said of hyperparameters whose values never repeat.
_CHOSEN = "; they never repeat: chosen by an adaptive search, so the space is not covered"
_DRAWN = (
    "; they never repeat: drawn, as in a random search (if a search such as TPE chose them, say --adaptive)"
)


def meanings(table: Understood, metric: Metric) -> tuple[ColumnMeaning, ...]:
    """What every column was taken for, in words."""
    mapping, rows, found = table.mapping, table.rows, table.found
    words = metric_words(mapping, metric)
    told = [
        _meaning([mapping.loss], "loss", counted(rows[mapping.loss].nunique(), "name")),
        _meaning([mapping.seed], "seed", counted(rows[mapping.seed].nunique(), "value")),
        _meaning([mapping.data], "data set", ""),
        _meaning([mapping.status], "status", status_words(rows[mapping.status]) if mapping.status else ""),
        _meaning([mapping.metric], "metric", words[mapping.metric]),
        _meaning([mapping.selects], "chooses configurations", words.get(mapping.selects or "", "")),
    ]
    for name in found.axes:
        drawn = (_CHOSEN if mapping.adaptive else _DRAWN) if name in table.drawn else ""
        text = "" if rows[name].dtype.kind in "iuf" else ", text"
        told.append(
            _meaning([name], "hyperparameter", f"{counted(rows[name].nunique(), 'value')}{text}{drawn}")
        )
    evaluation = _trained_encoders(table)
    told.extend(evaluation)
    about = {name for each in evaluation for name in each.columns}
    for name in (name for name in found.between if name not in about):
        per_loss = rows.groupby(mapping.loss, sort=False)[name].first().dropna()
        values = ", ".join(f"{value} of {loss}" for loss, value in per_loss.items())
        by_loss = dict(zip(map(str, per_loss.index), per_loss.tolist(), strict=True))
        told.append(dataclasses.replace(_meaning([name], DIFFERS, values), by_loss=by_loss))
    for name, leader in found.follows.items():
        told.append(_meaning([name], f"follows {leader}", "no hyperparameter of its own"))
    told.append(_meaning(table.described, "representation", ""))
    told.append(_meaning(list(table.facts.values()), "protocol", ""))
    used = {*table.described, *table.facts.values(), *found.follows, *found.between, *about}
    rest = [name for name in free_columns(rows, mapping) if name not in used]
    by_reason: dict[str, list[str]] = {}
    for name in rest:
        by_reason.setdefault(_reason(table, name), []).append(name)
    told.extend(_meaning(columns, "not used", reason) for reason, columns in by_reason.items())
    return tuple(each for each in told if each.columns)


def _trained_encoders(table: Understood) -> list[ColumnMeaning]:
    """The columns that tell whether labels train the encoder, with the losses of which at least one row says so."""
    told = []
    for name in map(str, table.rows.columns):
        if name == table.mapping.metric or (trained := encoder_trained(name, table.rows[name])) is None:
            continue
        losses = trained.fillna(False).astype(bool).groupby(table.rows[table.mapping.loss], sort=False).any()
        by_loss = {str(loss): bool(each) for loss, each in losses.items()}
        detail = "whether labels train the encoder"
        told.append(ColumnMeaning(columns=(name,), role=TRAINS_ENCODER, detail=detail, by_loss=by_loss))
    return told


def _meaning(columns: Sequence[str | None], role: str, detail: str) -> ColumnMeaning:
    return ColumnMeaning(columns=tuple(name for name in columns if name), role=role, detail=detail)


def _reason(table: Understood, name: str) -> str:
    if name in table.mapping.ignore:
        return "by --ignore"
    if name in table.found.outcomes:
        return f"an outcome: {table.found.outcomes[name]}"
    if table.roles.get(name) == "housekeeping" or is_housekeeping(name):
        return "housekeeping, by its name"
    if table.roles.get(name) == "metric" or is_outcome(name):
        return "an outcome, by its name"
    if is_time(table.rows[name]):
        return "a time"
    if table.rows[name].nunique() <= 1:
        return "the same in every row"
    return "neither named nor known"


def metric_candidates(rows: pd.DataFrame) -> list[str]:
    """Columns that may be the metric: those with names of evaluations or of outcomes, else all numbers."""
    named = named_columns(plain_columns(rows))
    numbers = [
        str(name)
        for name in named.rows.columns
        if numbers_or_none(named.rows[name], infinite=True) is not None
    ]
    evaluated = [name for name in numbers if name.startswith(EVALUATED)]
    outcomes = [name for name in numbers if named.roles.get(name) == "metric" or is_outcome(name)]
    return evaluated or outcomes or numbers
