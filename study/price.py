"""What the missing trials will cost: worker time and wall time, each with an interval."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from study.estimate import trial_steps
from study.expand import PlannedTrial, stand_ins
from study.measure import measure_costs
from study.opened import Opened
from study.packs import form_packs
from study.past_times import Conditions, Kind, TrialCost, cost_key, past_costs
from study.span import NOTHING, Span, total
from study.split import split_work
from trainables.machine import processor_name
from trainables.work import Pack, WorkUnit

#: Expected seconds of the longest list of trials, as in `study.launch`.
_LIST_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of all missing trials, start-up and report apart."""

    work: Span  # seconds of one worker
    wall: Span  # seconds of all workers together
    source: Literal["nothing", "records", "timed", "both"]
    kinds: int  # of trials whose costs differ


def price_missing(opened: Opened, workers: int, *, at_once: int, timed: bool) -> Price | None:
    """The price on `workers` workers of this machine, from records of the store.

    With `timed`, what they do not tell of is timed now, `at_once` processes at a time. None where neither tells.
    """
    packs = _packs(opened, workers)
    if not packs:
        return Price(work=NOTHING, wall=NOTHING, source="nothing", kinds=0)
    stacks = {_kind(pack): [unit.config for unit in pack] for pack in packs}
    known = past_costs(opened.store.read().table, stacks, _conditions(opened))
    unknown = {kind: stack for kind, stack in stacks.items() if kind not in known}
    measured: dict[Kind, TrialCost] | None = {}
    if unknown:
        runtime = opened.workshop.runtime
        measured = measure_costs(unknown, runtime, at_once=at_once) if timed else None
    if measured is None:
        return None
    kept = {trial.keys.trial_id for trial in opened.plan.missing if opened.is_kept(trial)}
    spans = [_pack_seconds(pack, known | measured, kept, opened) for pack in packs]
    work = total(spans)
    lists = split_work(list(zip(packs, (s.mid for s in spans), strict=True)), workers, longest=_LIST_SECONDS)
    seconds = dict(zip(map(id, packs), (span.mid for span in spans), strict=True))
    wall = _finish([sum(seconds[id(pack)] for pack in packs_) for packs_ in lists], workers)
    source: Literal["records", "timed", "both"] = (
        "both" if known and measured else "timed" if measured else "records"
    )
    return Price(
        work=work, wall=work.times(wall / work.mid if work.mid else 0.0), source=source, kinds=len(stacks)
    )


def _packs(opened: Opened, workers: int) -> list[Pack]:
    """The missing trials as a launch would put them together, and stand-ins for what a search has still to find."""
    trials = [*opened.plan.missing, *stand_ins(opened.plan.spec, opened.plan.expansion)]
    units = [_unit(trial, opened) for trial in trials]
    pixels = opened.plan.expansion.task.pixels
    return form_packs(units, workers, pixels=pixels, stacked=opened.workshop.stacked) if units else []


def _unit(trial: PlannedTrial, opened: Opened) -> WorkUnit:
    return WorkUnit(
        trial_id=trial.keys.trial_id,
        attempt=0,
        config=trial.config,
        title=trial.title,
        alone=opened.is_kept(trial),
    )


def _kind(pack: Pack) -> Kind:
    return cost_key(pack[0].config), len(pack)


def _pack_seconds(pack: Pack, costs: Mapping[Kind, TrialCost], kept: set[str], opened: Opened) -> Span:
    """Kept encoders are only evaluated."""
    cost, expansion = costs[_kind(pack)], opened.plan.expansion
    steps = [0 if unit.trial_id in kept else trial_steps(unit.config, expansion) for unit in pack]
    return total(cost.rest + cost.step.times(count) for count in steps)


def _conditions(opened: Opened) -> Conditions:
    runtime = opened.workshop.runtime
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
