"""What a person sees: counts that add up, what runs, time left, the best by validation."""

import io
from pathlib import Path

from rich.console import Console

from study.events import Finished
from study.expand import PlannedTrial
from study.plan import make_plan
from study.progress import Progress, format_seconds
from study.spec import load_spec
from tests.study.conftest import WriteStudy
from trainables.records import RecordStore
from trainables.work import WorkUnit


def unit(trial: PlannedTrial) -> WorkUnit:
    return WorkUnit(trial_id=trial.keys.trial_id, attempt=0, config=trial.config, title=trial.title)


def shown(study: Path, tmp_path: Path, *, terminal: bool) -> str:
    """What is printed while the first trial finishes, the second diverges and the third runs."""
    trials = list(make_plan(load_spec(str(study)), RecordStore(tmp_path / "store"), None).trials)
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=150, color_system=None)
    with Progress(console, trials, "probe10_accuracy", [1.0] * len(trials)) as progress:
        for trial in trials[:3]:
            progress.started(unit(trial))
        progress.finished(
            Finished(trial_id=trials[0].keys.trial_id, status="ok", values={"val_probe10_accuracy": 0.875})
        )
        progress.finished(Finished(trial_id=trials[1].keys.trial_id, status="diverged"))
    return output.getvalue()


def test_plain_lines_where_there_is_no_terminal(write_study: WriteStudy, tmp_path: Path) -> None:
    text = shown(write_study(), tmp_path, terminal=False)
    assert "2 of 12 trials done, 1 failed (1 diverged), 1 running" in text
    assert "now: ntxent batch_size=8 temperature=0.5 seed=0" in text
    assert "time left: about" in text
    assert "best val_probe10_accuracy, %: ntxent 87.5" in text
    assert "\x1b" not in text


def test_a_panel_in_a_terminal(write_study: WriteStudy, tmp_path: Path) -> None:
    text = shown(write_study(), tmp_path, terminal=True)
    assert "running  ntxent batch_size=8 temperature=0.5 seed=0" in text
    assert "batch_size=8 temperature=0.1 seed=0" in text


def test_durations_as_people_say_them() -> None:
    assert [format_seconds(seconds) for seconds in (0.2, 48, 200, 18_720)] == [
        "0 s",
        "48 s",
        "3 min 20 s",
        "5 h 12 min",
    ]
