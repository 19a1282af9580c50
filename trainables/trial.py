"""Runs trials from config to record, independent of Ray and of the store. Workers and `study trial` use it.

A trial with a non-finite loss ends as `diverged`, and a trial that raises ends as `crashed` (or `oom`). Both have a
record with the columns that were known until then, and neither stops the study.
"""

import dataclasses
import errno
import json
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from trainables.allocator import keep_freed_memory
from trainables.config import (
    NUMERICS_VERSION,
    Provenance,
    TrialConfig,
    TrialKeys,
    canonical_json,
    task_columns,
    trial_keys,
)
from trainables.device_faults import is_out_of_gpu_memory, refuse_lost_device
from trainables.diagnostics.trials import run_diagnostic, shorten_diagnostic
from trainables.images import (
    images_evaluation_parts,
    images_repeated_evaluation,
    images_step_work,
    run_images,
    shorten_images,
)
from trainables.losses import build_loss
from trainables.machine_faults import fault_number, hits_all_trials, reason_of, remedy_of
from trainables.provenance import provenance_of, provenances_of
from trainables.run_facts import peak_memory_bytes, run_facts
from trainables.runtime import Diverged, Pruned, Runtime, StackFailedError, TimedOutError
from trainables.sphere.trials import run_sphere, shorten_sphere
from trainables.store.files import StoreError
from trainables.store.schema import SCHEMA_VERSION, Status, TrialRecord
from trainables.training.execution import usable
from trainables.training.member import Report
from trainables.trial_clock import trial_seconds
from trainables.turns import Columns, Turn, Turns, in_one_turn


def _no_further_work(task: Any, runtime: Runtime) -> float:
    return 1.0


def _whole_evaluation(task: Any, runtime: Runtime) -> list[tuple[float, Any]]:
    return [(1.0, task)]


def _nothing_repeated(task: Any, runtime: Runtime) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """The functions that run trials of one kind of task and prepare them for timing.

    `run` trains trials of equal shapes in turns and returns `Columns` for each. `shorten(task, steps, batch_size)`
    returns the same task with a few steps, and with another batch size unless it is None. `step_work` is the work of
    a step relative to a step of the shortened task. `evaluation_parts` returns fractions of the evaluation, each with
    the task for it; the largest fraction may be 1. They leave out what the evaluation repeats many times:
    `repeated_evaluation` returns a task for any number of repetitions, and their number in the trial.
    """

    run: Callable[[Sequence[TrialConfig], Runtime, Report], Turns[Sequence[Columns]]]
    shorten: Callable[[Any, int, int | None], Any]
    step_work: Callable[[Any, Runtime], float] = _no_further_work
    evaluation_parts: Callable[[Any, Runtime], list[tuple[float, Any]]] = _whole_evaluation
    repeated_evaluation: Callable[[Any, Runtime], tuple[Callable[[int], Any], float] | None] = (
        _nothing_repeated
    )


TASK_KINDS: dict[str, TaskKind] = {
    "images": TaskKind(
        run=run_images,
        shorten=shorten_images,
        step_work=images_step_work,
        evaluation_parts=images_evaluation_parts,
        repeated_evaluation=images_repeated_evaluation,
    ),
    "sphere": TaskKind(run=in_one_turn(run_sphere), shorten=shorten_sphere),
    "diagnostic": TaskKind(run=in_one_turn(run_diagnostic), shorten=shorten_diagnostic),
}

#: The most characters of an error's message or traceback in a record.
_LONGEST_ERROR = 100_000

#: Whether each record column holds a number (True) or text (False), by name.
_HOLDS_NUMBER = {
    spec.name: not pa.types.is_string(spec.metadata["type"]) for spec in dataclasses.fields(TrialRecord)
}


def ignore_report(facts: Mapping[str, Any]) -> None:
    """A `report` that does nothing."""


def run_trial(
    config: TrialConfig,
    report: Report = ignore_report,
    *,
    runtime: Runtime | None = None,
    attempt: int = 0,
) -> TrialRecord:
    """Run `config` in this process and return its record. `report` is called after every step.

    On a CPU of the same machine and in the same execution mode, the same config gives a bitwise equal record, except
    for times and memory, and unless own code draws from torch's default generator, as `nn.Dropout` does. On a GPU
    this is not checked. Raises only errors for which no record can be made: `KeyboardInterrupt`, data that cannot be
    found, or a fault of the machine (`StoreError`).
    """
    (record,) = run_trials([config], report, runtime=runtime, attempts=[attempt])
    return record


def run_trials(
    configs: Sequence[TrialConfig],
    report: Report = ignore_report,
    *,
    runtime: Runtime | None = None,
    attempts: Sequence[int],
    provenances: Sequence[Provenance] | None = None,
) -> Iterator[TrialRecord]:
    """Run trials of equal shapes as one stack and yield their records in order, each as soon as it is complete.

    `provenances` are the provenances of the configs, if the caller already has them. An exception in the common
    training is recorded if there is one trial; for several trials, it is raised as `StackFailedError`. A fault of the
    machine that every trial would meet is not recorded but raised as `StoreError`. If this process can no longer use
    the GPU, it raises `DeviceLostError`.
    """
    turns = trial_turns(configs, report, runtime=runtime, attempts=attempts, provenances=provenances)
    return (turn for turn in turns if isinstance(turn, TrialRecord))


def trial_turns(
    configs: Sequence[TrialConfig],
    report: Report = ignore_report,
    *,
    runtime: Runtime | None = None,
    attempts: Sequence[int],
    provenances: Sequence[Provenance] | None = None,
) -> Generator[Turn | TrialRecord, None, None]:
    """Like `run_trials`, but with a pause after each turn, so that the caller can run other trials in between."""
    runtime = usable(runtime or Runtime())
    started, clock = datetime.now(UTC), trial_seconds()
    set_up_torch(runtime)
    if runtime.device.startswith("cuda"):
        with suppress(RuntimeError):  # the trial meets the same fault of the device, and records it
            torch.cuda.reset_peak_memory_stats(runtime.device)
    provenances = provenances or provenances_of(configs, runtime.data_root)
    keys = [trial_keys(config, origin) for config, origin in zip(configs, provenances, strict=True)]
    with threadpool_limits(runtime.threads):
        stages = yield from _start(configs, runtime, _watched(report, runtime.time_limit, len(configs)))
        shared_seconds = (trial_seconds() - clock) / len(configs)
        rows = zip(configs, keys, provenances, attempts, stages, strict=True)
        for config, own, origin, attempt, columns in rows:
            clock = trial_seconds()
            outcome = yield from _outcome(config, columns, runtime)
            yield TrialRecord(
                **identity_columns(config, own, attempt),
                data_fingerprint=origin.data_fingerprint,
                started_at=started,
                seconds_total=shared_seconds + trial_seconds() - clock,
                **run_facts(runtime, [each.trial_id for each in keys]),
                **outcome,
            )


def set_up_torch(runtime: Runtime) -> None:
    """The settings of torch and its memory that all trials of a process share."""
    torch.set_num_threads(runtime.threads)
    if runtime.device.startswith("cuda"):
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    else:
        keep_freed_memory()


def _watched(report: Report, limit: float | None, trials: int) -> Report:
    """A `report` that ends training after `limit` seconds per trial. For trials that hang, workers have another."""
    if limit is None:
        return report
    start = trial_seconds()

    def watched(facts: dict[str, Any]) -> None:
        if (elapsed := trial_seconds() - start) > limit * trials:
            raise TimedOutError(
                f"{elapsed:.0f} s at step {facts['step']} of {facts['steps']}; the limit is {limit:g} s"
            )
        report(facts)

    return watched


def _start(configs: Sequence[TrialConfig], runtime: Runtime, report: Report) -> Turns[Sequence[Columns]]:
    """An iterator over the columns of every trial. If the start of a single trial fails, its iterator raises."""
    turns = TASK_KINDS[configs[0].task.kind].run(configs, runtime, report)
    try:
        while True:
            try:
                turn = next(turns)
            except StopIteration as end:
                stages: Sequence[Columns] = end.value
                return stages
            yield turn
    except Exception as error:
        refuse_fault(error)
        if len(configs) > 1:
            raise StackFailedError(f"{type(error).__name__}: {error}") from error
        return [_raising(error)]
    finally:
        turns.close()


def refuse_fault(error: Exception) -> None:
    """Raise `StoreError` for a fault of the machine that every trial would meet, such as a full disk.

    It is no result of this trial, and with a record the trial would not run again. Raises `DeviceLostError` if this
    process can no longer use the GPU.
    """
    if hits_all_trials(error):
        path = getattr(error, "filename", None)
        what = f"cannot use {path}" if path else "a trial cannot continue"
        raise StoreError(f"{what} ({reason_of(error)}); {remedy_of(error)}") from error
    refuse_lost_device(error)


def _raising(error: Exception) -> Iterator[dict[str, Any]]:
    raise error
    yield


def _outcome(config: TrialConfig, stages: Columns, runtime: Runtime) -> Turns[dict[str, Any]]:
    """All columns that a trial yields before it ends, its peak memory, its status and its error."""
    known: dict[str, Any] = {}
    failure: dict[str, Any] = {"status": Status.OK}
    try:
        for stage in stages:
            if isinstance(stage, Turn):
                yield stage
            else:
                known |= stage
                yield Turn.STAGE
    except Pruned as error:
        failure = {"status": Status.PRUNED, "error_message": str(error)}
    except Diverged as error:
        failure = _failure(Status.DIVERGED, error)
    except TimedOutError as error:
        failure = _failure(Status.TIMEOUT, error)
    except Exception as error:
        refuse_fault(error)
        failure = _failure(Status.CRASHED, error)
        if _is_out_of_memory(error):
            failure |= {
                "status": Status.OOM,
                "error_message": _memory_message(config, failure, runtime.device),
            }
    # The memory of trials that run at the same time cannot be told apart.
    peak = None if runtime.concurrent else peak_memory_bytes(runtime.device)
    return known | {"peak_memory_bytes": peak} | failure


def failure_record(
    config: TrialConfig,
    *,
    attempt: int,
    runtime: Runtime,
    status: Status,
    error_class: str,
    error_message: str,
) -> TrialRecord:
    """The record of a trial whose process died before it could write one."""
    provenance = provenance_of(config, runtime.data_root)
    return TrialRecord(
        **identity_columns(config, trial_keys(config, provenance), attempt),
        data_fingerprint=provenance.data_fingerprint,
        status=status,
        **run_facts(runtime),
        error_class=error_class,
        error_message=error_message,
    )


def identity_columns(config: TrialConfig, keys: TrialKeys, attempt: int) -> dict[str, Any]:
    """Every column that is known before the trial runs, except the data fingerprint."""
    return {
        **dataclasses.asdict(keys),
        "attempt": attempt,
        "schema_version": SCHEMA_VERSION,
        "numerics_version": NUMERICS_VERSION,
        "task": config.task.kind,
        "loss": config.loss.name,
        "seed": config.seed,
        "config": canonical_json(config),
        **task_columns(config.task),
        **_loss_columns(config),
    }


def _loss_columns(config: TrialConfig) -> dict[str, Any]:
    """Every field of the loss, including defaults: in its own `hp_` column if there is one, else in `hp_other`."""
    fields = dataclasses.asdict(build_loss(config.loss.name, **config.loss.params))
    own = {f"hp_{name}": value for name, value in fields.items() if _fits(f"hp_{name}", value)}
    other = {name: json.dumps(value) for name, value in fields.items() if f"hp_{name}" not in own}
    return own | ({"hp_other": other} if other else {})


def _fits(column: str, value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return _HOLDS_NUMBER.get(column) is is_number and (is_number or isinstance(value, str))


def _is_out_of_memory(error: Exception) -> bool:
    """Whether the error means that memory ran out. Torch's CPU allocator raises a plain `RuntimeError`."""
    return is_out_of_gpu_memory(error) or fault_number(error) == errno.ENOMEM


def _memory_message(config: TrialConfig, failure: dict[str, Any], device: str) -> str:
    used = peak_memory_bytes(device) / 2**30
    said = f": {failure['error_message']}" if failure["error_message"] else ""
    return f"batch size {config.task.training.batch_size}, peak memory {used:.2f} GiB on {device}{said}"


def _failure(status: Status, error: BaseException) -> dict[str, Any]:
    message = str(error).strip().splitlines()
    return {
        "status": status,
        "error_class": type(error).__name__,
        "error_message": _storable(message[0]) if message else "",
        "error_traceback": _storable("".join(traceback.format_exception(error))),
    }


def _storable(text: str) -> str:
    """A text of own code as a record can hold it: as UTF-8, and of a very long one the beginning and the end."""
    if len(text) > _LONGEST_ERROR:
        half = _LONGEST_ERROR // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half:,} characters left out ...\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
