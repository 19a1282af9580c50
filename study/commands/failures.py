"""`study failures`: what went wrong, grouped by error, with one traceback each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from study.console import CONSOLE
from study.loaded import LoadedStudy, load_study
from trainables.store.attempts import failures

#: Trials that are named of each group.
_NAMED = 3

#: Numbers in messages: batch sizes, memory, steps; failures that differ in them alone are of one kind.
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """Trials that failed alike: `rows` are their records' latest attempts, the first of which is shown."""

    rows: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The one that is shown."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """Such as `3 crashed: RuntimeError: the batch is too large`."""
        error = ": ".join(filter(None, (self.first["error_class"], self.first["error_message"])))
        differ = len({row["error_message"] for row in self.rows}) > 1
        alike = " (of the first; the others differ in numbers)" if differ else ""
        return f"{len(self.rows)} {self.first['status']}: {error or 'no error was recorded'}{alike}"


def group_failures(rows: list[Mapping[str, Any]]) -> list[FailureGroup]:
    """Groups of equal status, error class and message, numbers in the message apart; the largest first."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        message = _NUMBER.sub("#", row["error_message"] or "")
        groups.setdefault((row["status"], row["error_class"] or "", message), []).append(row)
    return sorted((FailureGroup(rows=tuple(rows)) for rows in groups.values()), key=lambda g: -len(g.rows))


def show_failures(study: str, store: str, data_root: str | None, *, as_json: bool) -> None:
    """`study failures`."""
    loaded = load_study(study, store, data_root)
    titles = {trial.keys.trial_id: trial.title for trial in loaded.plan.trials}
    groups = group_failures(failures(loaded.plan.records.table))
    if as_json:
        print(json.dumps(_summary(loaded, groups, titles)))
        return
    failed, recorded = sum(len(group.rows) for group in groups), loaded.plan.records.table.num_rows
    if not groups:
        CONSOLE.print(f"{loaded.name}: none of the {recorded} recorded trials failed.")
        _say_missing(loaded, study, store)
        return
    ways = "one way" if len(groups) == 1 else f"{len(groups)} ways"
    CONSOLE.print(f"{loaded.name}: {failed} of {recorded} recorded trials failed, in {ways}.")
    for group in groups:
        _show_group(group, titles, study, "" if store == "./results" else f" --store {store}")
    CONSOLE.print()
    _say_missing(loaded, study, store)


def _say_missing(loaded: LoadedStudy, study: str, store: str) -> None:
    if line := missing_line(loaded, study, store):
        CONSOLE.print(line, soft_wrap=True)


def missing_line(loaded: LoadedStudy, study: str, store: str) -> str:
    """One line on trials without a record, which are no failures, and how to run them; "" where there are none."""
    count = loaded.plan.counts()["missing"]
    if not count:
        return ""
    said = "1 trial is missing" if count == 1 else f"{count} trials are missing"
    why = (
        "the study or its code changed since, or they never ran"
        if count > 1
        else "it never ran, or code changed"
    )
    return f"{said} ({why}): study run {study}{'' if store == './results' else f' --store {store}'}"


def _show_group(group: FailureGroup, titles: Mapping[str, str], study: str, store: str) -> None:
    first = group.first
    CONSOLE.print(f"\n{group.title}", style="bold", soft_wrap=True)
    for row in group.rows[:_NAMED]:
        CONSOLE.print(f"  {row['trial_id']}  {titles[row['trial_id']]}", soft_wrap=True)
    if len(group.rows) > _NAMED:
        CONSOLE.print(f"  and {len(group.rows) - _NAMED} more")
    trace = first["error_traceback"]
    CONSOLE.print("\n  Traceback of the first:" if trace else "\n  No traceback: its process died.")
    for line in (trace or "").splitlines():
        CONSOLE.print(f"    {line}", soft_wrap=True)
    CONSOLE.print(f"\n  Look at the first: study trial {study} {first['trial_id']}{store}", soft_wrap=True)
    how = f"--error {first['error_class']}" if first["error_class"] else f"--status {first['status']}"
    CONSOLE.print(f"  Run all again:     study retry {study} {how}{store}", soft_wrap=True)


def _summary(loaded: LoadedStudy, groups: list[FailureGroup], titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "study": loaded.name,
        "recorded": loaded.plan.records.table.num_rows,
        "failed": sum(len(group.rows) for group in groups),
        "groups": [
            {
                **{name: group.first[name] for name in ("status", "error_class", "error_message")},
                "traceback": group.first["error_traceback"],
                "trials": [
                    {"trial_id": row["trial_id"], "title": titles[row["trial_id"]], "attempt": row["attempt"]}
                    for row in group.rows
                ],
            }
            for group in groups
        ],
    }
