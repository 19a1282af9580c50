"""What the missing trials will cost: worker time and wall time, each with an interval."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from study.console import working
from study.cost.estimate import relative_cost, trial_steps
from study.cost.past_times import Conditions, Kind, TrialCost, cost_key, past_costs
from study.cost.span import NOTHING, Span, total
from study.cost.time_trials import Measured, time_kinds
from study.launch.launch import costs_are_seconds, launch_costs
from study.launch.scheduling import split_work
from study.launch.stacks import form_stacks
from study.loaded import LoadedStudy
from study.spec.expand import PlannedTrial, stand_ins
from trainables.config import TrialConfig
from trainables.machine import processor_name
from trainables.work import Stack, WorkUnit

#: Expected seconds of the longest list of trials, as in `study.launch.launch`.
_LIST_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of all missing trials, start-up and report apart."""

    work: Span  # seconds of one worker
    wall: Span  # seconds of all workers together
    source: Literal["nothing", "records", "timed", "both"]
    kinds: int  # of trials whose costs differ
    recorded: int = 0  # kinds that records tell of
    timed: int = 0  # kinds that were timed; the others are priced by their like


@dataclass(frozen=True, kw_only=True)
class Unpriced:
    """No price: records tell of `recorded` of the kinds of trials, and the others were not or could not be timed."""

    kinds: int
    recorded: int


def price_missing(loaded: LoadedStudy, workers: int, *, at_once: int, timed: bool) -> Price | Unpriced:
    """The price on `workers` workers of this machine, from records of the store.

    With `timed`, what they do not tell of is timed now, `at_once` processes at a time.
    """
    stacks = _stacks(
        loaded, [*loaded.plan.missing, *stand_ins(loaded.plan.spec, loaded.plan.trial_set)], workers
    )
    if not stacks:
        return Price(work=NOTHING, wall=NOTHING, source="nothing", kinds=0)
    by_kind = {_kind(stack): [unit.config for unit in stack] for stack in stacks}
    known = past_costs(loaded.store.read().table, by_kind, _conditions(loaded))
    unknown = {kind: configs for kind, configs in by_kind.items() if kind not in known}
    measured: Measured | None = Measured(costs={}, timed=0)
    if unknown:
        measured = _measure(unknown, loaded, at_once) if timed else None
    if measured is None:
        return Unpriced(kinds=len(by_kind), recorded=len(known))
    spans = [_stack_seconds(stack, {**known, **measured.costs}, loaded) for stack in stacks]
    work = total(spans)
    lists = split_work(list(zip(stacks, (s.mid for s in spans), strict=True)), workers, longest=_LIST_SECONDS)
    seconds = dict(zip(map(id, stacks), (span.mid for span in spans), strict=True))
    wall = _finish([sum(seconds[id(stack)] for stack in stacks_) for stacks_ in lists], workers)
    source: Literal["records", "timed", "both"] = "records" if not unknown else "both" if known else "timed"
    return Price(
        work=work,
        wall=work.times(wall / work.mid if work.mid else 0.0),
        source=source,
        kinds=len(by_kind),
        recorded=len(known),
        timed=measured.timed,
    )


def expected_costs(
    loaded: LoadedStudy, trials: Sequence[PlannedTrial], workers: int, *, search: bool
) -> tuple[list[float], float | None]:
    """What each trial is expected to cost, and the seconds of a worker for a unit of that.

    Seconds of each, and 1, where records of the store tell of all. The second is None where they tell of nothing.
    """
    images = loaded.plan.trial_set.task.images
    known = {} if loaded.plan.spec.search.early_stopping else _recorded_seconds(loaded, trials, workers)
    # Those that a search comes upon later are compared with these, whatever is recorded by then.
    costs = [relative_cost(t, images) for t in trials] if search else launch_costs(loaded.plan, trials)
    if trials and len(known) == len(trials) and not search:
        return [known[trial.keys.trial_id] for trial in trials], 1.0
    if units := sum(cost for t, cost in zip(trials, costs, strict=True) if t.keys.trial_id in known):
        return costs, sum(known.values()) / units
    return costs, 1.0 if not search and costs_are_seconds(loaded.plan) else None


def _recorded_seconds(loaded: LoadedStudy, trials: Sequence[PlannedTrial], workers: int) -> dict[str, float]:
    """Expected seconds of those trials that records tell of."""
    stacks = _stacks(loaded, trials, workers)
    by_kind = {_kind(stack) for stack in stacks}
    known = past_costs(loaded.store.read().table, by_kind, _conditions(loaded)) if by_kind else {}
    return {
        unit.trial_id: _stack_seconds((unit,), {_kind((unit,)): known[_kind(stack)]}, loaded).mid
        for stack in stacks
        if _kind(stack) in known
        for unit in stack
    }


def _measure(
    unknown: Mapping[Kind, Sequence[TrialConfig]], loaded: LoadedStudy, at_once: int
) -> Measured | None:
    kinds = "a kind" if len(unknown) == 1 else f"each of {len(unknown)} kinds"
    with working(
        f"timing a few steps of {kinds} of trials (loss, batch size), which takes half a minute or so ..."
    ):
        return time_kinds(unknown, loaded.context.runtime, at_once=at_once)


def _stacks(loaded: LoadedStudy, trials: Sequence[PlannedTrial], workers: int) -> list[Stack]:
    """The trials as a launch would put them together."""
    units = [_unit(trial, loaded) for trial in trials]
    pixels = loaded.plan.trial_set.task.pixels
    return form_stacks(units, workers, pixels=pixels, stacked=loaded.context.stacked) if units else []


def _unit(trial: PlannedTrial, loaded: LoadedStudy) -> WorkUnit:
    return WorkUnit(
        trial_id=trial.keys.trial_id,
        attempt=0,
        config=trial.config,
        title=trial.title,
        alone=loaded.is_kept(trial),
    )


def _kind(stack: Stack) -> Kind:
    return cost_key(stack[0].config), len(stack)


def _stack_seconds(stack: Stack, costs: Mapping[Kind, TrialCost], loaded: LoadedStudy) -> Span:
    """Kept encoders, whose units are alone, are only evaluated."""
    cost, trial_set = costs[_kind(stack)], loaded.plan.trial_set
    steps = [0 if unit.alone else trial_steps(unit.config, trial_set) for unit in stack]
    return total(cost.rest + cost.step.times(count) for count in steps)


def _conditions(loaded: LoadedStudy) -> Conditions:
    runtime = loaded.context.runtime
    name = processor_name()
    if runtime.device != "cpu":
        import torch  # seconds of start-up, paid only by studies that ask for a GPU

        name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return Conditions(
        device=runtime.device, device_name=name, threads=runtime.threads, execution=runtime.execution
    )


def _finish(lists: Sequence[float], workers: int) -> float:
    """When the last worker ends, each taking the next list when it is free."""
    free = [0.0] * workers
    for seconds in lists:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)
