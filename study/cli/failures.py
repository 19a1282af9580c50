"""`study failures`: the failed trials of a study, grouped by error, with one traceback each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from analysis.names import brief
from study.cli.options import DATA_ROOT, JSON, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, say, say_json

if TYPE_CHECKING:
    from study.report.failures import FailureGroup
    from trainables.store.records import RecordSet

#: The most trials of a group that are listed.
_NAMED = 3


@click.command("failures")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@JSON
@guarded
def command(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show failed trials of STUDY by error, with one traceback each.

    STUDY or the store may be a bundle, packed or unpacked.
    """
    from study.loaded import load_study, say_damaged
    from study.report.bundle import open_study_bundle
    from study.report.failures import missing_line

    with open_study_bundle(study, store) as bundle:
        if bundle is not None:
            say_damaged(bundle.records)
            _show_failures(bundle.info.name, bundle.records, bundle.titles(), as_json=as_json)
            return
    loaded = load_study(study, store, data_root, whole=False)
    titles = {trial.keys.trial_id: trial.title for trial in loaded.plan.trials}
    _show_failures(loaded.name, loaded.plan.records, titles, as_json=as_json, again=(study, store))
    if as_json:
        return
    if line := missing_line(loaded, study, store):
        say(line)


def _show_failures(
    name: str,
    records: "RecordSet",
    titles: Mapping[str, str],
    *,
    as_json: bool,
    again: tuple[str, str] | None = None,
) -> None:
    """Print the groups of failures. `again` is the study and the store for the commands that run a trial again."""
    from study.report.failures import group_failures
    from trainables.store.attempts import failures

    groups = group_failures(failures(records.table))
    if as_json:
        say_json(_summary(name, records, groups, titles))
        return
    say(_head_line(name, records, groups))
    for group in groups:
        _show_group(group, titles, again)
    if groups and again is not None:
        CONSOLE.print()


def _head_line(name: str, records: "RecordSet", groups: list["FailureGroup"]) -> str:
    failed, recorded = sum(len(group.rows) for group in groups), records.table.num_rows
    if not groups:
        return f"{name}: none of the {recorded} recorded trials failed."
    ways = "one way" if len(groups) == 1 else f"{len(groups)} ways"
    return f"{name}: {failed} of {recorded} recorded trials failed, in {ways}."


def _show_group(group: "FailureGroup", titles: Mapping[str, str], again: tuple[str, str] | None) -> None:
    from study.report.failures import LONGEST_TRACEBACK, study_command

    first = group.first
    CONSOLE.print()
    CONSOLE.print(group.title, style="bold", soft_wrap=True)
    for row in group.rows[:_NAMED]:
        say(f"  {row['trial_id']}  {titles[row['trial_id']]}")
    if len(group.rows) > _NAMED:
        CONSOLE.print(f"  and {len(group.rows) - _NAMED} more")
    trace = first["error_traceback"]
    CONSOLE.print("\n  Traceback of the first:" if trace else "\n  No traceback: its process died.")
    for line in brief(trace or "", LONGEST_TRACEBACK).splitlines():
        CONSOLE.print(f"    {line}", soft_wrap=True)
    if again is None:
        return
    study, store = again
    CONSOLE.print()
    say(f"  Look at the first: {study_command('trial', study, first['trial_id'], store=store)}")
    how = ("--error", first["error_class"]) if first["error_class"] else ("--status", first["status"])
    say(f"  Run all again:     {study_command('retry', study, *how, store=store)}")


def _summary(
    name: str, records: "RecordSet", groups: list["FailureGroup"], titles: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "study": name,
        "recorded": records.table.num_rows,
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
