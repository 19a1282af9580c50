"""Times trials without records: real steps of each loss and batch size, on this machine.

`study plan` uses it and adds the times to the cost model. Timing ends after some seconds. The model estimates kinds
that were not timed from the nearest timed ones. Several processes time the same trials at once, as many as there are
workers, because workers share memory, caches and clock rates.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from study.cost.model import Kind, TrialCost
from study.cost.span import Span, spans_of
from trainables.config import TrialConfig
from trainables.datasets.source import DataError
from trainables.own_code import spawned_processes
from trainables.runtime import Runtime

if TYPE_CHECKING:
    from study.cost.timed_steps import Times

#: The most processes. More processes at once give no further information.
_MOST = 8

#: Low and high factor from timed steps to steps in a launch. In a launch, the command and Ray's processes share the
#: CPU cores with the workers: on two cores, quickstarts took 1.0 to 1.25 times the timed seconds.
_IN_A_LAUNCH = (0.95, 1.3)

#: Low and high factor for steps that are scaled up from a smaller batch because the full batch is too slow to time: a
#: pair of a ResNet-18 took 37 ms in steps of 16 and 41 ms in steps of 64.
_SCALED_UP = (0.9, 1.4)


def time_kinds(
    stacks: Mapping[Kind, Sequence[TrialConfig]], runtime: Runtime, *, at_once: int
) -> dict[Kind, TrialCost] | None:
    """The costs of the kinds of trials that could be timed in the available time; None if the trials fail.

    `stacks` has the trials of one stack of each kind. `at_once` is the number of workers that share this machine, or
    one of its GPUs. Writes nothing.
    """
    ordered = _breadth_first(stacks)
    count = max(1, min(at_once, _MOST))
    with spawned_processes(count) as pool:
        futures = [pool.submit(_time, ordered, runtime) for _ in range(count)]
        try:
            seen = [future.result() for future in futures]
        except DataError:  # no trial could run
            raise
        except Exception:  # the trials themselves will record any error
            return None
    return timed_costs(seen)


def timed_costs(seen: Sequence["Times"]) -> dict[Kind, TrialCost]:
    """The cost of every timed kind, from the times that each process measured."""
    steps: dict[Kind, list[float]] = defaultdict(list)
    setups: dict[Kind, list[float]] = defaultdict(list)
    for times in seen:
        for kind in times.steps:
            steps[kind] += times.steps[kind]
            setups[kind].append(times.setup[kind])
    evaluation = _envelope([times.evaluation for times in seen])
    setup_spans = spans_of(setups)
    scaled = frozenset().union(*(times.scaled for times in seen))
    costs = {}
    for kind, step in spans_of(steps).items():
        step = step.widened(*_IN_A_LAUNCH)
        costs[kind] = TrialCost(
            step=step.widened(*_SCALED_UP) if kind in scaled else step,
            rest=(setup_spans[kind] + evaluation).widened(*_IN_A_LAUNCH),
        )
    return costs


def _time(stacks: list[tuple[Kind, Sequence[TrialConfig]]], runtime: Runtime) -> "Times":
    from study.cost.timed_steps import time_trials  # only the timing process imports torch

    return time_trials(stacks, runtime)


def _breadth_first(
    stacks: Mapping[Kind, Sequence[TrialConfig]],
) -> list[tuple[Kind, Sequence[TrialConfig]]]:
    """Order the stacks: every batch size once, then again, because time may end before all are timed."""
    turns: dict[int, int] = defaultdict(int)
    ranked = []
    for kind, stack in stacks.items():
        ranked.append((turns[kind.batch_size], kind, stack))
        turns[kind.batch_size] += 1
    return [(kind, stack) for _, kind, stack in sorted(ranked, key=lambda entry: entry[0])]


def _envelope(spans: Sequence[Span]) -> Span:
    (mid,) = spans_of({None: [span.mid for span in spans]}).values()
    low, high = min(span.low for span in spans), max(span.high for span in spans)
    return Span(low=min(low, mid.low), mid=mid.mid, high=max(high, mid.high))
