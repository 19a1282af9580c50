"""What each command does, once its words are read."""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from study.errors import DONE, FAILED, StudyError
from study.estimate import seconds_by_trial
from study.expand import PlannedTrial
from study.plan import Plan, make_plan, status_summary
from study.preflight import check_data_root, count_workers
from study.progress import format_seconds
from study.signals import Stopped, raise_on_signals
from study.spec import LoadedSpec, load_spec
from trainables.records import RecordStore
from trainables.schema import Status

_console = Console(highlight=False, markup=False)  # names and messages of users may hold brackets


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A study with its store, read and compared."""

    loaded: LoadedSpec
    store: RecordStore
    data_root: Path | None
    plan: Plan


def open_study(study: str, store: str, data_root: str | None) -> Opened:
    """Read a study and compare it with the store; says which record files are damaged. Writes nothing."""
    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    loaded = load_spec(study)
    # Workers may run in another directory.
    record_store = RecordStore(Path(store).expanduser().resolve())
    plan = make_plan(loaded, record_store, root)
    for path in plan.records.damaged:
        _err(
            f"damaged record: {path.name} cannot be read; its trial counts as missing unless another attempt is"
        )
    return Opened(loaded=loaded, store=record_store, data_root=root, plan=plan)


def show_plan(study: str, store: str, data_root: str | None, *, as_json: bool) -> None:
    """`study plan`."""
    opened = open_study(study, store, data_root)
    try:
        workers = count_workers(opened.loaded.spec.resources, None)
    except StudyError as error:  # a plan may be for another machine
        _err(f"this study cannot run here: {error}")
        workers = 0
    seconds = estimated_seconds(opened, workers)
    if as_json:
        print(json.dumps(status_summary(opened.plan) | {"workers": workers, "estimated_seconds": seconds}))
        return
    table = Table("loss", "trials", "done", "missing", title=f"Plan of {opened.loaded.spec.name}", box=None)
    for label, counts in opened.plan.counts_by_arm().items():
        table.add_row(label, *(str(number) for number in counts.values()))
    counts = opened.plan.counts()
    table.add_section()
    table.add_row(
        "all", str(counts["trials"]), str(counts["trials"] - counts["missing"]), str(counts["missing"])
    )
    _console.print(table)
    _console.print(_estimate_line(counts["missing"], seconds, workers))


def estimated_seconds(opened: Opened, workers: int) -> float | None:
    """Wall time of the missing trials, from finished ones; measured on a few steps where there are none.

    None where neither tells: no worker fits on this machine, or the steps fail.
    """
    missing = opened.plan.missing
    if not missing:
        return 0.0
    if not workers:
        return None
    seconds = seconds_by_trial(opened.plan, missing)
    if seconds is None:
        from study.measure import measure_seconds

        seconds = measure_seconds(opened.plan, missing, _workshop(opened).runtime)
    return None if seconds is None else sum(seconds) / min(workers, len(missing))


def _estimate_line(missing: int, seconds: float | None, workers: int) -> str:
    if not missing:
        return "Nothing is missing: a run would only rebuild the report."
    if seconds is None:
        return "Estimated time: not known before some trials have finished."
    return f"Estimated time: {format_seconds(seconds)} with {workers} workers on this machine."


def show_status(study: str, store: str, data_root: str | None, *, as_json: bool) -> None:
    """`study status`."""
    opened = open_study(study, store, data_root)
    summary = status_summary(opened.plan)
    if as_json:
        print(json.dumps(summary))
        return
    _console.print(f"{summary.pop('study')}: {summary['trials']} trials")
    for name, count in summary.items():
        if name != "trials" and (count or name in ("ok", "missing")):
            _console.print(f"  {count:>6}  {name}")


def run_study(study: str, store: str, data_root: str | None, *, workers: int | None, runner: str) -> int:
    """`study run`: the missing trials, then the report. Returns the exit code."""
    opened = open_study(study, store, data_root)
    fitting = count_workers(opened.loaded.spec.resources, workers)
    count = 1 if runner == "inline" else fitting
    opened.store.prepare()
    for path in opened.plan.records.damaged:
        _err(f"set aside: {opened.store.set_aside(path)}")
    missing = opened.plan.missing
    if not missing:
        _console.print(
            f"{opened.loaded.spec.name}: all {len(opened.plan.trials)} trials are done, nothing to run."
        )
    elif stopped := _run_missing(opened, missing, count, runner):
        _say_stopped(opened)
        return stopped.exit_code
    _report(study, open_study(study, store, data_root))
    return DONE


def _run_missing(opened: Opened, missing: list[PlannedTrial], workers: int, runner: str) -> Stopped | None:
    """None when every trial has its record, otherwise the signal that stopped the run."""
    from study.launch import Launch, launch_costs
    from study.progress import Progress

    spec = opened.loaded.spec
    _console.print(
        f"{spec.name}: {len(missing)} of {len(opened.plan.trials)} trials to run, {workers} at a time; "
        "Ctrl-C stops, the same command continues.",
        soft_wrap=True,
    )
    with ExitStack() as stack:
        stack.enter_context(raise_on_signals())
        progress = stack.enter_context(
            Progress(_console, missing, spec.metric, launch_costs(opened.plan, missing))
        )
        launch = Launch(
            plan=opened.plan,
            store=opened.store,
            workshop=_workshop(opened),
            workers=workers,
            runner=_runner(runner, workers, opened, stack),
            listener=progress,
        )
        try:
            launch.run()
        except Stopped as stopped:
            return stopped
    return None


def _runner(name: str, workers: int, opened: Opened, stack: ExitStack) -> Any:
    if name == "inline":
        from study.runners.inline import run_inline

        return run_inline
    from study.runners.ray_tune import RayTuneRunner

    resources = opened.loaded.spec.resources
    runner = RayTuneRunner(
        workers=workers,
        cpus_per_trial=resources.cpus_per_trial,
        gpus_per_trial=resources.gpus_per_trial,
    )
    stack.callback(runner.shutdown)
    return runner


def _workshop(opened: Opened) -> Any:
    from trainables.runtime import Runtime
    from trainables.work import Workshop

    resources = opened.loaded.spec.resources
    return Workshop(
        store=opened.store.path,
        runtime=Runtime(
            device="cuda" if resources.gpus_per_trial else "cpu",
            threads=resources.cpus_per_trial,
            data_root=opened.data_root,
        ),
    )


def _say_stopped(opened: Opened) -> None:
    records = opened.store.read({trial.keys.trial_id for trial in opened.plan.trials})
    _err(
        f"stopped: {records.table.num_rows} of {len(opened.plan.trials)} trials are done and kept; "
        "the same command continues"
    )


def report_study(study: str, store: str, data_root: str | None) -> None:
    """`study report`."""
    opened = open_study(study, store, data_root)
    opened.store.prepare()
    _report(study, opened)


def _report(study: str, opened: Opened) -> None:
    from analysis.verdict import verdict_sentences
    from study.reporting import build_report
    from study.summary import failure_lines, summary_table

    path, findings = build_report(opened.plan, opened.loaded, opened.store)
    _console.print(summary_table(findings))
    for line in (*verdict_sentences(findings)[:2], *failure_lines(opened.plan.records.table, study)):
        _console.print(line, soft_wrap=True)
    _console.print(f"Report: {path}", soft_wrap=True)


def run_one_trial(study: str, trial_id: str | None, store: str, data_root: str | None, *, put: bool) -> int:
    """`study trial`: the debugging door. Returns the exit code."""
    from study.one_trial import compare_records, record_table
    from trainables.trial import run_trial

    opened = open_study(study, store, data_root)
    chosen = _choose(opened.plan, trial_id)
    count_workers(opened.loaded.spec.resources, None)
    if put:
        opened.store.prepare()
    _console.print(f"trial {chosen.keys.trial_id}: {chosen.title}")
    attempt = opened.store.next_attempts().get(chosen.keys.trial_id, 0)
    record = run_trial(chosen.config, runtime=_workshop(opened).runtime, attempt=attempt)
    _console.print(record_table(record))
    if record.error_traceback:
        _console.print(record.error_traceback)
    stored = opened.store.read({chosen.keys.trial_id}).table.to_pylist()
    if stored:
        _console.print(compare_records(stored[0], record), soft_wrap=True)
    elif put:
        _console.print(f"Record: {opened.store.put(record)}", soft_wrap=True)
    return DONE if record.status in (Status.OK, Status.DIVERGED) else FAILED


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


def _err(message: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"study: {message}", soft_wrap=True)
