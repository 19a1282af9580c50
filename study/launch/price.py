"""What the missing trials will cost: worker time and wall time, each with an interval."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from study.console import working
from study.cost.estimate import relative_cost, trial_steps
from study.cost.past_times import Conditions, Kind, TrialCost, cost_key, past_costs
from study.cost.span import NOTHING, Span, total
from study.cost.time_trials import Measured, measure_costs
from study.launch.launch import costs_are_seconds, launch_costs
from study.launch.scheduling import split_work
from study.launch.stacks import form_packs
from study.loaded import Opened
from study.spec.expand import PlannedTrial, stand_ins
from trainables.config import TrialConfig
from trainables.machine import processor_name
from trainables.work import Pack, WorkUnit

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


def price_missing(opened: Opened, workers: int, *, at_once: int, timed: bool) -> Price | Unpriced:
    """The price on `workers` workers of this machine, from records of the store.

    With `timed`, what they do not tell of is timed now, `at_once` processes at a time.
    """
    packs = _packs(
        opened, [*opened.plan.missing, *stand_ins(opened.plan.spec, opened.plan.expansion)], workers
    )
    if not packs:
        return Price(work=NOTHING, wall=NOTHING, source="nothing", kinds=0)
    stacks = {_kind(pack): [unit.config for unit in pack] for pack in packs}
    known = past_costs(opened.store.read().table, stacks, _conditions(opened))
    unknown = {kind: stack for kind, stack in stacks.items() if kind not in known}
    measured: Measured | None = Measured(costs={}, timed=0)
    if unknown:
        measured = _measure(unknown, opened, at_once) if timed else None
    if measured is None:
        return Unpriced(kinds=len(stacks), recorded=len(known))
    spans = [_pack_seconds(pack, {**known, **measured.costs}, opened) for pack in packs]
    work = total(spans)
    lists = split_work(list(zip(packs, (s.mid for s in spans), strict=True)), workers, longest=_LIST_SECONDS)
    seconds = dict(zip(map(id, packs), (span.mid for span in spans), strict=True))
    wall = _finish([sum(seconds[id(pack)] for pack in packs_) for packs_ in lists], workers)
    source: Literal["records", "timed", "both"] = "records" if not unknown else "both" if known else "timed"
    return Price(
        work=work,
        wall=work.times(wall / work.mid if work.mid else 0.0),
        source=source,
        kinds=len(stacks),
        recorded=len(known),
        timed=measured.timed,
    )


def expected_costs(
    opened: Opened, trials: Sequence[PlannedTrial], workers: int, *, search: bool
) -> tuple[list[float], float | None]:
    """What each trial is expected to cost, and the seconds of a worker for a unit of that.

    Seconds of each, and 1, where records of the store tell of all. The second is None where they tell of nothing.
    """
    images = opened.plan.expansion.task.images
    known = {} if opened.plan.spec.search.early_stopping else _recorded_seconds(opened, trials, workers)
    # Those that a search comes upon later are compared with these, whatever is recorded by then.
    costs = [relative_cost(t, images) for t in trials] if search else launch_costs(opened.plan, trials)
    if trials and len(known) == len(trials) and not search:
        return [known[trial.keys.trial_id] for trial in trials], 1.0
    if units := sum(cost for t, cost in zip(trials, costs, strict=True) if t.keys.trial_id in known):
        return costs, sum(known.values()) / units
    return costs, 1.0 if not search and costs_are_seconds(opened.plan) else None


def _recorded_seconds(opened: Opened, trials: Sequence[PlannedTrial], workers: int) -> dict[str, float]:
    """Expected seconds of those trials that records tell of."""
    packs = _packs(opened, trials, workers)
    stacks = {_kind(pack) for pack in packs}
    known = past_costs(opened.store.read().table, stacks, _conditions(opened)) if stacks else {}
    return {
        unit.trial_id: _pack_seconds((unit,), {_kind((unit,)): known[_kind(pack)]}, opened).mid
        for pack in packs
        if _kind(pack) in known
        for unit in pack
    }


def _measure(unknown: Mapping[Kind, Sequence[TrialConfig]], opened: Opened, at_once: int) -> Measured | None:
    kinds = "a kind" if len(unknown) == 1 else f"each of {len(unknown)} kinds"
    with working(
        f"timing a few steps of {kinds} of trials (loss, batch size), which takes half a minute or so ..."
    ):
        return measure_costs(unknown, opened.workshop.runtime, at_once=at_once)


def _packs(opened: Opened, trials: Sequence[PlannedTrial], workers: int) -> list[Pack]:
    """The trials as a launch would put them together."""
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


def _pack_seconds(pack: Pack, costs: Mapping[Kind, TrialCost], opened: Opened) -> Span:
    """Kept encoders, whose units are alone, are only evaluated."""
    cost, expansion = costs[_kind(pack)], opened.plan.expansion
    steps = [0 if unit.alone else trial_steps(unit.config, expansion) for unit in pack]
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
