"""`study failures`: the failed trials of a study, grouped by error, with one traceback each."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, JSON, STORE, guarded
from study.console import CONSOLE

if TYPE_CHECKING:
    from study.loaded import LoadedStudy
    from study.report.failures import FailureGroup

#: The most trials of a group that are listed.
_NAMED = 3


@click.command("failures")
@click.argument("study")
@STORE
@DATA_ROOT
@JSON
@guarded
def command(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show failed trials of STUDY by error, with one traceback each."""
    from study.loaded import load_study
    from study.report.failures import group_failures, missing_line
    from trainables.store.attempts import failures

    loaded = load_study(study, store, data_root, whole=False)
    titles = {trial.keys.trial_id: trial.title for trial in loaded.plan.trials}
    groups = group_failures(failures(loaded.plan.records.table))
    if as_json:
        print(json.dumps(_summary(loaded, groups, titles)))
        return
    CONSOLE.print(_head_line(loaded, groups))
    for group in groups:
        _show_group(group, titles, study, "" if store == "./results" else f" --store {store}")
    if groups:
        CONSOLE.print()
    if line := missing_line(loaded, study, store):
        CONSOLE.print(line, soft_wrap=True)


def _head_line(loaded: "LoadedStudy", groups: list["FailureGroup"]) -> str:
    failed, recorded = sum(len(group.rows) for group in groups), loaded.plan.records.table.num_rows
    if not groups:
        return f"{loaded.name}: none of the {recorded} recorded trials failed."
    ways = "one way" if len(groups) == 1 else f"{len(groups)} ways"
    return f"{loaded.name}: {failed} of {recorded} recorded trials failed, in {ways}."


def _show_group(group: "FailureGroup", titles: Mapping[str, str], study: str, store: str) -> None:
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


def _summary(
    loaded: "LoadedStudy", groups: list["FailureGroup"], titles: Mapping[str, str]
) -> dict[str, Any]:
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
