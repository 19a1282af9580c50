"""`study run` and `study report`: the missing trials, and what the store then holds."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from study.archive import check_name, read_archive, removed_line, write_archive
from study.attempts import latest_attempts
from study.bundled import open_bundle, report_bundle
from study.console import CONSOLE, say_error
from study.errors import DONE
from study.events import Listener
from study.expand import PlannedTrial, stand_ins
from study.launch import Launch, Runner, launch_costs
from study.launch_log import LaunchLog
from study.manifest import launches_folder, new_manifest, running_launches
from study.opened import Opened, open_study
from study.plan import Plan, read_plan
from study.progress import Progress
from study.retention import BestEncoders
from study.runners.inline import run_inline
from study.runners.ray_tune import RayTuneRunner
from study.signals import Stop, raise_on_signals
from study.workers import Workers, fitting_workers
from trainables.datasets.catalogue import load_dataset

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from analysis.findings import Findings


def run_study(
    study: str,
    store: str,
    data_root: str | None,
    *,
    workers: int | None,
    runner: str,
    address: str | None = None,
    edited: bool = False,
) -> int:
    """`study run`: the missing trials, then the report. Returns the exit code."""
    opened = open_study(study, store, data_root)
    crew = fitting_workers(opened, workers, runner, address)
    prepare_store(study, opened, edited=edited)
    search = opened.plan.expansion.design == "optuna"
    missing = opened.plan.missing
    if not missing and not opened.plan.undecided:
        if search:
            from study.search.loop import settle

            settle(opened.plan, opened.store, alone=_alone(opened))
        CONSOLE.print(f"{opened.name}: all {len(opened.plan.trials)} trials are done, nothing to run.")
    elif stop := launch_trials(opened, missing, crew, search=search):
        return stop.exit_code
    report_opened(study, open_study(study, store, data_root))
    return DONE


def prepare_store(study: str, opened: Opened, *, edited: bool = False) -> None:
    """Archive the study file, and set damaged records aside. Raises `StudyError` before anything is written."""
    archive = read_archive(opened)
    check_name(study, opened, archive, edited=edited)
    opened.store.prepare()
    if line := removed_line(opened, archive):
        CONSOLE.print(line, soft_wrap=True)
    write_archive(study, opened, archive)
    for path in opened.plan.records.damaged:
        say_error(f"set aside: {opened.store.set_aside(path)}")


def launch_trials(
    opened: Opened, trials: Sequence[PlannedTrial], workers: Workers, *, search: bool = False
) -> Stop | None:
    """Run trials, and under `search` those that its searches come upon.

    None when every one has its record, otherwise the signal that stopped the launch.
    """
    spec = opened.loaded.spec
    undecided = opened.plan.undecided if search else 0
    CONSOLE.print(
        f"{spec.name}: {len(trials) + undecided} of {opened.plan.counts()['trials']} trials to run, "
        f"{workers.count} at a time; Ctrl-C stops, the same command continues.",
        soft_wrap=True,
    )
    if workers.address and opened.store.url is None:
        from study.runners.ray_nodes import check_nodes

        check_nodes(opened.store.path, opened.data_root)
    first = (trials or stand_ins(spec, opened.plan.expansion))[0]
    load_dataset(first.config.task.data, opened.data_root)  # decoded once, before workers wait for it
    with raise_on_signals() as stop:
        try:
            with ExitStack() as stack:
                _launch(opened, trials, workers, stack, search=search)
        except KeyboardInterrupt:
            _say_stopped(opened, trials, search=search)
            return stop
    return None


def _launch(
    opened: Opened,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    stack: ExitStack,
    *,
    search: bool,
) -> None:
    """`stack` ends the workers first, then writes the launch's end down."""
    costs = launch_costs(opened.plan, trials)
    alone, unknown = search and _alone(opened), opened.plan.undecided if search else 0
    progress = stack.enter_context(Progress(CONSOLE, list(trials), opened.loaded.spec.metric, costs))
    log = stack.enter_context(_launch_log(opened, trials, workers, progress, unknown))
    launch = Launch(
        plan=opened.plan,
        store=opened.store,
        workshop=opened.workshop,
        workers=workers.count,
        runner=_runner(workers, opened, stack),
        listener=log,
        trials=trials,
    )
    if not search:
        launch.run()
        return

    from study.search.loop import run_search  # Optuna's import takes most of a second

    def began(plan: Plan, round_: Sequence[PlannedTrial]) -> Listener:
        progress.expect(round_, launch_costs(plan, round_), plan.undecided)
        log.expect({trial.keys.trial_id: trial.title for trial in round_})
        return _listener(replace(opened, plan=plan), log)

    run_search(launch, began, alone=alone)


def _alone(opened: Opened) -> bool:
    """Whether no launch of the study runs now."""
    return not running_launches(launches_folder(opened.store.path, opened.name))


def _launch_log(
    opened: Opened,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    progress: Progress,
    unknown: int,
) -> LaunchLog:
    manifest = new_manifest(
        study=opened.name,
        study_file=opened.loaded.text,
        runner=workers.runner,
        workers=workers.count,
        planned=len(trials) + unknown,
    )
    titles = {trial.keys.trial_id: trial.title for trial in trials}
    folder = launches_folder(opened.store.path, opened.name)
    return LaunchLog(folder, manifest, titles, _listener(opened, progress))


def _listener(opened: Opened, progress: Listener) -> Listener:
    spec = opened.loaded.spec
    if spec.keep.encoders != "best":
        return progress
    return BestEncoders(opened.plan, opened.store.path, spec.metric, progress)


def _runner(workers: Workers, opened: Opened, stack: ExitStack) -> Runner:
    if workers.runner == "inline":
        return run_inline
    resources = opened.loaded.spec.resources
    runner = RayTuneRunner(
        workers=workers.count,
        cpus_per_trial=resources.cpus_per_trial,
        gpus_per_trial=resources.gpus_per_trial,
        address=workers.address,
    )
    stack.callback(runner.shutdown)
    return runner


def _say_stopped(opened: Opened, trials: Sequence[PlannedTrial], *, search: bool) -> None:
    """`trials` were to run; those whose attempt is still the one before the launch are left."""
    before = latest_attempts(opened.plan.records.table)
    now = latest_attempts(opened.store.read({trial.keys.trial_id for trial in trials}).table)
    left = sum(now.get(t.keys.trial_id) == before.get(t.keys.trial_id) for t in trials)
    total = opened.plan.counts()["trials"]
    if search:  # it came upon trials that were not planned
        left = read_plan(opened.plan.spec, opened.plan.expansion, opened.store).counts()["missing"]
    say_error(f"stopped: {total - left} of {total} trials are done and kept; the same command continues")


def report_study(study: str, store: str, data_root: str | None) -> None:
    """`study report`, of a store or of an unpacked bundle."""
    if bundle := open_bundle(study, store):
        _show_report(study, bundle.records, *report_bundle(bundle))
        return
    opened = open_study(study, store, data_root)
    archive = read_archive(opened)
    check_name(study, opened, archive)
    opened.store.prepare()
    write_archive(study, opened, archive)
    report_opened(study, opened)


def report_opened(study: str, opened: Opened) -> None:
    """Write the report of what was read, and say the most important of it."""
    from study.reporting import build_report

    path, findings = build_report(opened.plan, opened.loaded, opened.store)
    _show_report(study, opened.plan.records.table, path, findings)


def _show_report(study: str, records: "pa.Table", path: "Path", findings: "Findings") -> None:
    from analysis.verdict import verdict_sentences
    from study.summary import failure_lines, summary_table

    CONSOLE.print(summary_table(findings))
    for line in (*verdict_sentences(findings)[:2], *failure_lines(records, study)):
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)
