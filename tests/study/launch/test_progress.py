"""The progress display shows counts that add up, what runs, the time left, and the best scores by validation."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from study.console import format_seconds
from study.events import Expected, Finished
from study.launch.listeners.progress import Progress
from study.launch.listeners.time_left import TimeLeft
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
    time_left = TimeLeft(pace=1.0)
    time_left.expected(expected(plan))
    with Progress(console, "probe10_accuracy", time_left) as progress:
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
    assert "\n1 of 12 trials done, 2 running; time left: about 10 s\n" in text  # at the first result
    assert "\n2 of 12 trials done, 1 failed (1 diverged), 1 running; time left: about 10 s\n" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    # The launch is over: nothing runs, and no time is left.
    assert text.splitlines()[-1] == "2 of 12 trials done, 1 failed (1 diverged)"


def test_a_panel_in_a_terminal(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(write_study(), tmp_path, monkeypatch, terminal=True)
    assert "best on validation, %" in text
    assert "2 of 8" in text
    assert "87.5" in text
    assert "Losses compare only when all trials are done." in text
    assert "running  ntxent batch_size=8 temperature=0.5 seed=0" in text


def test_a_slow_start_is_mentioned_once(write_study: WriteStudy, tmp_path: Path, clock: "Clock") -> None:
    plan, output = planned(write_study(), RecordStore(tmp_path / "store")), io.StringIO()
    progress = Progress(Console(file=output, width=150), "probe10_accuracy", TimeLeft())
    progress.expected(expected(plan))
    clock.now += 9.0
    for trial in plan.trials[:2]:
        progress.started(unit(trial))
    assert output.getvalue() == "workers started in 9 s; the first trials train ...\n"


class Clock:
    """Seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def watch(study: Path, tmp_path: Path, *, pace: float | None) -> tuple[TimeLeft, Sequence[PlannedTrial]]:
    plan = planned(study, RecordStore(tmp_path / "store"))
    time_left = TimeLeft(workers=2, pace=pace)
    time_left.expected(expected(plan))
    return time_left, plan.trials


def test_time_left_goes_by_what_trials_took_not_by_when_a_stack_ended(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    """Two stacks of six of one second each: when the first has its records, the other has nearly all of its time."""
    time_left, trials = watch(write_study(), tmp_path, pace=None)
    for trial in trials:
        time_left.started(unit(trial))
    assert time_left.seconds() is None
    clock.now += 5.0
    for trial in trials[:6]:
        time_left.finished(Finished(trial_id=trial.keys.trial_id, status="ok", seconds=1.0))
    assert time_left.seconds() == pytest.approx(1.0)


def test_the_imports_of_workers_are_not_time_of_their_trials(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    """Before their first stacks of 3 s, two workers import for 30 s. Later stacks have not been trained meanwhile."""
    time_left, trials = watch(write_study(), tmp_path, pace=None)
    for trial in trials[:6]:
        time_left.started(unit(trial))
    for seconds, stack in ((33.0, trials[:3]), (0.5, trials[3:6])):
        clock.now += seconds
        for trial in stack:
            time_left.finished(Finished(trial_id=trial.keys.trial_id, status="ok", seconds=1.0))
    for trial in trials[6:]:
        time_left.started(unit(trial))
    assert time_left.seconds() == pytest.approx(
        2.5
    )  # the first worker had its next stack half a second earlier
    clock.now += 1.0
    assert time_left.seconds() == pytest.approx(1.5)


def test_time_left_is_known_from_past_trials_at_once(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    time_left, trials = watch(write_study(), tmp_path, pace=5.0)
    assert time_left.seconds() == pytest.approx(30.0)
    time_left.started(unit(trials[0]))
    clock.now += 1.0
    assert time_left.seconds() == pytest.approx(29.0)
    clock.now += 9.0
    time_left.finished(Finished(trial_id=trials[0].keys.trial_id, status="ok", seconds=20.0))
    # slower, and a tenth was expected to be quick: 26 / 2.2 seconds for each of 11 trials
    assert time_left.seconds() == pytest.approx(65.0)


def test_trials_of_other_launches_tell_nothing_of_the_pace_but_help(
    write_study: WriteStudy, tmp_path: Path, clock: Clock
) -> None:
    time_left, trials = watch(write_study(), tmp_path, pace=None)
    time_left.finished(Finished(trial_id=trials[0].keys.trial_id, status="ok", seconds=99.0, found=True))
    assert time_left.seconds() is None
    time_left.finished(Finished(trial_id=trials[1].keys.trial_id, status="ok", seconds=8.0))
    # ten of 8 s, by two workers and as many elsewhere
    assert time_left.seconds() == pytest.approx(20.0)


def test_durations_as_people_say_them() -> None:
    assert [format_seconds(seconds) for seconds in (0.2, 48, 200, 18_720)] == [
        "0 s",
        "48 s",
        "3 min 20 s",
        "5 h 12 min",
    ]
