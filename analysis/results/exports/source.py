"""The place of an export: a path, or a URL `sqlite:///PATH`, perhaps with the choice of one study in it."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from trainables.suggestion import first_names

#: Keys that choose one of several studies, experiments or projects of a source: `PATH?study=NAME`.
_CHOICES = ("study", "experiment", "project")

#: The most names in a message.
_NAMED = 20

#: First bytes of every SQLite database.
_MAGIC = b"SQLite format 3\0"

_SQLITE = "sqlite:///"

#: Seconds that a reader waits for a database that another process has locked.
_PATIENCE = 2.0


@dataclass(frozen=True, kw_only=True)
class Source:
    """A local path, and the choice that stands behind it."""

    path: Path
    is_url: bool  # whether `sqlite:///` stands before it
    key: str = ""  # one of `_CHOICES`, or empty
    name: str = ""

    def chosen(self, names: Sequence[str], key: str) -> str:
        """The one name that is meant. Raises `ValueError` where several may be, or where the choice is unknown."""
        if self.key and self.key != key:
            raise ValueError(f"{self.path}: ?{self.key}= is no choice here; allowed is ?{key}=NAME")
        if self.key and self.name not in names:
            raise ValueError(
                f"{self.path}: no {key} {self.name!r}; it holds {first_names(sorted(names), _NAMED)}"
            )
        if not names:
            raise ValueError(f"{self.path}: it holds no {key} with trials")
        if len(names) > 1 and not self.key:
            prefix = _SQLITE if self.is_url else ""
            raise ValueError(
                f"{self.path}: it holds {len(names)} {_plural(key)} ({first_names(sorted(names), _NAMED)}); "
                f"name one, as in '{prefix}{self.path}?{key}={sorted(names)[0]}'"
            )
        return self.name if self.key else names[0]


def _plural(key: str) -> str:
    return "studies" if key == "study" else f"{key}s"


def parse_source(source: str | Path) -> Source | None:
    """The place of an export; None for a URL that is no local database.

    Raises `ValueError` for a database on a server.
    """
    text = str(source)
    if text.startswith(("mysql", "postgresql")) and "://" in text:
        raise ValueError(
            f"{text.partition(':')[0]}: databases on servers are not read; save the frame of the study "
            "(`study.trials_dataframe().to_csv(FILE)`, `mlflow.search_runs().to_csv(FILE)`)"
        )
    is_url = text.startswith(_SQLITE)
    text = text.removeprefix(_SQLITE).removeprefix("file://")
    if "://" in text:
        return None
    if os.path.exists(text):  # a path may have a question mark
        return Source(path=Path(text), is_url=is_url)
    place, mark, choice = text.rpartition("?")
    key, is_choice, name = choice.partition("=")
    if mark and is_choice and key in _CHOICES:
        return Source(path=Path(place), is_url=is_url, key=key, name=unquote(name))
    return Source(path=Path(text), is_url=is_url)


def local_path(source: str | Path) -> Path | None:
    """The path in `source` without a leading `sqlite:///` and a trailing choice; None for a URL elsewhere."""
    place = parse_source(source)
    return place.path if place else None


def is_database(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads. Raises `ValueError` with one line for a database that cannot be read."""
    try:
        with closing(read_only(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"{path}: the database cannot be read ({error})") from error


def read_only(path: Path) -> sqlite3.Connection:
    """A new connection that writes nothing."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
