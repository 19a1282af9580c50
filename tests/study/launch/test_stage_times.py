"""The time of each stage of a run, and the imports of the report while the last trials run."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.events import Expected, Finished
from study.launch.listeners import report_imports
from study.launch.listeners.report_imports import ReportImports
from study.launch.listeners.stage_times import StageTimes
from study.plan import Plan
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import planned
from trainables.store.records import RecordStore
from trainables.work import WorkUnit


@pytest.fixture
def plan(write_study: WriteStudy, tmp_path: Path) -> Plan:
    return planned(write_study(), RecordStore(tmp_path / "store"))


def expected(plan: Plan, undecided: int = 0) -> Expected:
    return Expected(plan=plan, trials=plan.trials, costs={}, undecided=undecided)


def test_each_stage_lasts_from_the_end_of_the_one_before(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[float] = iter([101.0, 109.0, 112.0, 300.0, 310.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    stages = StageTimes(100.0)
    stages.expected(expected(plan))
    first, *_, last = plan.trials
    stages.started(WorkUnit(trial_id=first.keys.trial_id, attempt=0, config=first.config, title=""))
    stages.finished(Finished(trial_id="of another launch", status="ok", found=True))
    stages.finished(Finished(trial_id=first.keys.trial_id, status="ok"))
    stages.finished(Finished(trial_id=last.keys.trial_id, status="ok"))
    assert stages.line() == (
        "Time: 3 min 30 s (plan 1 s, start of workers 8 s, trials 3 min 11 s, report 10 s); "
        "the first result came after 12 s."
    )


def test_a_run_without_trials_has_no_stages() -> None:
    assert StageTimes(0.0).line() == ""


def test_the_report_is_imported_when_a_tenth_is_left(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = threading.Event()
    monkeypatch.setattr(report_imports, "_import_all", imported.set)
    with ReportImports() as imports:
        imports.expected(expected(plan, undecided=5))
        for trial in plan.trials[:-2]:
            imports.finished(Finished(trial_id=trial.keys.trial_id, status="ok"))
        imports.expected(expected(plan))
        for trial in plan.trials[:-2]:
            imports.finished(Finished(trial_id=trial.keys.trial_id, status="ok"))
        assert not imported.is_set()
        imports.finished(Finished(trial_id=plan.trials[-2].keys.trial_id, status="ok"))
    assert imported.is_set()


def test_the_modules_of_the_report_exist() -> None:
    """A wrong name would end the thread with an error, and the report would be late."""
    report_imports._import_all()
