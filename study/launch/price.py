"""The expected cost of the missing trials, for `study plan`: worker time and wall time, each with an interval."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from study.console import working
from study.cost.model import CostModel, Kind, TrialCost, study_costs
from study.cost.span import NOTHING, Span, total
from study.cost.timing import time_kinds
from study.launch.scheduling import LIST_SECONDS, form_stacks, split_work, work_unit
from study.loaded import LoadedStudy
from study.spec.expand import stand_ins
from trainables.config import TrialConfig
from trainables.work import Stack


@dataclass(frozen=True, kw_only=True)
class Price:
    """The expected cost of all missing trials, without the start-up of workers and the report."""

    work: Span  # worker seconds, summed over all trials
    wall: Span  # seconds from start to end with all workers
    source: Literal["nothing", "records", "timed", "both"]
    kinds: int  # number of kinds of trials; kinds differ in cost
    recorded: int = 0  # kinds whose cost is known from records
    timed: int = 0  # kinds that were timed; the cost of the others is derived from similar kinds


@dataclass(frozen=True, kw_only=True)
class Unpriced:
    """No price: only `recorded` of the `kinds` have a cost from records, and the others have not been timed."""

    kinds: int
    recorded: int


def price_missing(loaded: LoadedStudy, workers: int, *, at_once: int, timed: bool) -> Price | Unpriced:
    """The price on `workers` workers of this machine, from records of the store.

    With `timed`, kinds of trials without records are timed now, in `at_once` processes at a time.
    """
    stacks = _missing_stacks(loaded, workers)
    if not stacks:
        return Price(work=NOTHING, wall=NOTHING, source="nothing", kinds=0)
    costs = study_costs(loaded)
    kinds = {Kind.of(stack[0].config, len(stack)): [unit.config for unit in stack] for stack in stacks}
    unknown = {kind: configs for kind, configs in kinds.items() if not costs.is_known(kind)}
    recorded = len(kinds) - len(unknown)
    found = _time(unknown, loaded, at_once) if unknown and timed else None
    if unknown and not found:
        return Unpriced(kinds=len(kinds), recorded=recorded)
    costs = costs.with_known(found or {})
    work, wall = _simulate(stacks, costs, workers)
    return Price(
        work=work,
        wall=wall,
        source="records" if not unknown else "both" if recorded else "timed",
        kinds=len(kinds),
        recorded=recorded,
        timed=len(found or {}),
    )


def _missing_stacks(loaded: LoadedStudy, workers: int) -> list[Stack]:
    """The missing trials in the stacks of a launch, with stand-ins for trials that a search has not decided yet."""
    plan, context = loaded.plan, loaded.context
    trials = [*plan.missing, *stand_ins(plan.spec, plan.trial_set)]
    units = [work_unit(trial, context) for trial in trials]
    return form_stacks(units, workers, limit=plan.trial_set.task.stack_limit, stacked=context.stacked)


def _time(
    unknown: Mapping[Kind, Sequence[TrialConfig]], loaded: LoadedStudy, at_once: int
) -> Mapping[Kind, TrialCost] | None:
    kinds = "a kind" if len(unknown) == 1 else f"each of {len(unknown)} kinds"
    with working(
        f"timing a few steps of {kinds} of trials (loss, batch size), which takes about half a minute ..."
    ):
        # Decoded here once. Otherwise all processes but one would wait for it, and say so.
        first = next(iter(unknown.values()))[0]
        loaded.plan.trial_set.task.load(first.task, loaded.data_root)
        return time_kinds(unknown, loaded.context.runtime, at_once=at_once)


def _simulate(stacks: Sequence[Stack], costs: CostModel, workers: int) -> tuple[Span, Span]:
    """Worker seconds, and wall time in seconds if each worker takes the next list as soon as it is free."""
    priced = [(stack, costs.stack_seconds(stack) or NOTHING) for stack in stacks]
    work = total(span for _, span in priced)
    seconds = {id(stack): span.mid for stack, span in priced}
    lists = split_work([(stack, span.mid) for stack, span in priced], workers, longest=LIST_SECONDS)
    wall = _finish([sum(seconds[id(stack)] for stack in stacks_) for stacks_ in lists], workers)
    return work, work.times(wall / work.mid if work.mid else 0.0)


def _finish(lists: Sequence[float], workers: int) -> float:
    """The seconds until the last worker ends, if each worker takes the next list as soon as it is free."""
    free = [0.0] * workers
    for seconds in lists:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)
