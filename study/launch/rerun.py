"""Runs a trial of the store again and compares: does it repeat its record?"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext

#: Columns that no rerun repeats: times, memory, and where and with what it ran.
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
    """The trials that a record's trial was trained in one stack with, itself among them, in their order.

    None when the study has not all of them any more.
    """
    known = {trial.keys.trial_id: trial for trial in plan.trials}
    ids = row["stack"].split() if row["stack"] else [row["trial_id"]]
    return tuple(known[id_] for id_ in ids) if set(ids) <= set(known) else None


def rerun(stack: Sequence[PlannedTrial], context: LaunchContext, attempt: int = 0) -> dict[str, TrialRecord]:
    """New records of a stack by trial id: trained anew, kept encoders or not. Nothing is put anywhere."""
    from trainables.runtime import StackFailedError
    from trainables.trial import run_trials

    runtime = dataclasses.replace(context.runtime, artefacts=None)
    try:
        records = list(
            run_trials([t.config for t in stack], runtime=runtime, attempts=[attempt] * len(stack))
        )
    except StackFailedError:  # as workers do
        records = [
            record for t in stack for record in run_trials([t.config], runtime=runtime, attempts=[attempt])
        ]
    return {record.trial_id: record for record in records}


def differences(stored: Mapping[str, Any], record: TrialRecord) -> dict[str, tuple[Any, Any]]:
    """Columns in which a new record differs from the stored one, as (stored, new).

    Times, memory, and where and with what it ran are left out.
    """
    new = vars(record)
    pairs = {name: (_plain(stored[name]), _plain(new[name])) for name in stored if name not in RUN_COLUMNS}
    return {name: (a, b) for name, (a, b) in pairs.items() if not _same(a, b)}


def _plain(value: Any) -> Any:
    """Maps come back from Parquet as lists of pairs."""
    return dict(value) if isinstance(value, (dict, list)) else value


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (a != a and b != b)  # NaN is itself here
