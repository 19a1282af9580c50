"""Starts a launch for `study run` and `study retry`: checks the workers, prepares the store, and runs the trials."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from study.archive import check_name, read_archive, removed_line, write_archive
from study.console import CONSOLE, say, say_error
from study.cost.model import study_costs
from study.errors import StudyError
from study.events import Listener
from study.launch.capacity import count_workers
from study.launch.cluster import check_address, cluster_workers
from study.launch.gpu import check_precision
from study.launch.launch import Launch, Runner
from study.launch.listeners.best_encoders import BestEncoders
from study.launch.listeners.compaction import Compacting
from study.launch.listeners.launch_log import LaunchLog
from study.launch.listeners.progress import Progress
from study.launch.listeners.report_imports import ReportImports
from study.launch.listeners.stage_times import StageTimes
from study.launch.listeners.time_left import TimeLeft
from study.launch.manifest import Manifest, launches_folder, new_manifest, running_launches
from study.launch.memory import check_memory
from study.launch.runners.inline import run_inline
from study.launch.runners.ray_session import start_ray
from study.launch.runners.ray_tune import RayTuneRunner
from study.launch.signals import Stop, raise_on_signals
from study.loaded import LoadedStudy
from study.plan import read_plan
from study.spec.expand import PlannedTrial, stand_ins
from study.tracking.handover import Handover
from study.tracking.trackers import destinations
from trainables.store.attempts import latest_attempts

#: Far below the largest value that the system's timer accepts.
_MOST_HOURS = 1e5


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The number of workers, their runner, and the address of their cluster (None for this machine)."""

    count: int
    runner: str
    address: str | None = None


def fitting_workers(
    loaded: LoadedStudy, wanted: int | None, runner: str, address: str | None = None
) -> Workers:
    """The workers of a launch: as many as `wanted`, or as many as fit. Raises `StudyError` if they do not fit.

    On this machine, it also raises for a trial that needs more memory than there is.
    """
    resources = loaded.study_file.spec.resources
    if address is None:
        fitting = count_workers(resources, wanted)
        check_memory(loaded.plan.spec, loaded.plan.trial_set)
        check_precision(loaded.plan.spec, loaded.plan.trial_set)
        if runner == "inline" and (wanted or 1) > 1:
            raise StudyError(f"--workers: got {wanted}, the inline runner has one worker")
        return Workers(count=1 if runner == "inline" else fitting, runner=runner)
    if runner == "inline":
        raise StudyError("--address: the inline runner is this process; leave one of them out")
    start_ray(check_address(address), cpus=0)
    from study.launch.runners.ray_nodes import list_nodes  # imports Ray

    return Workers(count=cluster_workers(list_nodes(), resources, wanted), runner=runner, address=address)


def end_of(max_hours: float | None) -> float | None:
    """The latest end of a command that starts now, in seconds of `time.monotonic`; None for no limit.

    Raises `StudyError` for a number of hours out of range.
    """
    if max_hours is None:
        return None
    if not 0 < max_hours <= _MOST_HOURS:
        raise StudyError(f"--max-hours: got {max_hours:g}, must be above 0 and at most {_MOST_HOURS:g}")
    return time.monotonic() + 3600 * max_hours


def prepare_store(study: str, loaded: LoadedStudy, *, edited: bool = False) -> None:
    """Archive the study file, and set damaged records aside. Raises `StudyError` before it writes anything.

    It also raises `DataError` before, if trials are missing whose data cannot be read.
    """
    destinations(loaded.study_file.spec.tracking)  # raises
    archive = read_archive(loaded)
    check_name(study, loaded, archive, edited=edited)
    if loaded.plan.missing or loaded.plan.undecided:
        _decode_data(loaded, loaded.plan.missing)
    loaded.store.prepare()
    if line := removed_line(loaded, archive):
        say(line)
    write_archive(study, loaded, archive)
    for damage in loaded.plan.records.damaged:
        if damage.is_whole_file:
            with loaded.store.writing(), suppress(FileNotFoundError):  # another launch has moved it
                say_error(f"set aside: {loaded.store.set_aside(damage)}")


def launch_trials(
    loaded: LoadedStudy,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    *,
    search: bool = False,
    until: float | None = None,
    stages: StageTimes | None = None,
) -> Stop | None:
    """Run trials, and with `search` also the trials that the searches decide, at most until the time `until`.

    `stages` receives the events too. Returns None if every trial has its record, otherwise the signal that stopped
    the launch.
    """
    undecided = loaded.plan.undecided if search else 0
    say(
        f"{loaded.name}: {len(trials) + undecided} of {loaded.plan.counts()['trials']} trials to run, "
        f"{_at_a_time(loaded, workers)}; Ctrl-C stops, the same command continues.",
    )
    _check_files(loaded, trials, workers)
    with raise_on_signals(until) as stop:
        try:
            with ExitStack() as stack:
                manifest = _manifest(loaded, workers, planned=len(trials) + undecided)
                launch = _assemble(loaded, trials, workers, manifest, stack, stages)
                if not search:
                    launch.run()
                else:
                    from study.launch.search.loop import run_search  # Optuna's import takes most of a second

                    run_search(launch, alone=lambda: _is_alone(loaded, manifest.launch))
        except KeyboardInterrupt:
            _say_stopped(loaded, trials, stop, search=search)
            return stop
    return None


def _at_a_time(loaded: LoadedStudy, workers: Workers) -> str:
    if not loaded.context.concurrent:
        return f"{workers.count} at a time"
    gpus = "the GPU" if workers.count == 1 else f"each of {workers.count} GPUs"
    return f"{loaded.context.at_once or 'as many as fit'} at a time on {gpus}"


def finish_study(loaded: LoadedStudy) -> None:
    """Complete a study without missing trials, in case an earlier launch was killed before its last steps.

    These steps report the last scores to the searches, and send the trials to trackers.
    """
    if loaded.plan.trial_set.design.adaptive:
        from study.launch.search.loop import settle  # Optuna's import takes most of a second

        settle(loaded.plan, loaded.store, alone=lambda: _is_alone(loaded))
    CONSOLE.print(f"{loaded.name}: all {len(loaded.plan.trials)} trials are done, nothing to run.")
    with _handover(loaded):
        pass


def _check_files(loaded: LoadedStudy, trials: Sequence[PlannedTrial], workers: Workers) -> None:
    """Check that all nodes see the store, and that this one has the decoded data."""
    if workers.address and loaded.store.url is None:
        from study.launch.runners.ray_nodes import check_nodes  # imports Ray

        check_nodes(loaded.store.path, loaded.data_root)
    _decode_data(loaded, trials)


def _decode_data(loaded: LoadedStudy, trials: Sequence[PlannedTrial]) -> None:
    """Decode the data of the trials now, so that workers do not wait for it."""
    trial_set = loaded.plan.trial_set
    first = (trials or stand_ins(loaded.plan.spec, trial_set))[0]
    trial_set.task.load(first.config.task, loaded.data_root)


def _assemble(
    loaded: LoadedStudy,
    trials: Sequence[PlannedTrial],
    workers: Workers,
    manifest: Manifest,
    stack: ExitStack,
    stages: StageTimes | None,
) -> Launch:
    """A launch with its listeners and its runner. `stack` ends them in the reverse order.

    The workers end first. Then the store is compacted, the manifest gets the launch's end, and the trackers receive
    the trials that they do not have yet.
    """
    spec, costs = loaded.study_file.spec, study_costs(loaded)
    if spec.search.early_stopping:
        # The order of trials decides which trials stop early. It must not depend on measured times, which vary.
        costs = costs.without_times()
    time_left = TimeLeft(workers=workers.count, pace=costs.seconds_per_unit)
    progress = stack.enter_context(Progress(CONSOLE, spec.metric, time_left))
    handover = stack.enter_context(_handover(loaded))
    log = stack.enter_context(LaunchLog(launches_folder(loaded.store.path, loaded.name), manifest, time_left))
    compaction = stack.enter_context(Compacting(loaded.store))
    imports = stack.enter_context(ReportImports())
    best = [BestEncoders(loaded.store.path, spec.metric)] if spec.keep.encoders == "best" else []
    listeners: list[Listener] = [time_left, log, *best, handover, progress, compaction, imports]
    listeners += [stages] if stages else []
    return Launch(
        plan=loaded.plan,
        store=loaded.store,
        context=loaded.context,
        workers=workers.count,
        runner=_runner(workers, loaded, stack),
        costs=costs,
        listeners=listeners,
        trials=trials,
    )


def _manifest(loaded: LoadedStudy, workers: Workers, *, planned: int) -> Manifest:
    return new_manifest(
        study=loaded.name,
        study_file=loaded.study_file.text,
        runner=workers.runner,
        workers=workers.count,
        planned=planned,
    )


def _handover(loaded: LoadedStudy) -> Handover:
    """The handover of trials to the trackers that the study file names, if any."""
    return Handover(loaded.plan, loaded.store, destinations(loaded.study_file.spec.tracking))


def _runner(workers: Workers, loaded: LoadedStudy, stack: ExitStack) -> Runner:
    if workers.runner == "inline":
        return run_inline
    runner = RayTuneRunner(
        workers=workers.count,
        cpus_per_trial=loaded.study_file.spec.resources.cpus_per_trial,
        gpus_per_worker=loaded.study_file.spec.resources.gpus_per_worker,
        address=workers.address,
    )
    stack.callback(runner.shutdown)
    return runner


def _is_alone(loaded: LoadedStudy, own: str | None = None) -> bool:
    """Whether no launch of the study runs now, apart from `own`."""
    running = running_launches(launches_folder(loaded.store.path, loaded.name))
    return {manifest.launch for manifest in running} <= {own}


def _say_stopped(loaded: LoadedStudy, trials: Sequence[PlannedTrial], stop: Stop, *, search: bool) -> None:
    """Print how many trials are done. Of `trials`, those without a new attempt since the launch's start are left."""
    before = latest_attempts(loaded.plan.records.table)
    now = latest_attempts(loaded.store.read({trial.keys.trial_id for trial in trials}).table)
    left = sum(now.get(t.keys.trial_id) == before.get(t.keys.trial_id) for t in trials)
    total = loaded.plan.counts()["trials"]
    if search:  # the search has added trials that were not planned at the start
        left = read_plan(loaded.plan.spec, loaded.plan.trial_set, loaded.store).counts()["missing"]
    why = "the time is up" if stop.is_timed else "stopped"
    say_error(
        f"{why}: {total - left} of {total} trials are done and kept, {left} are left; the same command continues"
    )
