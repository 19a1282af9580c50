"""Launches of a plan in this process, and listeners that remember what they were called with."""

import threading
from collections.abc import Callable
from pathlib import Path

from study.cost.model import CostModel
from study.events import Finished, Listener
from study.launch.launch import Launch
from study.launch.runners.inline import run_inline
from study.plan import Plan, read_plan
from study.spec.expand import expand
from study.spec.load import load_spec
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, WorkUnit


class Silence(Listener):
    """A listener that remembers who finished."""

    def __init__(self) -> None:
        self.finished_trials: list[str] = []

    def finished(self, event: Finished) -> None:
        self.finished_trials.append(event.trial_id)


class Witness(Silence):
    """Remembers what began here, and what was found to be recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[str] = []
        self.found: list[str] = []

    def started(self, unit: WorkUnit) -> None:
        self.began.append(unit.trial_id)

    def finished(self, event: Finished) -> None:
        super().finished(event)
        if event.found:
            self.found.append(event.trial_id)


def planned(study: Path, store: RecordStore) -> Plan:
    """A study without a data root against a store."""
    spec = load_spec(str(study)).spec
    return read_plan(spec, expand(spec, None), store)


def launch(plan: Plan, store: RecordStore, lease_seconds: float = 60.0) -> tuple[Launch, Witness]:
    witness = Witness()
    context = LaunchContext(store=store, runtime=Runtime(), lease_seconds=lease_seconds)
    launch = Launch(
        plan=plan,
        store=store,
        context=context,
        workers=2,
        runner=run_inline,
        costs=CostModel(task=plan.trial_set.task),
        listeners=[witness],
    )
    return launch, witness


def in_background(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action)
    thread.start()
    return thread
