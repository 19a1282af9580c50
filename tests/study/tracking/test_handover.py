"""Every record becomes one run in every tracker, whatever happens to launches and trackers."""

import threading
from pathlib import Path

import pytest

import study.tracking.handover as handover
from study.events import Finished
from study.loaded import LoadedStudy
from study.tracking.handover import Handover
from study.tracking.trackers import Destination
from tests.study.tracking.conftest import Remembering, put_again
from trainables.store.artefacts import losses_path


def hand_over(loaded: LoadedStudy, *destinations: Destination, only: list[str] | None = None) -> None:
    """What a launch does at its end, or while it runs for the trials in `only`."""
    with Handover(loaded.plan, loaded.store, destinations) as listener:
        for trial_id in only or ():
            listener.finished(Finished(trial_id=trial_id, status="ok"))


def titles(loaded: LoadedStudy) -> list[str]:
    return sorted(trial.title for trial in loaded.plan.trials)


def test_every_record_is_one_run_however_often_the_study_is_launched(finished: LoadedStudy) -> None:
    tracker = Remembering()
    for _ in range(2):
        hand_over(finished, tracker.destination(), only=[finished.plan.trials[0].keys.trial_id])
    assert tracker.titles == titles(finished)


def test_another_attempt_is_another_run(finished: LoadedStudy) -> None:
    tracker = Remembering()
    hand_over(finished, tracker.destination())
    title = put_again(finished, status="crashed", error_class="ValueError", error_message="no")
    hand_over(finished, tracker.destination())
    assert len(tracker.runs) == len(finished.plan.trials) + 1
    assert tracker.runs[-1].title == f"{title} attempt=1"
    assert tracker.runs[-1].tags["attempt"] == "1"
    assert tracker.runs[-1].tags["error_class"] == "ValueError"
    assert not tracker.runs[-1].has_result


def test_two_launches_at_once_make_one_run_of_each_record(finished: LoadedStudy) -> None:
    tracker = Remembering()
    threads = [threading.Thread(target=hand_over, args=(finished, tracker.destination())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.titles == titles(finished)


def test_a_tracker_that_fails_costs_one_line_and_is_made_up_for(
    finished: LoadedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, broken = Remembering(), Remembering(fails=lambda run: ConnectionError("no route\nto host"))
    hand_over(finished, broken.destination("broken"), sound.destination("sound"))
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "Remembering failed (ConnectionError: no route); the study goes on without it" in said[0]
    assert sound.titles == titles(finished)
    mended = Remembering()
    hand_over(finished, mended.destination("broken"), sound.destination("sound"))
    assert mended.titles == titles(finished)
    assert sound.titles == titles(finished)


def test_training_losses_stay_until_every_tracker_has_them(finished: LoadedStudy) -> None:
    row = finished.plan.records.table.to_pylist()[0]
    path = losses_path(finished.store.path, row["trial_id"], 0)
    path.parent.mkdir(exist_ok=True)
    path.write_text("[[1, 2.5]]")
    sound, broken = Remembering(), Remembering(fails=lambda run: OSError("down"))
    hand_over(finished, broken.destination("broken"), sound.destination("sound"))
    assert path.exists()
    mended = Remembering()
    hand_over(finished, mended.destination("broken"), sound.destination("sound"))
    assert not path.exists()
    for tracker in (sound, mended):
        curves = {run.tags["trial_id"]: run.curve for run in tracker.runs}
        assert curves[row["trial_id"]] == {1: {"training/loss": 2.5}}


def test_after_an_interrupt_the_rest_waits_for_the_next_launch(finished: LoadedStudy) -> None:
    tracker = Remembering()
    with (
        pytest.raises(KeyboardInterrupt),
        Handover(finished.plan, finished.store, [tracker.destination()]),
    ):
        raise KeyboardInterrupt
    assert not tracker.runs
    hand_over(finished, tracker.destination())
    assert tracker.titles == titles(finished)


def test_a_tracker_that_hangs_is_not_waited_for(
    finished: LoadedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handover, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(handover, "_SILENT_SECONDS", 0.1)
    release = threading.Event()
    hanging = Remembering(fails=lambda run: release.wait(20) and None)
    hand_over(finished, hanging.destination())
    assert "a tracker does not answer" in capsys.readouterr().err
    release.set()


def test_a_store_that_refuses_costs_one_line(
    finished: LoadedStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store/studies/tiny/tracked.txt").mkdir()
    hand_over(finished, Remembering().destination())
    assert capsys.readouterr().err.count("study: tracking: IsADirectoryError") == 1


def test_without_trackers_nothing_is_begun(finished: LoadedStudy, tmp_path: Path) -> None:
    before = threading.active_count()
    with Handover(finished.plan, finished.store, []):
        assert threading.active_count() == before
    assert not (tmp_path / "store/studies/tiny/tracked.txt").exists()
