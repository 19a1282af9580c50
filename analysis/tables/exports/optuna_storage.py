"""Reads storages of Optuna: a SQLite database or a journal file, with Optuna itself.

Optuna is imported when a storage is read, which takes one to two seconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.tables.exports.database import read_only, reason_of
from analysis.tables.exports.source import Source
from analysis.tables.sizes import check_size
from trainables.reading import parse_json
from trainables.suggestion import first_line

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

#: Tables that every storage of Optuna has.
TABLES = {"studies", "trials", "trial_params"}

#: Tables that Optuna reads.
READ = TABLES | {
    "alembic_version", "study_directions", "study_system_attributes", "study_user_attributes", "trial_heartbeats",
    "trial_intermediate_values", "trial_system_attributes", "trial_user_attributes", "trial_values", "version_info",
}  # fmt: skip


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
    from optuna.storages import RDBStorage

    def opened() -> "BaseStorage":
        creator = {"creator": lambda: read_only(source.path)}
        return RDBStorage(_SQLITE_URL, engine_kwargs=creator, skip_table_creation=True)

    return _trials(opened, source, "the storage cannot be read")


def journal_trials(source: Source) -> pd.DataFrame:
    """The frame `trials_dataframe()` of the study in a journal file."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return _trials(
        lambda: JournalStorage(JournalFileBackend(str(source.path))), source, "the journal is damaged"
    )


#: What a storage is told; the connection comes from `creator`.
_SQLITE_URL = "sqlite://"


def _trials(opened: "Callable[[], BaseStorage]", source: Source, fault: str) -> pd.DataFrame:
    from optuna import load_study

    with _reading(source, fault):
        storage = opened()
        names = [study.study_name for study in storage.get_all_studies()]
        strange = next((name for name in names if not isinstance(name, str)), "")
        if strange != "":
            raise TypeError(f"the study name {strange!r:.40}")
    name = source.chosen(names, "study")
    with _reading(source, fault):
        study = load_study(study_name=name, storage=storage)
        trials = study.get_trials(deepcopy=False)
        keys = {
            (kind, key)
            for trial in trials
            for kind, told in enumerate((trial.params, trial.user_attrs, trial.system_attrs))
            for key in told
        }
    try:
        check_size(len(trials), len(keys))
    except ValueError as error:
        raise ValueError(f"{source.path}: {error}") from error
    with _reading(source, fault):
        rows = study.trials_dataframe()
    if rows.empty:
        raise ValueError(f"{source.path}: the study has no trials")
    return rows


@contextmanager
def _reading(source: Source, fault: str) -> Iterator[None]:
    """Raises `ValueError` with the name of the file for whatever Optuna raises for values that it never wrote."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    strange = (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        ArithmeticError,
        RecursionError,
    )
    try:
        yield
    except strange as error:
        reason = f"a value that Optuna does not write: {first_line(error) or type(error).__name__}"
        raise ValueError(f"{source.path}: {fault} ({reason})") from error
    except (OptunaError, SQLAlchemyError, RuntimeError) as error:
        raise ValueError(f"{source.path}: {fault} ({reason_of(error)})") from error
