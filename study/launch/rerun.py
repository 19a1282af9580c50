"""Runs a trial of the store again and compares the new record with the stored one."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext

#: Columns that a rerun does not reproduce: attempt, times, memory, and where, how and with what versions it ran.
RUN_COLUMNS = frozenset(
    {
        "attempt", "started_at", "seconds_total", "seconds_pretrain", "seconds_selection",
        "seconds_evaluate", "peak_memory_bytes",
        "device", "device_name", "threads", "execution_mode", "stack_size",
        "stack", "node", "python_version", "torch_version",
        "package_version", "git_revision", "error_traceback",
    }
)  # fmt: skip


def stack_of(row: Mapping[str, Any], plan: Plan) -> tuple[PlannedTrial, ...] | None:
    """The trials of the stack in which a record's trial was trained, in their order and including the trial itself.

    None if the study no longer contains all of them.
    """
    known = {trial.keys.trial_id: trial for trial in plan.trials}
    ids = row["stack"].split() if row["stack"] else [row["trial_id"]]
    return tuple(known[id_] for id_ in ids) if set(ids) <= set(known) else None


def rerun(stack: Sequence[PlannedTrial], context: LaunchContext, attempt: int = 0) -> dict[str, TrialRecord]:
    """Train a stack again, and return its new records by trial id. Kept encoders are ignored; nothing is written."""
    from trainables.runtime import StackFailedError
    from trainables.trial import run_trials

    runtime = dataclasses.replace(context.runtime, artefacts=None)
    try:
        records = list(
            run_trials([t.config for t in stack], runtime=runtime, attempts=[attempt] * len(stack))
        )
    except StackFailedError:  # then each trial runs alone, as in a worker
        records = [
            record for t in stack for record in run_trials([t.config], runtime=runtime, attempts=[attempt])
        ]
    return {record.trial_id: record for record in records}


def differences(stored: Mapping[str, Any], record: TrialRecord) -> dict[str, tuple[Any, Any]]:
    """The columns in which a new record differs from the stored one, each with its pair of values (stored, new).

    `RUN_COLUMNS` are left out.
    """
    new = vars(record)
    pairs = {name: (_plain(stored[name]), _plain(new[name])) for name in stored if name not in RUN_COLUMNS}
    return {name: (a, b) for name, (a, b) in pairs.items() if not _same(a, b)}


def _plain(value: Any) -> Any:
    """Turn a map into a dictionary. Parquet returns maps as lists of pairs."""
    return dict(value) if isinstance(value, (dict, list)) else value


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (a != a and b != b)  # here, NaN equals NaN
