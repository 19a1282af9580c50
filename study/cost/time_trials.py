"""Prices trials that no record tells of: real steps of each loss and batch size, timed on this machine.

Timing ends after some seconds; kinds of trials that had no turn are priced by their like, between wider ends. As
many processes as workers time the same at once, since workers share memory and caches, and clock rates.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from study.cost.past_times import Kind, TrialCost
from study.cost.span import Span, spans_of
from trainables.config import TrialConfig
from trainables.own_code import spawned_processes
from trainables.runtime import Runtime

if TYPE_CHECKING:
    from study.cost.timed_steps import Times

#: More processes at once tell no more.
_MOST = 8

#: Ends of what steps take in a launch over what they take when timed. There the command and Ray's processes share
#: the processors with the workers: on two cores, quickstarts took 1.0 to 1.25 times the seconds that were timed.
_IN_A_LAUNCH = (0.95, 1.3)

#: The work of a step beside its pairs, as pairs: what a small network's step costs whatever its batch.
STEP_PAIRS = 48

#: Ends of what a step costs over what those of the nearest timed kind say, as of another loss or batch size.
_BY_LIKE = (0.6, 1.5)

#: Ends of what a step costs over what one of fewer pairs says, where a whole one is too slow to be timed: a pair of
#: a ResNet-18 took 37 ms in steps of 16 and 41 ms in steps of 64.
_SCALED_UP = (0.9, 1.4)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Costs of kinds of trials, and how many of the kinds were timed themselves."""

    costs: Mapping[Kind, TrialCost]
    timed: int


def time_kinds(
    stacks: Mapping[Kind, Sequence[TrialConfig]], runtime: Runtime, *, at_once: int
) -> Measured | None:
    """The costs of trials trained in stacks like these; None when they fail. Writes nothing.

    `at_once` is how many workers share this machine, or one of its GPUs.
    """
    ordered = _breadth_first(stacks)
    count = max(1, min(at_once, _MOST))
    with spawned_processes(count) as pool:
        futures = [pool.submit(_time, ordered, runtime) for _ in range(count)]
        try:
            seen = [future.result() for future in futures]
        except Exception:  # whatever it is, the trials themselves will record it
            return None
    return _costs(stacks, seen)


def _time(stacks: list[tuple[Kind, Sequence[TrialConfig]]], runtime: Runtime) -> "Times":
    from study.cost.timed_steps import time_trials  # torch is loaded in the process that times

    return time_trials(stacks, runtime)


def _breadth_first(
    stacks: Mapping[Kind, Sequence[TrialConfig]],
) -> list[tuple[Kind, Sequence[TrialConfig]]]:
    """Every batch size once, then once more: time may end before every loss has had its turn."""
    turns: dict[int, int] = defaultdict(int)
    ranked = []
    for kind, stack in stacks.items():
        size = stack[0].task.training.batch_size
        ranked.append((turns[size], kind, stack))
        turns[size] += 1
    return [(kind, stack) for _, kind, stack in sorted(ranked, key=lambda entry: entry[0])]


def _costs(stacks: Mapping[Kind, Sequence[TrialConfig]], seen: Sequence["Times"]) -> Measured:
    steps: dict[Kind, list[float]] = defaultdict(list)
    setups: dict[Kind, list[float]] = defaultdict(list)
    for times in seen:
        for kind in times.steps:
            steps[kind] += times.steps[kind]
            setups[kind].append(times.setup[kind])
    evaluation = _envelope([times.evaluation for times in seen])
    step_spans, setup_spans = spans_of(steps), spans_of(setups)
    scaled = frozenset().union(*(times.scaled for times in seen))
    costs = {}
    for kind in stacks:
        like, factor = _like(kind, stacks, step_spans)
        step = step_spans[like].times(factor).widened(*_IN_A_LAUNCH)
        if like in scaled:
            step = step.widened(*_SCALED_UP)
        if like != kind:
            step = step.widened(*_BY_LIKE)
        cost = TrialCost(step=step, rest=(setup_spans[like] + evaluation).widened(*_IN_A_LAUNCH))
        costs[kind] = cost.in_stack(len(stacks[like]), len(stacks[kind]))
    return Measured(costs=costs, timed=len(steps))


def _envelope(spans: Sequence[Span]) -> Span:
    (mid,) = spans_of({None: [span.mid for span in spans]}).values()
    low, high = min(span.low for span in spans), max(span.high for span in spans)
    return Span(low=min(low, mid.low), mid=mid.mid, high=max(high, mid.high))


def _like(
    kind: Kind, stacks: Mapping[Kind, Sequence[TrialConfig]], timed: Mapping[Kind, Span]
) -> tuple[Kind, float]:
    """The timed kind whose batch and stack are nearest, and how many times its step costs."""
    if kind in timed:
        return kind, 1.0
    size, members = stacks[kind][0].task.training.batch_size, len(stacks[kind])

    def distance(other: Kind) -> tuple[int, int]:
        return abs(stacks[other][0].task.training.batch_size - size), abs(len(stacks[other]) - members)

    nearest = min(timed, key=distance)
    return nearest, (size + STEP_PAIRS) / (stacks[nearest][0].task.training.batch_size + STEP_PAIRS)
