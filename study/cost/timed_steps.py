"""Times real steps and a real evaluation of trials in this process, as a worker would run them.

The processes of `study.cost.timing` run this, and so does the process that measures memory on a GPU.

Large batches whose steps are slow are timed on fewer images and scaled up, and so is evaluation on large data. So
timing never takes minutes: it ends after `_PATIENCE`, or after one step of each part where steps are slower still.
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

from study.cost.span import Span
from trainables.config import TrialConfig
from trainables.runtime import Runtime
from trainables.training.member import Report
from trainables.trial import TASK_KINDS, TaskKind, ignore_report

#: Steps that are timed, and the seconds after which fewer will do: never fewer than two.
_STEPS, _ENOUGH_SECONDS = 12, 1.0

#: Pairs of a step that is timed whatever it costs, and of one where a whole one is slow. More where that is quick.
_SMALL_BATCHES = (16, 64)

#: Seconds of one process. The cost model prices kinds of trials that come later by the nearest timed ones.
_PATIENCE = 20.0

#: Seconds of these for evaluation, which begins on a few images and goes on to more while there is time.
_EVALUATION_SECONDS = 8.0

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
    scaled: frozenset[Any]  # stacks whose steps were timed with fewer pairs than they have
    evaluation: Span


def time_trials(stacks: Stacks, runtime: Runtime) -> Times:
    """Time the evaluation of the first stack, then as many stacks in their order as there is time for.

    Raises what the trials raise.
    """
    torch.set_num_threads(runtime.threads)
    runtime = dataclasses.replace(runtime, artefacts=None, curve_epochs=None)
    steps: dict[Any, list[float]] = {}
    setup: dict[Any, float] = {}
    scaled, pace = set(), math.inf  # seconds of a pair, as last seen
    started = time.perf_counter()
    with threadpool_limits(runtime.threads):
        evaluation = _time_evaluation(stacks[0][1][0], runtime)  # loads what later ones have
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
    """Seconds of each trial of a stack: of its steps of so many pairs, and of what comes before them."""

    seconds: list[float]
    pairs: int
    setup: float


def _time_stack(stack: Sequence[TrialConfig], runtime: Runtime, pace: float) -> _Timed:
    """Time a stack with as many of its pairs as are quick at this pace, and with more where they are quicker."""
    size = stack[0].task.training.batch_size
    pairs = _quick_pairs(size, len(stack), pace)
    timed = _stamps(stack, pairs, runtime)
    more = _quick_pairs(size, len(stack), statistics.median(timed.seconds) / pairs)
    return _stamps(stack, more, runtime) if more > pairs else timed


def _quick_pairs(size: int, members: int, pace: float) -> int:
    """The most pairs of a step whose steps are quick: all of them, or as many as a small batch has."""
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
) -> list[Iterator[dict[str, Any]]]:
    """Train a stack for so many steps. Returns an iterator for each trial, which does the rest."""
    kind = _kind(stack[0])
    short = [
        dataclasses.replace(config, task=kind.shorten(config.task, steps, batch_size)) for config in stack
    ]
    return kind.run(short, runtime, report)


def run_evaluation(config: TrialConfig, runtime: Runtime) -> float:
    """Seconds of the probes and metrics of a trial after two steps."""
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
    """Of one trial, on more and more of its images while there is time.

    The first evaluation is not counted: it imports, and chooses kernels.
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
    return whole_evaluation(seen)


def whole_evaluation(seen: Sequence[tuple[float, float]]) -> Span:
    """Seconds on all images, from seconds on parts of them, in the order of the parts.

    From growth as from the last part but one to the last, or linear growth, whichever is less, to the other; a line
    through the two is expected. Where one part alone was timed, being slow, growth is about linear: a ResNet-18
    took 2.6 s on an eighth of 2000 images, 5.5 s on a quarter and 23.6 s on all.
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
