"""Events reach every listener in the stated order, and each trial's end is published once."""

from pathlib import Path

import pytest

from study.events import EventFanOut, Expected, Finished, Listener
from study.launch.remaining import Remaining
from study.launch.scheduling import work_unit
from study.loaded import load_study
from tests.study.conftest import WriteStudy
from trainables.work import WorkUnit


class Named(Listener):
    """Writes its name and each event's into a list that listeners share."""

    def __init__(self, name: str, said: list[str]) -> None:
        self._name, self._said = name, said

    def expected(self, event: Expected) -> None:
        self._said.append(f"{self._name} expected {len(event.trials)}")

    def started(self, unit: WorkUnit) -> None:
        self._said.append(f"{self._name} started {unit.trial_id}")

    def finished(self, event: Finished) -> None:
        self._said.append(f"{self._name} finished {event.trial_id}")

    def tick(self) -> None:
        self._said.append(f"{self._name} tick")


def test_every_listener_receives_every_event_in_order(write_study: WriteStudy, tmp_path: Path) -> None:
    loaded = load_study(str(write_study()), str(tmp_path / "store"), None)
    said: list[str] = []
    fan_out = EventFanOut([Named("a", said), Listener(), Named("b", said)])
    trial = loaded.plan.trials[0]
    key = trial.keys.trial_id
    fan_out.expected(Expected(plan=loaded.plan, trials=[trial], costs={key: 1.0}))
    fan_out.started(work_unit(trial, loaded.context))
    fan_out.tick()
    fan_out.finished(Finished(trial_id=key, status="ok"))
    events = ["expected 1", f"started {key}", "tick", f"finished {key}"]
    assert said == [f"{name} {event}" for event in events for name in ("a", "b")]


class Failing(Listener):
    """Cannot write its file."""

    def tick(self) -> None:
        raise OSError(28, "No space left on device", "x.json")


def test_a_listener_that_fails_again_and_again_costs_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    fan_out = EventFanOut([Failing(), Named("b", said)])
    fan_out.tick()
    fan_out.tick()
    assert said == ["b tick", "b tick"]
    assert caplog.messages == ["Failing failed: [Errno 28] No space left on device: 'x.json'"]


def test_a_trial_ends_once_whoever_reports_it(write_study: WriteStudy, tmp_path: Path) -> None:
    """A worker's report that comes twice, or of a trial of another launch, is published once, or not at all."""
    loaded = load_study(str(write_study()), str(tmp_path / "store"), None)
    said: list[str] = []
    trials = loaded.plan.trials[:2]
    remaining = Remaining(loaded.plan, trials, loaded.store, [Named("a", said)])
    first, second, other = (trial.keys.trial_id for trial in loaded.plan.trials[:3])
    for trial_id in (first, other, first):
        remaining.finished(Finished(trial_id=trial_id, status="ok"))
    assert said == [f"a finished {first}"]
    assert [trial.keys.trial_id for trial in remaining.trials] == [second]
