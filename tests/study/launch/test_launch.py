"""A launch goes on until every trial has a record, whatever happens to workers."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from study.cost.model import CostModel
from study.errors import LaunchError
from study.events import Listener, LostStack
from study.launch.launch import Launch
from study.launch.runners.inline import run_inline
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import Silence, planned
from tests.trainables.tiny_trial import example
from trainables.runtime import Runtime
from trainables.store.records import RecordStore, StoreError
from trainables.work import LaunchContext, Stack, WorkUnit, run_stack


class MortalRunner:
    """Runs inline, but its worker dies under `deadly` trials, each time it meets one."""

    def __init__(self, deadly: set[str]) -> None:
        self.deadly, self.deaths = deadly, 0

    def __call__(
        self, lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
    ) -> list[LostStack]:
        lost = []
        for stacks in lists:
            for stack in stacks:
                if any(unit.trial_id in self.deadly for unit in stack):
                    self.deaths += 1
                    lost.append(LostStack(running=stack, error_class="Killed", message="gone"))
                    break
                run_inline([[stack]], context, listener)
        return lost


def launch(study: Path, store: RecordStore, runner: object, listener: Silence | None = None) -> Silence:
    listener = listener or Silence()
    plan = planned(study, store)
    Launch(
        plan=plan,
        store=store,
        context=LaunchContext(store=store, runtime=Runtime()),
        workers=2,
        runner=runner,  # type: ignore[arg-type]
        costs=CostModel(task=plan.trial_set.task),
        listeners=[listener],
    ).run()
    return listener


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def test_a_deadly_trial_is_recorded_and_the_others_run(write_study: WriteStudy, store: RecordStore) -> None:
    study = write_study()
    plan = planned(study, store)
    deadly = {plan.trials[0].keys.trial_id, plan.trials[7].keys.trial_id}
    runner = MortalRunner(deadly)
    listener = launch(study, store, runner)
    counts = planned(study, store).counts()
    assert counts["ok"] == len(plan.trials) - 2
    assert counts["crashed"] == 2
    assert counts["missing"] == 0
    assert runner.deaths == 4  # each deadly trial has a second chance, alone
    assert sorted(listener.finished_trials) == sorted(trial.keys.trial_id for trial in plan.trials)
    row = store.read(deadly).table.to_pylist()[0]
    assert (row["error_class"], row["error_message"]) == ("Killed", "gone")
    assert row["hp_batch_size"] in (8, 16)


def test_a_hiccup_of_all_workers_costs_nothing(write_study: WriteStudy, store: RecordStore) -> None:
    class OnceMortalRunner(MortalRunner):
        def __call__(
            self, lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
        ) -> list[LostStack]:
            lost = super().__call__(lists, context, listener)
            self.deadly = set()
            return lost

    study = write_study()
    plan = planned(study, store)
    runner = OnceMortalRunner({trial.keys.trial_id for trial in plan.trials})
    launch(study, store, runner)
    assert runner.deaths > 1
    assert planned(study, store).counts()["ok"] == 12


def test_a_trial_that_leaves_no_record_is_said(write_study: WriteStudy, store: RecordStore) -> None:
    with pytest.raises(LaunchError, match="12 trials ended without a record"):
        launch(write_study(), store, lambda lists, context, listener: [])


def test_a_store_that_refuses_ends_the_launch_at_once(write_study: WriteStudy, store: RecordStore) -> None:
    """The launch ends with the store's message and without a further round; listeners get the records from before."""
    rounds, listener = 0, Silence()

    def refused(
        lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
    ) -> list[LostStack]:
        nonlocal rounds
        rounds += 1
        next(run_stack(lists[0][0], context))  # of a stack, the first has its record
        raise StoreError("store: cannot write to it")

    with pytest.raises(LaunchError, match=r"^store: cannot write to it$"):
        launch(write_study(), store, refused, listener)
    assert rounds == 1
    assert len(listener.finished_trials) == 1
    assert store.read().table.num_rows == 1


def test_code_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    context = LaunchContext(store=RecordStore(tmp_path / "store"), runtime=Runtime())
    unit = WorkUnit(trial_id="0123456789", attempt=0, config=example(), title="planned otherwise")
    with pytest.raises(StoreError, match="planned otherwise: data or source code changed"):
        list(run_stack((unit,), context))
    assert not context.store.path.exists()


def test_only_what_is_missing_runs(write_study: WriteStudy, store: RecordStore) -> None:
    assert len(launch(write_study(), store, run_inline).finished_trials) == 12
    assert launch(write_study(), store, run_inline).finished_trials == []
    longer = write_study(("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    assert len(launch(longer, store, run_inline).finished_trials) == 6


def test_a_stack_that_fails_runs_trial_by_trial(write_study: WriteStudy, store: RecordStore) -> None:
    """Only the trial at fault is recorded as crashed."""
    own = "tests.study.own_loss:FailsAtHalf"
    study = write_study(("[losses.kcl]\nt = [2.0]", f'[losses."{own}"]\nmargin = [0.1, 0.5, 0.9]\nlr = 0.1'))
    launch(study, store, run_inline)
    rows = store.read().table.to_pylist()
    assert len(rows) == 8 + 12
    failed = [row for row in rows if row["status"] == "crashed"]
    assert {json.loads(dict(row["hp_other"])["margin"]) for row in failed} == {0.5}
    assert len(failed) == 4
    assert all(row["status"] == "ok" for row in rows if row not in failed)
