"""Failed and missing trials of a study: groups of equal failures, and one line about the missing trials.

The commands `failures`, `retry`, `run` and `report`, and the page of `study watch` show them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.names import brief, visible
from study.console import shell_line
from study.loaded import LoadedStudy

#: Numbers in messages, such as batch sizes and memory. Failures that differ only in numbers are in one group.
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


#: Characters of an error in a title, and of a traceback.
_LONGEST, LONGEST_TRACEBACK = 500, 20_000


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """Trials with the same failure. `rows` has the latest record of each, and at least one record."""

    rows: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The first record, as the example of the group."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """The title of the group as one line, such as `3 crashed: RuntimeError: the batch is too large`."""
        error = ": ".join(filter(None, (self.first["error_class"], self.first["error_message"])))
        differ = len({row["error_message"] for row in self.rows}) > 1
        alike = " (of the first; the others differ in numbers)" if differ else ""
        said = visible(brief(error or "no error was recorded", _LONGEST))
        return f"{len(self.rows)} {self.first['status']}: {said}{alike}"


def group_failures(rows: list[Mapping[str, Any]]) -> list[FailureGroup]:
    """Group records by status, error class and message without numbers. The largest group comes first."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        message = _NUMBER.sub("#", row["error_message"] or "")
        groups.setdefault((row["status"], row["error_class"] or "", message), []).append(row)
    return sorted((FailureGroup(rows=tuple(rows)) for rows in groups.values()), key=lambda g: -len(g.rows))


def missing_line(loaded: LoadedStudy, study: str, store: str) -> str:
    """One line about trials without a record and how to run them; "" if there are none. They are not failures."""
    count = loaded.plan.counts()["missing"]
    if not count:
        return ""
    found = "1 trial is missing" if count == 1 else f"{count} trials are missing"
    why = (
        "the study or its code changed since, or they never ran"
        if count > 1
        else "it never ran, or code changed"
    )
    return f"{found} ({why}): {study_command('run', study, store=store)}"


def study_command(*words: object, store: str) -> str:
    """A `study` command as the reader can give it, with `--store` if the store is not the usual one."""
    return shell_line("study", *words, *(() if store == "./results" else ("--store", store)))
