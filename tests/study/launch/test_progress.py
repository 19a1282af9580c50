"""The progress display shows counts that add up, what runs, the time left, and the best score by validation."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from study.console import format_seconds
from study.events import Expected, Finished
from study.launch.listeners.progress import Progress
from study.plan import Plan
from study.spec.expand import PlannedTrial
from tests.study.conftest import WriteStudy
from tests.study.launch.launching import planned
from trainables.store.records import RecordStore
from trainables.work import WorkUnit


def unit(trial: PlannedTrial) -> WorkUnit:
    return WorkUnit(trial_id=trial.keys.trial_id, attempt=0, config=trial.config, title=trial.title)


def expected(plan: Plan) -> Expected:
    """All trials of a plan, each of one unit of cost."""
    costs = {trial.keys.trial_id: 1.0 for trial in plan.trials}
    return Expected(plan=plan, trials=plan.trials, costs=costs)


def shown(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    """What is shown once the first trial has finished, the second diverged and the third runs, and in the end."""
    plan = planned(study, RecordStore(tmp_path / "store"))
    trials = plan.trials
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=150, color_system=None)
    with Progress(console, "probe10_accuracy") as progress:
        progress.expected(expected(plan))
        if not terminal:
            monkeypatch.setattr("study.launch.listeners.progress._PLAIN_EVERY_SECONDS", -1.0)
        for trial in trials[:3]:
            progress.started(unit(trial))
        progress.finished(
            Finished(
                trial_id=trials[0].keys.trial_id,
                status="ok",
                seconds=1.0,
                values={"val_probe10_accuracy": 0.875},
            )
        )
        progress.finished(Finished(trial_id=trials[1].keys.trial_id, status="diverged", seconds=0.5))
        progress.tick()
        progress._live.refresh()
    return output.getvalue()


def test_plain_lines_where_there_is_no_terminal(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(write_study(), tmp_path, monkeypatch, terminal=False)
    assert "2 of 12 trials done, 1 failed (1 diverged), 1 running" in text
    assert "now: ntxent batch_size=8 temperature=0.5 seed=0" in text
    assert "time left: about" in text
    assert "best of this launch, val_probe10_accuracy, %: ntxent 87.5" in text
    assert "\x1b" not in text
    last = text.splitlines()[-1]
    assert "0 running" in last  # the launch is over: nothing runs on, and no time is left
    assert "time left" not in last


def test_a_panel_in_a_terminal(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(write_study(), tmp_path, monkeypatch, terminal=True)
    assert "best of this launch" in text
    assert "running  ntxent batch_size=8 temperature=0.5 seed=0" in text
    assert "batch_size=8 temperature=0.1 seed=0" in text


class Clock:
    """Seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("study.launch.listeners.progress.time.monotonic", clock)
    return clock


def watch(study: Path, tmp_path: Path, *, pace: float | None) -> tuple[Progress, Sequence[PlannedTrial]]:
    plan = planned(study, RecordStore(tmp_path / "store"))
    progress = Progress(Console(), "probe10_accuracy", workers=2, pace=pace)
    progress.expected(expected(plan))
    return progress, plan.trials


def test_time_left_goes_by_what_trials_took_not_by_when_a_stack_ended(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    """Two stacks of six of one second each: when the first has its records, the other has nearly all of its time."""
    progress, trials = watch(write_study(), tmp_path, pace=None)
    for trial in trials:
        progress.started(unit(trial))
    assert progress._time_left() == "time left: known after the first trial"
    clock.now += 5.0
    for trial in trials[:6]:
        progress.finished(Finished(trial_id=trial.keys.trial_id, status="ok", seconds=1.0))
    assert progress._time_left() == "time left: about 1 s"


def test_time_left_is_known_from_past_trials_at_once(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    progress, trials = watch(write_study(), tmp_path, pace=5.0)
    assert progress._time_left() == "time left: about 30 s"
    progress.started(unit(trials[0]))
    clock.now += 1.0
    assert progress._time_left() == "time left: about 29 s"
    clock.now += 9.0
    progress.finished(Finished(trial_id=trials[0].keys.trial_id, status="ok", seconds=20.0))
    assert (
        progress._time_left() == "time left: about 1 min 5 s"
    )  # slower, and a tenth was expected to be quick


def test_trials_of_other_launches_tell_nothing_of_the_pace_but_help(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    progress, trials = watch(write_study(), tmp_path, pace=None)
    progress.finished(Finished(trial_id=trials[0].keys.trial_id, status="ok", seconds=99.0, found=True))
    assert progress._time_left() == "time left: known after the first trial"
    progress.finished(Finished(trial_id=trials[1].keys.trial_id, status="ok", seconds=8.0))
    assert (
        progress._time_left() == "time left: about 20 s"
    )  # ten of 8 s, by two workers and as many elsewhere


def test_durations_as_people_say_them() -> None:
    assert [format_seconds(seconds) for seconds in (0.2, 48, 200, 18_720)] == [
        "0 s",
        "48 s",
        "3 min 20 s",
        "5 h 12 min",
    ]
