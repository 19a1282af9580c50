"""The rounds of a search: get configurations from each search, run their trials, and report the scores back.

Each loss has its own search. All searches take part in every round, so that workers are busy although each search is
sequential. The trials have the same ids as the trials of a grid, and are in the same store. `study.launch.start` runs
searches.
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
from trainables.runtime import MOST_AT_ONCE
from trainables.store.records import RecordStore

#: Seconds between two attempts to get the turn.
_LOOK_SECONDS = 0.05

#: A function that returns whether no other launch of the study is running.
Alone = Callable[[], bool]


def run_search(launch: Launch, *, alone: Alone) -> None:
    """Search until the budget is used. `launch` runs the trials of each round.

    Other launches of the study may search at the same time: they share the budget, the trials and the scores. When
    the function ends, even by an error, it interrupts the configurations that have no score yet. So no trial of
    Optuna stays in the running state, and the next launch continues with them. Raises the errors of `Launch.run` and
    `open_searches`.
    """
    spec = launch.plan.spec
    with turn(launch.store, spec.name):
        searches = open_searches(spec, launch.plan.trial_set, launch.store.path, alone=alone())
    at_once = batch_size(spec, launch.workers * (launch.context.at_once or MOST_AT_ONCE))
    try:
        while _round(launch, searches, at_once) or _revive(launch, searches, alone):
            pass
    finally:
        for search in searches.values():
            search.interrupt()


def settle(plan: Plan, store: RecordStore, *, alone: Alone) -> None:
    """Report missing scores to the searches of a finished study, whose launch was killed before it reported them.

    Raises the errors of `open_searches`.
    """
    with turn(store, plan.spec.name):
        searches = open_searches(plan.spec, plan.trial_set, store.path, alone=alone())
        for label, search in searches.items():
            _ask(search, search.waiting)
            search.tell(outcomes(plan, label))
            search.interrupt()


def batch_size(spec: StudySpec, trials: int) -> int:
    """The number of configurations that each search proposes in one round.

    `trials`: those that all workers together run at the same time.
    """
    return spec.search.batch or max(1, math.ceil(trials / (len(spec.losses) * len(spec.seeds))))


def _round(launch: Launch, searches: dict[str, Search], at_once: int) -> bool:
    """Run one round: ask, run, tell. Return whether the round asked for any configuration.

    The launch also runs trials that other launches asked for, if their leases are free. It waits for the trials of
    its own configurations, or for all trials if it asked for none.
    """
    budget = launch.plan.spec.search.count or 0
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
    """Free the configurations of launches that died or were stopped. Return whether there is any to ask for again."""
    with turn(launch.store, launch.plan.spec.name):
        if alone():
            for search in searches.values():
                search.interrupt(everyones=True)
    return any(search.started < (launch.plan.spec.search.count or 0) for search in searches.values())


def _ask(search: Search, count: int) -> list[Point]:
    """Ask a search for `count` configurations.

    Callers ask for interrupted configurations first and without new ones, so that an interrupted search proceeds as
    it would have without the interruption.
    """
    return [search.ask() for _ in range(count)]


def _ids_of(plan: Plan, asked: Mapping[str, Sequence[Point]]) -> frozenset[str]:
    points = {arm.label: arm.points for arm in plan.trial_set.arms}
    return frozenset(
        trial.keys.trial_id for trial in plan.trials if points[trial.arm][trial.point] in asked[trial.arm]
    )


def _plan_of(launch: Launch, searches: dict[str, Search]) -> Plan:
    """The plan of the study with the configurations that its searches have decided, and with the current records."""
    decided = {label: search.decided() for label, search in searches.items()}
    trial_set = with_points(launch.plan.spec, launch.plan.trial_set, decided)
    records = records_of(launch.plan.spec, trial_set, launch.store)
    return replace(launch.plan, trial_set=trial_set, records=records)


@contextmanager
def turn(store: RecordStore, study: str) -> Iterator[None]:
    """Wait until no other launch of the study is in such a block. Processes that ended do not count.

    Raises `StoreError`.
    """
    leases = store.leases(uuid.uuid4().hex)
    name = hashlib.sha256(f"search {study}".encode()).hexdigest()[:16]  # a lease has the form of a trial's id
    with leases.renewed():
        with store.writing():
            while not leases.acquire([name]):
                time.sleep(_LOOK_SECONDS)
        yield
