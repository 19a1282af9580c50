"""`study trial`: one trial in this process, and whether it repeats the record that the store holds."""

import dataclasses
import math
from typing import Any

from rich.table import Table

from study.console import CONSOLE
from study.errors import DONE, FAILED, StudyError
from study.expand import PlannedTrial
from study.opened import Opened, open_study
from study.plan import Plan
from study.preflight import count_workers
from trainables.schema import Status, TrialRecord, column_unit

#: Columns that no rerun repeats: times, memory, and where and with what it ran.
RUN_COLUMNS = frozenset(
    {
        "attempt", "started_at", "seconds_total", "seconds_pretrain", "seconds_evaluate", "peak_memory_bytes",
        "device", "device_name", "threads", "execution_mode", "stack_size",
        "stack", "node", "python_version", "torch_version",
        "package_version", "git_revision", "error_traceback",
    }
)  # fmt: skip


def record_table(record: TrialRecord) -> Table:
    """Every column that has a value, the config and the traceback apart."""
    table = Table("column", "value", "unit", box=None)
    for name, value in vars(record).items():
        if value is not None and name not in ("config", "error_traceback"):
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            table.add_row(name, shown, column_unit(name))
    return table


def compare_records(stored: dict[str, Any], record: TrialRecord) -> str:
    """One line: whether the new record repeats the stored one to the bit, and where it does not."""
    new = vars(record)
    differing = [
        name
        for name, value in stored.items()
        if name not in RUN_COLUMNS and not _same(_plain(value), _plain(new[name]))
    ]
    if differing:
        return f"The store holds another record of this trial; it differs in {', '.join(differing)}."
    return "The store holds this trial's record; the new one equals it to the bit, times and memory apart."


def _plain(value: Any) -> Any:
    """Maps come back from Parquet as lists of pairs."""
    return sorted(dict(value).items()) if isinstance(value, (dict, list)) else value


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def run_one_trial(study: str, trial_id: str | None, store: str, data_root: str | None, *, put: bool) -> int:
    """`study trial`: the debugging door. Returns the exit code."""
    opened = open_study(study, store, data_root)
    chosen = _choose(opened.plan, trial_id)
    count_workers(opened.loaded.spec.resources, None)
    if put:
        opened.store.prepare()
    CONSOLE.print(f"trial {chosen.keys.trial_id}: {chosen.title}")
    stored = opened.store.read({chosen.keys.trial_id}).table.to_pylist()
    attempt = opened.store.next_attempts().get(chosen.keys.trial_id, 0)
    record = _run(chosen, stored[0]["stack"] if stored else None, opened, attempt)
    CONSOLE.print(record_table(record))
    if record.error_traceback:
        CONSOLE.print(record.error_traceback)
    if stored:
        CONSOLE.print(compare_records(stored[0], record), soft_wrap=True)
    elif put:
        CONSOLE.print(f"Record: {opened.store.put(record)}", soft_wrap=True)
    return DONE if record.status in (Status.OK, Status.DIVERGED) else FAILED


def _run(chosen: PlannedTrial, stack: str | None, opened: Opened, attempt: int) -> TrialRecord:
    """Train it anew, kept encoders or not, and in the company that it was trained in before."""
    from trainables.trial import run_trials  # torch: seconds, once the words are known to be right

    known = {trial.keys.trial_id: trial for trial in opened.plan.trials}
    ids = stack.split() if stack else [chosen.keys.trial_id]
    if not set(ids) <= set(known):
        CONSOLE.print(
            "It was trained in one stack with trials that the study has no more; now it trains alone."
        )
        ids = [chosen.keys.trial_id]
    elif len(ids) > 1:
        CONSOLE.print(f"It trains in one stack with {len(ids) - 1} other trials, as it did before.")
    runtime = dataclasses.replace(opened.workshop.runtime, artefacts=None)
    records = run_trials([known[id_].config for id_ in ids], runtime=runtime, attempts=[attempt] * len(ids))
    return next(record for record in records if record.trial_id == chosen.keys.trial_id)


def _choose(plan: Plan, trial_id: str | None) -> PlannedTrial:
    if trial_id is None:
        return (plan.missing or list(plan.trials))[0]
    fitting = [trial for trial in plan.trials if trial.keys.trial_id.startswith(trial_id)]
    if len(fitting) != 1:
        raise StudyError(
            f"trial: got '{trial_id}', which fits {len(fitting)} of the {len(plan.trials)} trials of "
            f"{plan.spec.name}; give an id, or enough of its beginning"
        )
    return fitting[0]
