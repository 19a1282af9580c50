"""The page shows the time left that the terminal shows, also of two launches, and none before it is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from study.launch.listeners.launch_log import LaunchLog
from study.launch.listeners.time_left import TimeLeft, time_left_text
from study.launch.manifest import new_manifest, running_launches
from study.watching.state import time_left
from tests.waiting import wait_until

BASE = new_manifest(study="s", study_file="s.toml", runner="ray", workers=2, planned=90)


def test_two_launches_end_when_the_later_one_ends() -> None:
    one, other = replace(BASE, seconds_left=200.0), replace(BASE, seconds_left=130.0)
    assert time_left([one, other], 80) == time_left_text(200.0) == "about 3 min 20 s"


def test_nothing_is_said_before_it_is_known() -> None:
    assert time_left([BASE], 80) == ""
    assert time_left([], 80) == ""
    assert time_left([replace(BASE, seconds_left=200.0)], 0) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "about 5 s"),
        (48.0, "about 50 s"),
        (58.0, "about 1 min"),
        (104.0, "about 1 min 40 s"),
        (629.0, "about 10 min"),
        (7100.0, "about 2 h"),
        (18_720.0, "about 5 h 10 min"),
    ],
)
def test_the_text_is_rounded(seconds: float, text: str) -> None:
    assert time_left_text(seconds) == text


def test_the_page_reads_what_the_launch_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new text is written at once. A change that the text does not show is not."""
    monkeypatch.setattr("study.launch.listeners.launch_log._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("study.launch.listeners.launch_log._RENEWED_SECONDS", 0.0)
    estimate = TimeLeft()
    seconds: list[float | None] = [None]
    monkeypatch.setattr(estimate, "seconds", lambda: seconds[0])

    def shown() -> str:
        return time_left(running_launches(tmp_path), 80)

    with LaunchLog(tmp_path, BASE, estimate):
        assert shown() == ""
        for value in (104.0, 48.0):
            seconds[0] = value
            wait_until(lambda value=value: shown() == time_left_text(value))
    assert shown() == ""
