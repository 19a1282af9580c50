"""`study run`: runs the missing trials of a study, then writes its report."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

import click

from study.archive import check_name, read_archive, removed_line, write_archive
from study.cli.options import ADDRESS, DATA_ROOT, MAX_HOURS, RUNNER, STORE, WORKERS, guarded
from study.cli.report import report_loaded
from study.console import CONSOLE, say_error
from study.cost.estimate import relative_cost
from study.cost.gpu_memory import launch_shares
from study.errors import DONE, StudyError
from study.events import Listener, Unheard
from study.launch.launch import Launch, Runner
from study.launch.listeners.best_encoders import BestEncoders
from study.launch.listeners.compaction import Compacting
from study.launch.listeners.launch_log import LaunchLog
from study.launch.listeners.progress import Progress
from study.launch.manifest import launches_folder, new_manifest, running_launches
from study.launch.price import expected_costs
from study.launch.runners.inline import run_inline
from study.launch.runners.ray_tune import RayTuneRunner
from study.launch.signals import Stop, raise_on_signals
from study.launch.workers import Workers, fitting_workers
from study.loaded import LoadedStudy, load_study
from study.plan import Plan, read_plan
from study.spec.expand import PlannedTrial, stand_ins
from study.tracking.handover import Handover
from study.tracking.trackers import destinations
from trainables.store.attempts import latest_attempts

#: What the clock of the system takes is far more.
_MOST_HOURS = 1e5


@click.command("run")
@click.argument("study")
@STORE
@DATA_ROOT
@WORKERS
@RUNNER
@ADDRESS
@MAX_HOURS
@click.option(
    "--edited",
    is_flag=True,
    help="This file is a later version of the study of its name in the store, from another place.",
)
@guarded
def command(
    study: str,
    store: str,
    data_root: str | None,
    workers: int | None,
    runner: str,
    address: str | None,
    max_hours: float | None,
    edited: bool,
) -> int:
    """Run the missing trials of STUDY, then write its report.

    Every finished trial is kept whatever happens; the same command continues where it stopped. Two such commands at
    once, here or on machines that share the store, share the work.

    A stop can cost the training since the last checkpoint: up to 120 s of each worker, or the time in
    resources.checkpoint_seconds. Sphere trials start again from the beginning, and so do trials that are stacked
    differently in the next launch.
    """
    until = end_of(max_hours)
    loaded = load_study(study, store, data_root)
    pool = fitting_workers(loaded, workers, runner, address)
    prepare_store(study, loaded, edited=edited)
    search = loaded.plan.trial_set.design.adaptive
    missing = loaded.plan.missing
    if not missing and not loaded.plan.undecided:
        if search:
            from study.launch.search.loop import settle

            settle(loaded.plan, loaded.store, alone=lambda: _is_alone(loaded))
        CONSOLE.print(f"{loaded.name}: all {len(loaded.plan.trials)} trials are done, nothing to run.")
        with _handover(loaded, Unheard()):
            pass
    elif stop := launch_trials(loaded, missing, pool, search=search, until=until):
        return stop.exit_code
    report_loaded(study, load_study(study, store, data_root))
    return DONE


def end_of(max_hours: float | None) -> float | None:
    """When a command ends that begins now, in seconds of `time.monotonic`. Raises `StudyError`."""
    if max_hours is None:
        return None
    if not 0 < max_hours <= _MOST_HOURS:
        raise StudyError(f"--max-hours: got {max_hours:g}, must be above 0 and at most {_MOST_HOURS:g}")
    return time.monotonic() + 3600 * max_hours


def prepare_store(study: str, loaded: LoadedStudy, *, edited: bool = False) -> None:
    """Archive the study file, and set damaged records aside. Raises `StudyError` before anything is written."""
    destinations(loaded.study_file.spec.tracking)  # raises
    archive = read_archive(loaded)
    check_name(study, loaded, archive, edited=edited)
    loaded.store.prepare()
    if line := removed_line(loaded, archive):
        CONSOLE.print(line, soft_wrap=True)
    write_archive(study, loaded, archive)
    for path in loaded.plan.records.damaged:
        with suppress(FileNotFoundError):  # another launch was first
            say_error(f"set aside: {loaded.store.set_aside(path)}")


def launch_trials(
    loaded: LoadedStudy,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    *,
    search: bool = False,
    until: float | None = None,
) -> Stop | None:
    """Run trials, and under `search` those that its searches come upon, at most to the time `until`.

    None when every one has its record, otherwise what stopped the launch.
    """
    spec = loaded.study_file.spec
    undecided = loaded.plan.undecided if search else 0
    CONSOLE.print(
        f"{spec.name}: {len(trials) + undecided} of {loaded.plan.counts()['trials']} trials to run, "
        f"{workers.count} at a time; Ctrl-C stops, the same command continues.",
        soft_wrap=True,
    )
    if workers.address and loaded.store.url is None:
        from study.launch.runners.ray_nodes import check_nodes

        check_nodes(loaded.store.path, loaded.data_root)
    first = (trials or stand_ins(spec, loaded.plan.trial_set))[0]
    loaded.plan.trial_set.task.load(first.config.task, loaded.data_root)  # before workers wait for it
    with raise_on_signals(until) as stop:
        try:
            with ExitStack() as stack:
                _launch(loaded, trials, workers, stack, search=search)
        except KeyboardInterrupt:
            _say_stopped(loaded, trials, stop, search=search)
            return stop
    return None


def _launch(
    loaded: LoadedStudy,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    stack: ExitStack,
    *,
    search: bool,
) -> None:
    """`stack` ends the workers first, then writes the launch's end down."""
    costs, pace = expected_costs(loaded, trials, workers.count, search=search)
    unknown = loaded.plan.undecided if search else 0
    progress = stack.enter_context(
        Progress(
            CONSOLE,
            list(trials),
            loaded.study_file.spec.metric,
            costs,
            workers=workers.count,
            pace=pace,
        )
    )
    handover = stack.enter_context(_handover(loaded, progress))
    log = stack.enter_context(_launch_log(loaded, trials, workers, handover, unknown))
    listener = stack.enter_context(Compacting(loaded.store, log))
    launch = Launch(
        plan=loaded.plan,
        store=loaded.store,
        context=loaded.context,
        workers=workers.count,
        runner=_runner(workers, loaded, stack),
        listener=listener,
        trials=trials,
    )
    if not search:
        launch.run()
        return

    from study.launch.search.loop import run_search  # Optuna's import takes most of a second

    def began(plan: Plan, round_: Sequence[PlannedTrial]) -> Listener:
        images = plan.trial_set.task.images
        progress.expect(round_, [relative_cost(trial, images) for trial in round_], plan.undecided)
        handover.expect(round_)
        log.expect({trial.keys.trial_id: trial.title for trial in round_})
        return _listener(replace(loaded, plan=plan), listener)

    run_search(launch, began, alone=lambda: _is_alone(loaded, log.launch))


def _is_alone(loaded: LoadedStudy, own: str | None = None) -> bool:
    """Whether no launch of the study runs now, apart from one's own."""
    running = running_launches(launches_folder(loaded.store.path, loaded.name))
    return {manifest.launch for manifest in running} <= {own}


def _launch_log(
    loaded: LoadedStudy,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    listener: Listener,
    unknown: int,
) -> LaunchLog:
    manifest = new_manifest(
        study=loaded.name,
        study_file=loaded.study_file.text,
        runner=workers.runner,
        workers=workers.count,
        planned=len(trials) + unknown,
    )
    titles = {trial.keys.trial_id: trial.title for trial in trials}
    folder = launches_folder(loaded.store.path, loaded.name)
    return LaunchLog(folder, manifest, titles, _listener(loaded, listener))


def _listener(loaded: LoadedStudy, listener: Listener) -> Listener:
    spec = loaded.study_file.spec
    if spec.keep.encoders != "best":
        return listener
    return BestEncoders(loaded.plan, loaded.store.path, spec.metric, listener)


def _handover(loaded: LoadedStudy, listener: Listener) -> Handover:
    """To the trackers that the study file names, if any."""
    return Handover(loaded.plan, loaded.store, destinations(loaded.study_file.spec.tracking), listener)


def _runner(workers: Workers, loaded: LoadedStudy, stack: ExitStack) -> Runner:
    if workers.runner == "inline":
        return run_inline
    runner = RayTuneRunner(
        workers=workers.count,
        cpus_per_trial=loaded.study_file.spec.resources.cpus_per_trial,
        gpus_per_trial=launch_shares(loaded, workers.address),
        address=workers.address,
    )
    stack.callback(runner.shutdown)
    return runner


def _say_stopped(loaded: LoadedStudy, trials: Sequence[PlannedTrial], stop: Stop, *, search: bool) -> None:
    """`trials` were to run; those whose attempt is still the one before the launch are left."""
    before = latest_attempts(loaded.plan.records.table)
    now = latest_attempts(loaded.store.read({trial.keys.trial_id for trial in trials}).table)
    left = sum(now.get(t.keys.trial_id) == before.get(t.keys.trial_id) for t in trials)
    total = loaded.plan.counts()["trials"]
    if search:  # it came upon trials that were not planned
        left = read_plan(loaded.plan.spec, loaded.plan.trial_set, loaded.store).counts()["missing"]
    why = "the time is up" if stop.is_timed else "stopped"
    say_error(
        f"{why}: {total - left} of {total} trials are done and kept, {left} are left; the same command continues"
    )
