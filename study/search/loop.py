"""The course of a search: ask every loss for configurations, run their trials, tell how they did, ask again.

All losses are asked and run together, so that workers are busy though each search goes step by step. Trials are
those that a grid would have asked for, with the same ids, in the same store.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from search_spaces.optuna_adapter import Search
from study.events import Listener
from study.expand import PlannedTrial, with_points
from study.launch import Launch
from study.plan import Plan
from study.search.decided import open_searches
from study.search.scores import outcomes
from study.spec import StudySpec
from trainables.records import RecordStore

#: Given the plan of a round and what runs in it: who listens.
Began = Callable[[Plan, Sequence[PlannedTrial]], Listener]


def run_search(launch: Launch, began: Began, *, alone: bool) -> None:
    """Search until the budget is spent, with `launch` for the trials of each round.

    `alone` says that no other launch of the study runs. However it ends, what was asked for and has not ended
    waits for the next time: no trial of Optuna's stays running. Raises what `Launch.run` and `open_searches` do.
    """
    spec = launch.plan.spec
    searches = open_searches(spec, launch.plan.expansion, launch.store.path, alone=alone)
    at_once = batch_size(spec, launch.workers)
    try:
        while _round(launch, searches, at_once, began):
            pass
    finally:
        for search in searches.values():
            search.interrupt()


def settle(plan: Plan, store: RecordStore, *, alone: bool) -> None:
    """Tell the searches of a study that is done what they were not told: its launch was killed before it could.

    Raises what `open_searches` does.
    """
    for label, search in open_searches(plan.spec, plan.expansion, store.path, alone=alone).items():
        _ask(search, search.waiting)
        search.tell(outcomes(plan, label))
        search.interrupt()


def batch_size(spec: StudySpec, workers: int) -> int:
    """Configurations that each loss is asked for at a time."""
    return spec.search.batch or max(1, math.ceil(workers / (len(spec.losses) * len(spec.seeds))))


def _round(launch: Launch, searches: dict[str, Search], at_once: int, began: Began) -> bool:
    """Ask, run and tell once. Whether there was something to ask for."""
    budget = launch.plan.spec.search.trials or 0
    asked = [
        _ask(search, min(search.waiting or at_once, budget - search.started)) for search in searches.values()
    ]
    plan = _plan_of(launch, searches)
    missing = list({trial.keys.trial_id: trial for trial in plan.missing}.values())
    if missing:
        replace(launch, plan=plan, trials=missing, listener=began(plan, missing)).run()
        plan = _plan_of(launch, searches)
    for label, search in searches.items():
        search.tell(outcomes(plan, label))
    return any(asked)


def _ask(search: Search, count: int) -> int:
    """Interrupted configurations go first and alone, so that a search takes the course that it would have taken."""
    for _ in range(count):
        search.ask()
    return max(0, count)


def _plan_of(launch: Launch, searches: dict[str, Search]) -> Plan:
    """The study with what its searches have decided by now, against the records that there are by now."""
    decided = {label: search.decided() for label, search in searches.items()}
    expansion = with_points(launch.plan.spec, launch.plan.expansion, decided)
    only = {trial.keys.trial_id for trial in expansion.trials}
    return replace(launch.plan, expansion=expansion, records=launch.store.read(only))
