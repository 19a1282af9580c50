"""Times real training steps and a real evaluation of trials in this process, as a worker would run them.

The processes of `study.cost.timing` use this module.

If the steps of large batches are slow, they are timed with fewer images and scaled up. The same holds for evaluation
on large data. So timing does not take minutes: it ends after `_PATIENCE`, or after a few steps of each part if steps
are slower than that.
"""

import dataclasses
import itertools
import math
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from study.cost.span import NOTHING, Span
from trainables.config import TrialConfig
from trainables.runtime import Runtime
from trainables.training.member import Report
from trainables.trial import TASK_KINDS, TaskKind, ignore_report
from trainables.turns import Columns, finish

#: The number of steps to time, and the seconds after which fewer steps are enough, but at least two.
_STEPS, _ENOUGH_SECONDS = 12, 1.0

#: Batch sizes for timing slow steps. The first is always timed. A larger batch is timed if its steps are fast enough.
_SMALL_BATCHES = (16, 64)

#: Seconds of timing in one process. The cost model estimates kinds of trials that come later from the nearest timed
#: ones.
_PATIENCE = 20.0

#: The part of these seconds for evaluation. It begins with a few images and continues with more while there is time.
_EVALUATION_SECONDS = 8.0

#: Repetitions, such as epochs of new crops, are timed when they take this many times as long as the rest. Then the
#: low and high factor for their time.
_MOSTLY, _REPEATED = 3.0, (0.7, 1.4)

#: Batch size of the steps before a timed evaluation.
_EVALUATED_BATCH = 16

#: Stacks of trials, each with a name for it.
Stacks = Sequence[tuple[Any, Sequence[TrialConfig]]]


class _EnoughError(Exception):
    """Ends pre-training when enough steps are timed."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times that one process measured: seconds per trial of steps and set-up by stack, and of one evaluation."""

    steps: dict[Any, list[float]]
    setup: dict[Any, float]
    scaled: frozenset[Any]  # stacks whose steps were timed with a smaller batch
    evaluation: Span


def time_trials(stacks: Stacks, runtime: Runtime) -> Times:
    """Time the evaluation of the first stack, then the stacks in their order while there is time.

    Exceptions of the trials are raised.
    """
    torch.set_num_threads(runtime.threads)
    runtime = dataclasses.replace(runtime, artefacts=None, curve_epochs=None)
    steps: dict[Any, list[float]] = {}
    setup: dict[Any, float] = {}
    scaled, pace = set(), math.inf  # pace: the latest measured seconds per pair
    started = time.perf_counter()
    with threadpool_limits(runtime.threads):
        # Evaluation is first, because it loads what later stacks use too.
        evaluation = _time_evaluation(stacks[0][1][0], runtime)
        for name, stack in stacks:
            if steps and time.perf_counter() - started > _PATIENCE:
                break
            timed = _time_stack(stack, runtime, pace)
            size, work = stack[0].task.training.batch_size, _kind(stack[0]).step_work(stack[0].task, runtime)
            pace = statistics.median(timed.seconds) / timed.pairs
            steps[name] = [seconds * work * size / timed.pairs for seconds in timed.seconds]
            setup[name] = timed.setup
            if timed.pairs < size:
                scaled.add(name)
    return Times(steps=steps, setup=setup, scaled=frozenset(scaled), evaluation=evaluation)


@dataclass(frozen=True, kw_only=True)
class _Timed:
    """Seconds per trial of a stack: of each step with `pairs` pairs, and of the set-up before the steps."""

    seconds: list[float]
    pairs: int
    setup: float


def _time_stack(stack: Sequence[TrialConfig], runtime: Runtime, pace: float) -> _Timed:
    """Time a stack with a batch size that is fast at this pace, then with a larger one if the pace was better."""
    size = stack[0].task.training.batch_size
    pairs = _quick_pairs(size, len(stack), pace)
    timed = _stamps(stack, pairs, runtime)
    more = _quick_pairs(size, len(stack), statistics.median(timed.seconds) / pairs)
    return _stamps(stack, more, runtime) if more > pairs else timed


def _quick_pairs(size: int, members: int, pace: float) -> int:
    """The largest batch size whose steps are fast: the full batch, or one of the small batch sizes."""
    choices = sorted({min(size, pairs) for pairs in (*_SMALL_BATCHES, size)})
    return max((n for n in choices if n * members * pace < _ENOUGH_SECONDS / 2), default=choices[0])


def _stamps(stack: Sequence[TrialConfig], size: int, runtime: Runtime) -> _Timed:
    stamps = [time.perf_counter()]

    def stamp(_: object) -> None:
        stamps.append(time.perf_counter())
        if len(stamps) > 3 and stamps[-1] - stamps[1] > _ENOUGH_SECONDS:
            raise _EnoughError

    with suppress(_EnoughError):
        run_steps(stack, _STEPS + 1, runtime, batch_size=size, report=stamp)
    steps = [after - before for before, after in itertools.pairwise(stamps[1:])]
    setup = max(0.0, stamps[1] - stamps[0] - statistics.median(steps))
    return _Timed(seconds=[each / len(stack) for each in steps], pairs=size, setup=setup / len(stack))


def run_steps(
    stack: Sequence[TrialConfig],
    steps: int,
    runtime: Runtime,
    *,
    batch_size: int | None = None,
    report: Report = ignore_report,
) -> Sequence[Columns]:
    """Train a stack for `steps` steps. Returns an iterator for each trial that does the rest of the trial."""
    kind = _kind(stack[0])
    short = [
        dataclasses.replace(config, task=kind.shorten(config.task, steps, batch_size)) for config in stack
    ]
    return finish(kind.run(short, runtime, report))


def run_evaluation(config: TrialConfig, runtime: Runtime) -> float:
    """Seconds of the probes and metrics of a trial, after two training steps."""
    size = min(config.task.training.batch_size, _EVALUATED_BATCH)
    (columns,) = run_steps([config], 2, runtime, batch_size=size)
    next(columns)
    started = time.perf_counter()
    for _ in columns:
        pass
    return time.perf_counter() - started


def _kind(config: TrialConfig) -> TaskKind:
    return TASK_KINDS[config.task.kind]


def _time_evaluation(config: TrialConfig, runtime: Runtime) -> Span:
    """Time the evaluation of one trial on growing parts of its images while there is time.

    The first evaluation is not counted, because it imports modules and chooses kernels.
    """
    parts = [
        (part, dataclasses.replace(config, task=task))
        for part, task in _kind(config).evaluation_parts(config.task, runtime)
    ]
    started = time.perf_counter()
    run_evaluation(parts[0][1], runtime)
    seen = [(parts[0][0], run_evaluation(parts[0][1], runtime))]
    for part, smaller in parts[1:]:
        expected = seen[-1][1] * part / seen[-1][0]
        if time.perf_counter() - started + expected > _EVALUATION_SECONDS:
            break
        seen.append((part, run_evaluation(smaller, runtime)))
    return whole_evaluation(seen) + _time_repeated(config, runtime)


def _time_repeated(config: TrialConfig, runtime: Runtime) -> Span:
    """Seconds of what an evaluation repeats, from the difference of two evaluations with few repetitions.

    Their number grows until the repetitions take most of the time, or until the time is over.
    """
    found = _kind(config).repeated_evaluation(config.task, runtime)
    if found is None:
        return NOTHING
    task_with, repetitions = found

    def seconds_with(number: int) -> float:
        return run_evaluation(dataclasses.replace(config, task=task_with(number)), runtime)

    started, more = time.perf_counter(), 2
    one = seconds_with(1)
    while (seconds := seconds_with(1 + more) - one) < _MOSTLY * one:
        if time.perf_counter() - started > _EVALUATION_SECONDS / 2:
            break
        more *= 4
    each = max(0.0, seconds) / more
    return Span(low=each, mid=each, high=each).times(repetitions).widened(*_REPEATED)


def whole_evaluation(seen: Sequence[tuple[float, float]]) -> Span:
    """Seconds on all images, from pairs of part and seconds, in increasing order of the parts.

    One end of the span assumes that the power law between the last two parts continues; the other end assumes linear
    growth. The expected value is on the straight line through the last two parts. If only one part was timed, because
    it is slow, growth is about linear: a ResNet-18 took 2.6 s on an eighth of 2000 images, 5.5 s on a quarter and
    23.6 s on all.
    """
    part, seconds = seen[-1]
    if part == 1:
        return Span(low=seconds, mid=seconds, high=seconds)
    linear = seconds / part
    if len(seen) == 1:
        return Span(low=seconds / part**0.7, mid=seconds / part**0.95, high=seconds / part**1.15)
    before, fewer = seen[-2]
    power = max(0.0, math.log(seconds / fewer) / math.log(part / before))
    low, high = sorted((linear, seconds / part**power))
    line = seconds + (seconds - fewer) * (1 - part) / (part - before)
    return Span(low=low, mid=min(high, max(low, line)), high=high)
