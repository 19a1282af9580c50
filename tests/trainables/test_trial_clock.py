"""Trials that share the time count equal shares of it, which add up to the wall time."""

import time

import pytest

from trainables.trial_clock import SharedClock, trial_seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The wall time, as a list of one number."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_seconds_of_trials_add_up_to_the_wall_time(wall: list[float]) -> None:
    clock = SharedClock()
    clock.share(1)
    first = clock()
    wall[0] += 3.0  # the first trial alone
    clock.share(2)
    second = clock()
    wall[0] += 4.0  # both
    first_seconds = clock() - first
    clock.share(1)
    wall[0] += 5.0  # the second alone
    assert first_seconds == 3.0 + 4.0 / 2
    assert clock() - second == 4.0 / 2 + 5.0
    assert first_seconds + clock() - second == 12.0


def test_a_paused_clock_stands_still(wall: list[float]) -> None:
    clock = SharedClock()
    clock.pause()
    wall[0] += 7.0
    assert clock() == 0.0
    clock.share(0)
    wall[0] += 1.0
    assert clock() == 1.0


def test_a_shared_clock_is_read_within_its_block_only() -> None:
    clock = SharedClock()
    clock.pause()
    with clock.used():
        assert trial_seconds() == trial_seconds() == clock()
    assert trial_seconds() > clock()
