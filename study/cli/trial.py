"""`study trial`: runs one trial in this process, and compares it with its record in the store."""

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, say
from study.errors import DONE, FAILED, StudyError

if TYPE_CHECKING:
    from study.plan import Plan
    from study.spec.expand import PlannedTrial
    from trainables.store.records import RecordStore
    from trainables.store.schema import TrialRecord


@click.command("trial")
@click.argument("study")
@click.argument("trial_id", required=False)
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option("--put", is_flag=True, help="Put the record into the store if the trial is missing there.")
@guarded
def command(study: str, trial_id: str | None, store: str, data_root: str | None, put: bool) -> int:
    """Run one trial of STUDY in this process, without Ray, and show its record.

    TRIAL_ID may be shortened. Without it, the first missing trial runs, or the first trial if none is missing. If the
    store has a record of the trial, it is compared with the new one, column by column. Exit code 1 when the trial
    fails.
    """
    from study.launch.capacity import count_workers
    from study.launch.memory import check_memory
    from study.launch.rerun import rerun
    from study.loaded import load_study
    from trainables.store.schema import Status

    loaded = load_study(study, store, data_root, whole=False)
    chosen = _choose(loaded.plan, trial_id)
    count_workers(loaded.study_file.spec.resources, None)
    check_memory(loaded.plan.spec, loaded.plan.trial_set)
    if put:
        loaded.store.prepare()
    CONSOLE.print(f"trial {chosen.keys.trial_id}: {chosen.title}")
    stored = _stored(loaded.store, chosen)
    stack = _stack(chosen, stored[0] if stored else None, loaded.plan)
    attempt = loaded.store.next_attempts().get(chosen.keys.trial_id, 0)
    record = rerun(stack, loaded.context, attempt)[chosen.keys.trial_id]
    CONSOLE.print(record_table(record, kept=put and not stored))
    if record.error_traceback:
        CONSOLE.print(record.error_traceback)
    if stored:
        say(compare_records(stored[0], record))
    elif put:
        say(f"Record: {loaded.store.put(record)}")
    return DONE if record.status in (Status.OK, Status.DIVERGED) else FAILED


def record_table(record: "TrialRecord", *, kept: bool) -> Table:
    """All columns with a value, except config and traceback. A record that is not kept is shown without attempt."""
    table = Table("column", "value", "unit", box=None)
    left_out = {"config", "error_traceback"} | (set() if kept else {"attempt"})
    for name, value in vars(record).items():
        if value is not None and name not in left_out:
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            table.add_row(name, shown, shown_unit(name))
    return table


def shown_unit(column: str) -> str:
    """The unit of a record column, for tables: "" for values without a unit, such as seeds and versions."""
    from trainables.store.schema import column_unit

    unit = column_unit(column)
    return "" if unit == "1" else unit


def compare_records(stored: dict[str, Any], record: "TrialRecord") -> str:
    """One line that states whether the new record equals the stored one to the bit, or which columns differ."""
    from study.launch.rerun import differences

    if differing := differences(stored, record):
        return f"The store has a different record of this trial; it differs in {', '.join(differing)}."
    return (
        "The store has a record of this trial; the new one equals it to the bit, except for times and memory."
    )


def _stored(store: "RecordStore", chosen: "PlannedTrial") -> list[dict[str, Any]]:
    """The record of the trial, if any. A trial that early stopping ended does not count: here it runs to its end."""
    from trainables.store.schema import Status

    rows = store.read({chosen.keys.trial_id}).table.to_pylist()
    return [row for row in rows if row["status"] != Status.PRUNED]


def _stack(chosen: "PlannedTrial", stored: dict[str, Any] | None, plan: "Plan") -> "tuple[PlannedTrial, ...]":
    """The trials, including `chosen`, that train in one stack: the stack of its stored record."""
    from study.launch.rerun import stack_of

    stack = stack_of(stored, plan) if stored else (chosen,)
    if stack is None:
        CONSOLE.print(
            "It was trained in one stack with trials that the study no longer has; now it trains alone."
        )
        return (chosen,)
    if len(stack) > 1:
        others = "1 other trial" if len(stack) == 2 else f"{len(stack) - 1} other trials"
        CONSOLE.print(f"It trains in one stack with {others}, as it did before.")
    return stack


def _choose(plan: "Plan", trial_id: str | None) -> "PlannedTrial":
    from trainables.suggestion import shortened

    if trial_id is None:
        if not plan.trials:
            raise StudyError(f"trial: the search of {plan.spec.name} has not begun; run the study first")
        return (plan.missing or list(plan.trials))[0]
    fitting = [trial for trial in plan.trials if trial.keys.trial_id.startswith(trial_id)]
    if len(fitting) != 1:
        raise StudyError(
            f"trial: got {shortened(trial_id)}, which matches {len(fitting)} of the {len(plan.trials)} trials of "
            f"{plan.spec.name}; give an id, or enough of its beginning"
        )
    return fitting[0]
