"""The rounds of a search: ask every loss for configurations, run their trials, tell their scores, ask again.

All losses are asked and run together, so that workers are busy though each search goes step by step. Trials are
those that a grid would have, with the same ids, in the same store.
"""

import hashlib
import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from search_spaces.optuna_adapter import Search
from search_spaces.space import Point
from study.launch.launch import Launch
from study.launch.search.scores import outcomes
from study.plan import Plan, records_of
from study.searches import open_searches
from study.spec.expand import with_points
from study.spec.load import StudySpec
from trainables.store.records import RecordStore

#: From one attempt to have the turn to the next.
_LOOK_SECONDS = 0.05

#: Whether no other launch of the study runs now.
Alone = Callable[[], bool]


def run_search(launch: Launch, *, alone: Alone) -> None:
    """Search until the budget is spent, with `launch` for the trials of each round.

    Other launches of the study may search at the same time: they share budget, trials and what is known. However
    it ends, what was asked for and has not ended waits for the next time: no trial of Optuna's stays running.
    Raises what `Launch.run` and `open_searches` do.
    """
    spec = launch.plan.spec
    with turn(launch.store, spec.name):
        searches = open_searches(spec, launch.plan.trial_set, launch.store.path, alone=alone())
    at_once = batch_size(spec, launch.workers)
    try:
        while _round(launch, searches, at_once) or _revive(launch, searches, alone):
            pass
    finally:
        for search in searches.values():
            search.interrupt()


def settle(plan: Plan, store: RecordStore, *, alone: Alone) -> None:
    """Tell the searches of a study that is done what they were not told: its launch was killed before it could.

    Raises what `open_searches` does.
    """
    with turn(store, plan.spec.name):
        searches = open_searches(plan.spec, plan.trial_set, store.path, alone=alone())
        for label, search in searches.items():
            _ask(search, search.waiting)
            search.tell(outcomes(plan, label))
            search.interrupt()


def batch_size(spec: StudySpec, workers: int) -> int:
    """Configurations that each loss is asked for at a time."""
    return spec.search.batch or max(1, math.ceil(workers / (len(spec.losses) * len(spec.seeds))))


def _round(launch: Launch, searches: dict[str, Search], at_once: int) -> bool:
    """Ask, run and tell once. Whether there was something to ask for.

    What other launches have asked for runs here too where it is free. Waited for is one's own, and in the end all.
    """
    budget = launch.plan.spec.search.trials or 0
    with turn(launch.store, launch.plan.spec.name):
        asked = {
            label: _ask(search, min(search.waiting or at_once, budget - search.started))
            for label, search in searches.items()
        }
    plan = _plan_of(launch, searches)
    missing = list({trial.keys.trial_id: trial for trial in plan.missing}.values())
    if missing:
        own = _ids_of(plan, asked) if any(asked.values()) else None
        replace(launch, plan=plan, trials=missing, awaited=own, undecided=plan.undecided).run()
        plan = _plan_of(launch, searches)
    for label, search in searches.items():
        search.tell(outcomes(plan, label))
    return any(asked.values())


def _revive(launch: Launch, searches: dict[str, Search], alone: Alone) -> bool:
    """Whether there is something to ask for again, since a launch that died or was stopped had asked for it."""
    with turn(launch.store, launch.plan.spec.name):
        if alone():
            for search in searches.values():
                search.interrupt(everyones=True)
    return any(search.started < (launch.plan.spec.search.trials or 0) for search in searches.values())


def _ask(search: Search, count: int) -> list[Point]:
    """Interrupted configurations go first and alone, so that a search takes the course that it would have taken."""
    return [search.ask() for _ in range(count)]


def _ids_of(plan: Plan, asked: Mapping[str, Sequence[Point]]) -> frozenset[str]:
    points = {arm.label: arm.points for arm in plan.trial_set.arms}
    return frozenset(
        trial.keys.trial_id for trial in plan.trials if points[trial.arm][trial.point] in asked[trial.arm]
    )


def _plan_of(launch: Launch, searches: dict[str, Search]) -> Plan:
    """The study with what its searches have decided by now, against the records that there are by now."""
    decided = {label: search.decided() for label, search in searches.items()}
    trial_set = with_points(launch.plan.spec, launch.plan.trial_set, decided)
    records = records_of(launch.plan.spec, trial_set, launch.store)
    return replace(launch.plan, trial_set=trial_set, records=records)


@contextmanager
def turn(store: RecordStore, study: str) -> Iterator[None]:
    """Wait until no other launch is within such a block, or its process has ended. Raises `StoreError`."""
    leases = store.leases(uuid.uuid4().hex)
    name = f"search-{hashlib.sha256(study.encode()).hexdigest()[:16]}"  # as a trial's lease, without a dot
    with leases.renewed():
        with store.writing():
            while not leases.acquire([name]):
                time.sleep(_LOOK_SECONDS)
        yield
