"""Opens SQLite databases of strangers: only plain tables of a bounded size are read, and every query ends."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from analysis.tables.sizes import check_bytes, check_cells
from trainables.reading import TABLE_BYTES, check_regular
from trainables.suggestion import first_line

#: First bytes of every SQLite database.
_MAGIC = b"SQLite format 3\0"

#: The place of the byte that is 2 where a database keeps a write-ahead log.
_LOG_BYTE = 19

#: Endings of the files that SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal")

#: Seconds that a reader waits for a database that another process has locked.
_PATIENCE = 2.0

#: The most bytes of a cell and of a row.
_LONGEST_CELL = 1 << 26

#: The most steps of SQLite's machine in one connection, 10 to 20 seconds, and after how many they are counted.
_MOST_STEPS, _STEPS_AT_ONCE = 1_000_000_000, 100_000


def is_database(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_only(path: Path) -> sqlite3.Connection:
    """A new connection that writes nothing and whose queries end.

    Raises `OSError` for a file beside the database that is not regular or leads elsewhere.
    """
    for ending in _BESIDE:
        if os.path.lexists(beside := f"{path}{ending}"):
            check_regular(beside, TABLE_BYTES, path.parent)
    settings = "mode=ro&immutable=1" if _is_closed_log(path) else "mode=ro"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{settings}", uri=True, timeout=_PATIENCE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(_step_limit(_MOST_STEPS), _STEPS_AT_ONCE)
    return connection


def _is_closed_log(path: Path) -> bool:
    """Whether a database keeps a write-ahead log, and no process has it open.

    SQLite makes the files of the log even for a reader, unless it is told that the database does not change. That is
    no choice for other databases, which a running study may write to.
    """
    with path.open("rb") as file:
        header = file.read(_LOG_BYTE + 1)
    return header[_LOG_BYTE:] == b"\2" and not os.path.lexists(f"{path}-wal")


def _step_limit(steps: int) -> Callable[[], bool]:
    """Says, after each `_STEPS_AT_ONCE` steps, whether the query must end."""
    taken = 0

    def is_over() -> bool:
        nonlocal taken
        taken += _STEPS_AT_ONCE
        return taken > steps

    return is_over


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads. Raises `ValueError` with one line for a database that cannot be read."""
    try:
        with closing(read_only(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"{path}: the database cannot be read ({reason_of(error)})") from error


def reason_of(error: BaseException) -> str:
    """The innermost cause in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
        return f"its queries take more than {_MOST_STEPS:,} steps"
    return first_line(error) or type(error).__name__


def table_names(path: Path) -> set[str]:
    """The names of the tables and views in a database."""
    with connected(path) as database:
        return {
            name for (name,) in database.execute("SELECT name FROM sqlite_master") if isinstance(name, str)
        }


def check_tables(path: Path, tables: Iterable[str]) -> None:
    """Raise `ValueError` unless these are plain tables, as far as the database has them, of a bounded size.

    A view, a virtual table, a generated column and a trigger compute what is read: a few bytes of them make rows or
    texts without end. Other objects of the database are not read, and may be so.
    """
    wanted = sorted(tables)
    with connected(path) as database:
        # This lists what SQLite makes of the schema, whose rows may be forged. Names are alike in any case.
        kinds = {
            name.lower(): kind
            for kind, name in database.execute(
                "SELECT type, name FROM pragma_table_list WHERE schema = 'main'"
            )
        }
        triggers = {
            str(table).lower(): name
            for table, name in database.execute(
                "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
            )
        }
        for name in wanted:
            if kinds.get(name, "table") != "table":
                raise ValueError(
                    _not_plain(path, name, f"a {kinds[name]}{' table' * (kinds[name] != 'view')}")
                )
            if name in triggers:
                raise ValueError(_not_plain(path, name, f"a table with the trigger {triggers[name]!r:.60}"))
            columns = database.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 0", (name,))
            for (column,) in columns:
                raise ValueError(_not_plain(path, name, f"a table with the generated column {column!r:.60}"))
        try:
            _check_content(database, [name for name in wanted if name in kinds])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _not_plain(path: Path, name: str, what: str) -> str:
    return f"{path}: {name!r} is {what}, must be a plain table"


def _check_content(database: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Raise `ValueError` for tables that hold too many values or bytes together.

    The size of the file is no bound: pages of a forged database can stand for many rows, and the default of a column
    stands for each row.
    """
    cells, size = 0, 0
    for table in tables:
        for row in database.execute(f"SELECT * FROM {table}"):
            cells += len(row)
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            check_cells(cells)
            check_bytes(size)
