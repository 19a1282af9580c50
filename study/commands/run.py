"""`study run`: the missing trials, then the report."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from study.archive import check_name, read_archive, removed_line, write_archive
from study.commands.report import report_opened
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
from study.loaded import Opened, open_study
from study.plan import Plan, read_plan
from study.spec.expand import PlannedTrial, stand_ins
from study.tracking.handover import Handover
from study.tracking.trackers import destinations
from trainables.store.attempts import latest_attempts

#: What the clock of the system takes is far more.
_MOST_HOURS = 1e5


def run_study(
    study: str,
    store: str,
    data_root: str | None,
    *,
    workers: int | None,
    runner: str,
    address: str | None = None,
    edited: bool = False,
    max_hours: float | None = None,
) -> int:
    """`study run`: the missing trials, then the report. Returns the exit code."""
    until = end_of(max_hours)
    opened = open_study(study, store, data_root)
    crew = fitting_workers(opened, workers, runner, address)
    prepare_store(study, opened, edited=edited)
    search = opened.plan.expansion.design == "optuna"
    missing = opened.plan.missing
    if not missing and not opened.plan.undecided:
        if search:
            from study.launch.search.loop import settle

            settle(opened.plan, opened.store, alone=lambda: _is_alone(opened))
        CONSOLE.print(f"{opened.name}: all {len(opened.plan.trials)} trials are done, nothing to run.")
        with _handover(opened, Unheard()):
            pass
    elif stop := launch_trials(opened, missing, crew, search=search, until=until):
        return stop.exit_code
    report_opened(study, open_study(study, store, data_root))
    return DONE


def end_of(max_hours: float | None) -> float | None:
    """When a command ends that begins now, in seconds of `time.monotonic`. Raises `StudyError`."""
    if max_hours is None:
        return None
    if not 0 < max_hours <= _MOST_HOURS:
        raise StudyError(f"--max-hours: got {max_hours:g}, must be above 0 and at most {_MOST_HOURS:g}")
    return time.monotonic() + 3600 * max_hours


def prepare_store(study: str, opened: Opened, *, edited: bool = False) -> None:
    """Archive the study file, and set damaged records aside. Raises `StudyError` before anything is written."""
    destinations(opened.loaded.spec.tracking)  # raises
    archive = read_archive(opened)
    check_name(study, opened, archive, edited=edited)
    opened.store.prepare()
    if line := removed_line(opened, archive):
        CONSOLE.print(line, soft_wrap=True)
    write_archive(study, opened, archive)
    for path in opened.plan.records.damaged:
        with suppress(FileNotFoundError):  # another launch was first
            say_error(f"set aside: {opened.store.set_aside(path)}")


def launch_trials(
    opened: Opened,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    *,
    search: bool = False,
    until: float | None = None,
) -> Stop | None:
    """Run trials, and under `search` those that its searches come upon, at most to the time `until`.

    None when every one has its record, otherwise what stopped the launch.
    """
    spec = opened.loaded.spec
    undecided = opened.plan.undecided if search else 0
    CONSOLE.print(
        f"{spec.name}: {len(trials) + undecided} of {opened.plan.counts()['trials']} trials to run, "
        f"{workers.count} at a time; Ctrl-C stops, the same command continues.",
        soft_wrap=True,
    )
    if workers.address and opened.store.url is None:
        from study.launch.runners.ray_nodes import check_nodes

        check_nodes(opened.store.path, opened.data_root)
    first = (trials or stand_ins(spec, opened.plan.expansion))[0]
    opened.plan.expansion.task.load(first.config.task, opened.data_root)  # before workers wait for it
    with raise_on_signals(until) as stop:
        try:
            with ExitStack() as stack:
                _launch(opened, trials, workers, stack, search=search)
        except KeyboardInterrupt:
            _say_stopped(opened, trials, stop, search=search)
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
    costs, pace = expected_costs(opened, trials, workers.count, search=search)
    unknown = opened.plan.undecided if search else 0
    progress = stack.enter_context(
        Progress(
            CONSOLE,
            list(trials),
            opened.loaded.spec.metric,
            costs,
            workers=workers.count,
            pace=pace,
        )
    )
    handover = stack.enter_context(_handover(opened, progress))
    log = stack.enter_context(_launch_log(opened, trials, workers, handover, unknown))
    listener = stack.enter_context(Compacting(opened.store, log))
    launch = Launch(
        plan=opened.plan,
        store=opened.store,
        workshop=opened.workshop,
        workers=workers.count,
        runner=_runner(workers, opened, stack),
        listener=listener,
        trials=trials,
    )
    if not search:
        launch.run()
        return

    from study.launch.search.loop import run_search  # Optuna's import takes most of a second

    def began(plan: Plan, round_: Sequence[PlannedTrial]) -> Listener:
        images = plan.expansion.task.images
        progress.expect(round_, [relative_cost(trial, images) for trial in round_], plan.undecided)
        handover.expect(round_)
        log.expect({trial.keys.trial_id: trial.title for trial in round_})
        return _listener(replace(opened, plan=plan), listener)

    run_search(launch, began, alone=lambda: _is_alone(opened, log.launch))


def _is_alone(opened: Opened, own: str | None = None) -> bool:
    """Whether no launch of the study runs now, apart from one's own."""
    running = running_launches(launches_folder(opened.store.path, opened.name))
    return {manifest.launch for manifest in running} <= {own}


def _launch_log(
    opened: Opened,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    listener: Listener,
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
    return LaunchLog(folder, manifest, titles, _listener(opened, listener))


def _listener(opened: Opened, listener: Listener) -> Listener:
    spec = opened.loaded.spec
    if spec.keep.encoders != "best":
        return listener
    return BestEncoders(opened.plan, opened.store.path, spec.metric, listener)


def _handover(opened: Opened, listener: Listener) -> Handover:
    """To the trackers that the study file names, if any."""
    return Handover(opened.plan, opened.store, destinations(opened.loaded.spec.tracking), listener)


def _runner(workers: Workers, opened: Opened, stack: ExitStack) -> Runner:
    if workers.runner == "inline":
        return run_inline
    runner = RayTuneRunner(
        workers=workers.count,
        cpus_per_trial=opened.loaded.spec.resources.cpus_per_trial,
        gpus_per_trial=launch_shares(opened, workers.address),
        address=workers.address,
    )
    stack.callback(runner.shutdown)
    return runner


def _say_stopped(opened: Opened, trials: Sequence[PlannedTrial], stop: Stop, *, search: bool) -> None:
    """`trials` were to run; those whose attempt is still the one before the launch are left."""
    before = latest_attempts(opened.plan.records.table)
    now = latest_attempts(opened.store.read({trial.keys.trial_id for trial in trials}).table)
    left = sum(now.get(t.keys.trial_id) == before.get(t.keys.trial_id) for t in trials)
    total = opened.plan.counts()["trials"]
    if search:  # it came upon trials that were not planned
        left = read_plan(opened.plan.spec, opened.plan.expansion, opened.store).counts()["missing"]
    why = "the time is up" if stop.is_timed else "stopped"
    say_error(
        f"{why}: {total - left} of {total} trials are done and kept, {left} are left; the same command continues"
    )
