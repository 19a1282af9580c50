"""Times real steps and a real evaluation of trials in this process, as a worker would run them.

Large batches whose steps are slow are timed on fewer images and scaled up, and evaluation on large data likewise,
so that a price never costs minutes itself.
"""

import dataclasses
import itertools
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from study.span import Span
from trainables.config import ImagesTask, SelectionConfig, TrialConfig
from trainables.datasets.catalogue import load_dataset
from trainables.runtime import Runtime
from trainables.schema import LABELS_A_CLASS
from trainables.selection.rounds import relative_step_cost
from trainables.training.member import Report
from trainables.trial import TASK_KINDS, ignore_report

#: Steps that are timed, and the seconds after which fewer will do: never fewer than two.
_STEPS, _ENOUGH_SECONDS = 12, 1.0

#: Pairs of a step that is timed whatever it costs. More are timed where that is quick.
_SMALL_BATCH = 64

#: Seconds of one process on all steps. Kinds of trials that come later are left to be priced by their like.
_PATIENCE = 30.0

#: Training images on which evaluation is timed where there are more.
_EVALUATED = 2000

#: Pairs of the steps before an evaluation that is timed.
_EVALUATED_BATCH = 16

#: Stacks of trials that would be trained as one, each with what to call it.
Stacks = Sequence[tuple[Any, Sequence[TrialConfig]]]


class _EnoughError(Exception):
    """Ends pre-training once enough steps are timed."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """What one process saw: seconds of steps and of set-up by stack, for one trial, and of one evaluation."""

    steps: dict[Any, list[float]]
    setup: dict[Any, float]
    evaluation: Span


def time_trials(stacks: Stacks, runtime: Runtime) -> Times:
    """Time the stacks in their order, and the evaluation of the first. Raises what the trials raise."""
    torch.set_num_threads(runtime.threads)
    runtime = dataclasses.replace(runtime, artefacts=None, curve_epochs=None)
    with threadpool_limits(runtime.threads):
        evaluation = _time_evaluation(stacks[0][1][0], runtime)  # loads what later ones have
        steps: dict[Any, list[float]] = {}
        setup: dict[Any, float] = {}
        started = time.perf_counter()
        for name, stack in stacks:
            if steps and time.perf_counter() - started > _PATIENCE:
                break
            steps[name], setup[name] = _time_stack(stack, runtime)
            work = _selection_work(stack[0], runtime)
            steps[name] = [seconds * work for seconds in steps[name]]
    return Times(steps=steps, setup=setup, evaluation=evaluation)


def _time_stack(stack: Sequence[TrialConfig], runtime: Runtime) -> tuple[list[float], float]:
    """Seconds of steps, and of what comes before them, of each trial of a stack."""
    size = stack[0].task.training.batch_size
    small = min(size, _SMALL_BATCH)
    steps, setup = _stamps(stack, small, runtime)
    if small < size and statistics.median(steps) * len(stack) * size / small < _ENOUGH_SECONDS / 2:
        small = size
        steps, setup = _stamps(stack, size, runtime)
    return [seconds * size / small for seconds in steps], setup


def _stamps(stack: Sequence[TrialConfig], size: int, runtime: Runtime) -> tuple[list[float], float]:
    stamps = [time.perf_counter()]

    def stamp(_: object) -> None:
        stamps.append(time.perf_counter())
        if len(stamps) > 3 and stamps[-1] - stamps[1] > _ENOUGH_SECONDS:
            raise _EnoughError

    with suppress(_EnoughError):
        run_steps(stack, _STEPS + 1, runtime, batch_size=size, report=stamp)
    steps = [after - before for before, after in itertools.pairwise(stamps[1:])]
    setup = max(0.0, stamps[1] - stamps[0] - statistics.median(steps))
    return [seconds / len(stack) for seconds in steps], setup / len(stack)


def run_steps(
    stack: Sequence[TrialConfig],
    steps: int,
    runtime: Runtime,
    *,
    batch_size: int | None = None,
    report: Report = ignore_report,
) -> list[Iterator[dict[str, Any]]]:
    """Train a stack for so many steps. Returns what is still to do of each trial: its columns, as they come."""
    short = [_short(config, steps, batch_size) for config in stack]
    return TASK_KINDS[short[0].task.kind].run(short, runtime, report)


def run_evaluation(config: TrialConfig, runtime: Runtime, part: float = 1.0) -> float:
    """Seconds of the probes and metrics of a network after two steps, on a part of the images of every split."""
    task = config.task
    if part < 1:
        info = load_dataset(task.data, runtime.data_root).info
        limits = {"train_limit": int(part * info.n_train), "test_limit": math.ceil(part * info.n_test)}
        task = dataclasses.replace(task, data=dataclasses.replace(task.data, **limits))
    size = min(task.training.batch_size, _EVALUATED_BATCH)
    (columns,) = run_steps([dataclasses.replace(config, task=task)], 2, runtime, batch_size=size)
    next(columns)
    started = time.perf_counter()
    for _ in columns:
        pass
    return time.perf_counter() - started


def evaluated_part(config: TrialConfig, runtime: Runtime) -> float:
    """The part of the images on which evaluation is timed; half of it has the labels that every probe needs."""
    if not isinstance(config.task, ImagesTask):
        return 1.0
    info = load_dataset(config.task.data, runtime.data_root).info
    labels = len(info.classes) * max(LABELS_A_CLASS.get(probe, 0) for probe in config.task.probe.suite)
    part = max(_EVALUATED, 2.2 * labels) / info.n_train
    return part if part < 0.5 else 1.0


def _time_evaluation(config: TrialConfig, runtime: Runtime) -> Span:
    """Of one trial; from a part, the span from linear growth to the growth from half of the part to all of it.

    The first evaluation is not counted: it imports, and chooses kernels.
    """
    part = evaluated_part(config, runtime)
    if part == 1:
        _, *seconds = [run_evaluation(config, runtime) for _ in range(3)]
        return Span(low=min(seconds), mid=statistics.fmean(seconds), high=max(seconds))
    _, half, whole = [run_evaluation(config, runtime, each) for each in (part / 2, part / 2, part)]
    low, high = whole / part, whole / part ** max(1.0, math.log2(whole / half))
    return Span(low=low, mid=math.sqrt(low * high), high=high)


def _short(config: TrialConfig, steps: int, batch_size: int | None) -> TrialConfig:
    """The same trial over a few steps, of so many pairs where they are given."""
    training = config.task.training
    fields = {
        "steps": steps,
        "epochs": None,
        "samples": None,
        "batch_size": batch_size or training.batch_size,
    }
    known = {name: value for name, value in fields.items() if hasattr(training, name)}
    task = dataclasses.replace(config.task, training=dataclasses.replace(training, **known))
    if isinstance(task, ImagesTask):
        task = dataclasses.replace(task, selection=SelectionConfig())
    return dataclasses.replace(config, task=task)


def _selection_work(config: TrialConfig, runtime: Runtime) -> float:
    """Work of a step with its share of choosing batches over that without, since steps are timed on shuffled ones.

    Choosing may embed the whole data set before the first step, which would be a price of minutes.
    """
    task = config.task
    if not isinstance(task, ImagesTask):
        return 1.0
    images = load_dataset(task.data, runtime.data_root).info.n_pretraining
    return relative_step_cost(task.selection, images, task.training.batch_size)
