"""Two launches of one search share its budget: every trial runs once, and none is left running in Optuna."""

import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from search_spaces.optuna_adapter import Search
from study.cost.model import CostModel
from study.launch.launch import Launch
from study.launch.runners.inline import run_inline
from study.launch.search.loop import run_search, turn
from study.plan import Plan
from study.searches import open_searches
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import Witness, planned
from tests.study.launch.searching import RANGES, Pretence, search, told
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def begin(study: Path, store: RecordStore, *, alone: bool, runner: object = run_inline) -> Witness:
    witness = Witness()
    plan = planned(study, store)
    launch = Launch(
        plan=plan,
        store=store,
        context=LaunchContext(store=store, runtime=Runtime()),
        workers=1,
        runner=runner,  # type: ignore[arg-type]
        costs=CostModel(task=plan.trial_set.task),
        listeners=[witness],
    )
    run_search(launch, alone=lambda: alone)
    return witness


def test_two_launches_spend_one_budget(write_study: WriteStudy, store: RecordStore) -> None:
    study = write_study(*RANGES, search(trials=4, startup=2))
    witnesses: list[Witness] = []

    def one() -> None:
        witnesses.append(begin(study, store, alone=False))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(witnesses) == 2
    began = [trial_id for witness in witnesses for trial_id in witness.began]
    assert len(began) == len(set(began))
    after = planned(study, store)
    assert after.counts()["missing"] == after.undecided == 0
    assert set(began) == {trial.keys.trial_id for trial in after.trials}
    for trials in told(store).values():
        assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4


def left_by_a_dead_launch(study: Path, store: RecordStore) -> tuple[Plan, dict[str, Any]]:
    """The plan, and the configuration that a launch stored before it died; it had begun to store a second one."""
    plan = planned(study, store)
    (dead, *_) = open_searches(plan.spec, plan.trial_set, store.path, alone=False).values()
    point = dead.ask()
    _optuna_study(dead).ask()
    return plan, dict(point)


def test_what_a_launch_that_died_had_asked_for_is_finished(
    write_study: WriteStudy, store: RecordStore
) -> None:
    study = write_study(*RANGES, search(trials=3))
    _, point = left_by_a_dead_launch(study, store)
    begin(study, store, alone=True, runner=Pretence())
    ntxent = told(store)["ntxent"]
    assert {trial.state for trial in ntxent} == {TrialState.FAIL, TrialState.COMPLETE}
    assert sum(trial.state == TrialState.COMPLETE for trial in ntxent) == 3
    assert point in [dict(each) for each in planned(study, store).trial_set.arms[0].points]


def test_what_another_launch_asks_for_is_told_by_who_is_last(
    write_study: WriteStudy, store: RecordStore
) -> None:
    """The other launch dies meanwhile. This launch learns it only at its second check."""
    study = write_study(*RANGES, search(trials=3))
    plan, point = left_by_a_dead_launch(study, store)
    answers = iter([False, True, True])
    launch = Launch(
        plan=plan,
        store=store,
        context=LaunchContext(store=store, runtime=Runtime()),
        workers=1,
        runner=Pretence(),
        costs=CostModel(task=plan.trial_set.task),
        listeners=[Witness()],
    )
    run_search(launch, alone=lambda: next(answers))
    states = [trial.state for trial in told(store)["ntxent"]]
    assert states.count(TrialState.COMPLETE) == 3
    assert states.count(TrialState.FAIL) == 1  # the one that was never told what to try
    assert len(states) == 4
    assert point in [dict(each) for each in planned(study, store).trial_set.arms[0].points]


def test_one_at_a_time(store: RecordStore) -> None:
    order: list[str] = []

    def other() -> None:
        with turn(store, "a.study"):
            order.append("other")

    thread = threading.Thread(target=other)
    with turn(store, "a.study"):
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
    assert not list((store.path / "leases").iterdir())


def _optuna_study(search: Search) -> optuna.Study:
    return search._study
