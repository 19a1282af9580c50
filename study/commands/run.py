"""`study run` and `study report`: the missing trials, and what the store then holds."""

from contextlib import ExitStack

from study.console import CONSOLE, say_error
from study.errors import DONE
from study.events import Listener
from study.expand import PlannedTrial
from study.launch import Launch, Runner, launch_costs
from study.opened import Opened, open_study
from study.preflight import count_workers
from study.progress import Progress
from study.retention import BestEncoders
from study.runners.inline import run_inline
from study.runners.ray_tune import RayTuneRunner
from study.signals import Stop, raise_on_signals
from trainables.datasets.catalogue import load_dataset


def run_study(study: str, store: str, data_root: str | None, *, workers: int | None, runner: str) -> int:
    """`study run`: the missing trials, then the report. Returns the exit code."""
    opened = open_study(study, store, data_root)
    fitting = count_workers(opened.loaded.spec.resources, workers)
    count = 1 if runner == "inline" else fitting
    opened.store.prepare()
    for path in opened.plan.records.damaged:
        say_error(f"set aside: {opened.store.set_aside(path)}")
    missing = opened.plan.missing
    if not missing:
        CONSOLE.print(f"{opened.name}: all {len(opened.plan.trials)} trials are done, nothing to run.")
    elif stop := _run_missing(opened, missing, count, runner):
        _say_stopped(opened)
        return stop.exit_code
    _report(study, open_study(study, store, data_root))
    return DONE


def _run_missing(opened: Opened, missing: list[PlannedTrial], workers: int, runner: str) -> Stop | None:
    """None when every trial has its record, otherwise the signal that stopped the run."""
    spec = opened.loaded.spec
    CONSOLE.print(
        f"{spec.name}: {len(missing)} of {len(opened.plan.trials)} trials to run, {workers} at a time; "
        "Ctrl-C stops, the same command continues.",
        soft_wrap=True,
    )
    load_dataset(missing[0].config.task.data, opened.data_root)  # decoded once, before workers wait for it
    with ExitStack() as stack:
        stop = stack.enter_context(raise_on_signals())
        progress = stack.enter_context(
            Progress(CONSOLE, missing, spec.metric, launch_costs(opened.plan, missing))
        )
        launch = Launch(
            plan=opened.plan,
            store=opened.store,
            workshop=opened.workshop,
            workers=workers,
            runner=_runner(runner, workers, opened, stack),
            listener=_listener(opened, progress),
        )
        try:
            launch.run()
        except KeyboardInterrupt:
            return stop
    return None


def _listener(opened: Opened, progress: Progress) -> Listener:
    spec = opened.loaded.spec
    if spec.keep.encoders != "best":
        return progress
    return BestEncoders(opened.plan, opened.store.path, spec.metric, progress)


def _runner(name: str, workers: int, opened: Opened, stack: ExitStack) -> Runner:
    if name == "inline":
        return run_inline
    resources = opened.loaded.spec.resources
    runner = RayTuneRunner(
        workers=workers,
        cpus_per_trial=resources.cpus_per_trial,
        gpus_per_trial=resources.gpus_per_trial,
    )
    stack.callback(runner.shutdown)
    return runner


def _say_stopped(opened: Opened) -> None:
    records = opened.store.read({trial.keys.trial_id for trial in opened.plan.trials})
    say_error(
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
    CONSOLE.print(summary_table(findings))
    for line in (*verdict_sentences(findings)[:2], *failure_lines(opened.plan.records.table, study)):
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)
