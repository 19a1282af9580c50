"""Reads storages of Optuna: a SQLite database or a journal file, with Optuna itself.

Optuna is imported when a storage is read, which takes one to two seconds.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.results.exports.source import Source, read_only
from trainables.reading import parse_json
from trainables.suggestion import first_line

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

#: Tables that every storage of Optuna has.
TABLES = {"studies", "trials", "trial_params"}


def is_journal(path: Path) -> bool:
    """Whether a file is a journal: lines of JSON, each an operation of a worker."""
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    try:
        first = parse_json(line)
    except ValueError:
        return False
    return isinstance(first, dict) and {"op_code", "worker_id"} <= set(first)


def database_trials(source: Source) -> pd.DataFrame:
    """The frame `trials_dataframe()` of the study in a database, which is not written to."""
    from optuna.exceptions import OptunaError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    try:
        storage = RDBStorage(
            _SQLITE_URL, engine_kwargs={"creator": lambda: read_only(source.path)}, skip_table_creation=True
        )
        return _trials(storage, source)
    except (OptunaError, SQLAlchemyError, RuntimeError) as error:
        raise ValueError(f"{source.path}: the storage cannot be read ({_reason(error)})") from error


def journal_trials(source: Source) -> pd.DataFrame:
    """The frame `trials_dataframe()` of the study in a journal file."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        storage = JournalStorage(JournalFileBackend(str(source.path)))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ValueError(f"{source.path}: the journal is damaged ({_reason(error)})") from error
    return _trials(storage, source)


#: What a storage is told; the connection comes from `creator`.
_SQLITE_URL = "sqlite://"


def _trials(storage: "BaseStorage", source: Source) -> pd.DataFrame:
    from optuna import load_study

    names = [study.study_name for study in storage.get_all_studies()]
    rows = load_study(study_name=source.chosen(names, "study"), storage=storage).trials_dataframe()
    if rows.empty:
        raise ValueError(f"{source.path}: the study has no trials")
    return rows


def _reason(error: BaseException) -> str:
    """The innermost cause in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
