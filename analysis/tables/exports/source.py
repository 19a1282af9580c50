"""The place of an export: a path, or a URL `sqlite:///PATH`, perhaps with the choice of one study in it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from trainables.suggestion import first_names

#: Keys that choose one of several studies, experiments or projects of a source: `PATH?study=NAME`.
_CHOICES = ("study", "experiment", "project")

#: The most names in a message.
_NAMED = 20

_SQLITE = "sqlite:///"


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
