"""Launches that share a store share the work: every trial runs once, and no launch waits in vain."""

import json
from pathlib import Path

import pytest

from study.launch.launch import Launch
from study.plan import Plan
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import in_background, launch, planned
from tests.waiting import wait_until
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.store.schema import Status
from trainables.trial import failure_record


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def put(plan: Plan, store: RecordStore, index: int) -> None:
    """A record of a trial of the plan, as another launch would put it."""
    store.put(
        failure_record(
            plan.trials[index].config,
            attempt=0,
            runtime=Runtime(),
            status=Status.DIVERGED,
            error_class="",
            error_message="",
        )
    )


def test_two_launches_run_every_trial_once(write_study: WriteStudy, store: RecordStore) -> None:
    plan = planned(write_study(), store)
    (one, seen_by_one), (two, seen_by_two) = launch(plan, store), launch(plan, store)
    thread = in_background(one.run)
    two.run()
    thread.join()
    ids = sorted(trial.keys.trial_id for trial in plan.trials)
    assert sorted(seen_by_one.began + seen_by_two.began) == ids
    assert sorted(seen_by_one.finished_trials) == sorted(seen_by_two.finished_trials) == ids
    assert set(seen_by_one.found) <= set(seen_by_two.began)
    assert store.read().table.num_rows == 12
    assert not list((store.path / "leases").iterdir())


def test_what_another_runs_is_waited_for(
    write_study: WriteStudy, store: RecordStore, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(write_study(), store)
    held = plan.trials[3].keys.trial_id
    other = store.leases("elsewhere:1:x")
    other.acquire([held])
    parts: list[str] = []

    def said() -> str:
        parts.append(capsys.readouterr().out)
        return "".join(parts)

    def finish() -> None:
        wait_until(lambda: "waiting for" in said(), seconds=60)
        assert store.read().table.num_rows == 11
        put(plan, store, 3)
        other.release()

    thread = in_background(finish)
    run, witness = launch(plan, store)
    run.run()
    thread.join()
    assert held not in witness.began
    assert witness.found == [held]
    assert said().count("waiting for 1 trials that another launch runs") == 1


def test_what_another_gave_back_is_run(write_study: WriteStudy, store: RecordStore) -> None:
    """A launch that was stopped releases its leases without a record."""
    plan = planned(write_study(), store)
    held = plan.trials[3].keys.trial_id
    other = store.leases("elsewhere:1:x")
    other.acquire([held])

    def give_back() -> None:
        wait_until(lambda: store.read().table.num_rows == 11, seconds=60)
        other.release()

    thread = in_background(give_back)
    run, witness = launch(plan, store)
    run.run()
    thread.join()
    assert witness.began[-1] == held
    assert len(witness.began) == 12


def test_the_lease_of_a_dead_node_is_taken_over_when_it_expires(
    write_study: WriteStudy, store: RecordStore
) -> None:
    plan = planned(write_study(), store)
    ids = [trial.keys.trial_id for trial in plan.trials]
    for trial_id in ids[:5]:
        told = {"owner": "lost:1:x", "process": f"another-boot/4026531836/1/{trial_id}"}
        store.files.put(f"leases/{trial_id}.0", json.dumps(told).encode())
    run, witness = launch(plan, store, lease_seconds=1.0)
    run.run()
    assert sorted(witness.began) == sorted(ids)
    assert set(witness.began[-5:]) == set(ids[:5])


def test_what_is_not_awaited_is_left_to_others(write_study: WriteStudy, store: RecordStore) -> None:
    plan = planned(write_study(), store)
    held = {plan.trials[index].keys.trial_id for index in (0, 3)}
    store.leases("elsewhere:1:x").acquire(held)
    run, witness = launch(plan, store)
    Launch(**vars(run) | {"awaited": frozenset()}).run()
    assert set(witness.began) == {trial.keys.trial_id for trial in plan.trials} - held


def test_what_was_recorded_since_the_plan_is_not_run(write_study: WriteStudy, store: RecordStore) -> None:
    plan = planned(write_study(), store)
    put(plan, store, 7)
    run, witness = launch(plan, store)
    run.run()
    assert len(witness.began) == 11
    assert witness.found == [plan.trials[7].keys.trial_id]


def test_a_second_retry_finds_the_attempts_of_the_first(write_study: WriteStudy, store: RecordStore) -> None:
    """Both chose the trial before either ran it."""
    put(planned(write_study(), store), store, 0)
    plan = planned(write_study(), store)
    for runs in (True, False):
        run, witness = launch(plan, store)
        Launch(**vars(run) | {"trials": plan.trials[:1]}).run()
        assert bool(witness.began) == runs
    attempts = store.read_all().table.select(["trial_id", "attempt"]).to_pylist()
    assert [row["attempt"] for row in attempts] == [0, 1]
