"""`--max-hours` stops as Ctrl-C does, and says by its exit code that there is work left."""

import signal
import time
from pathlib import Path

import pytest

from study.errors import TIME_IS_UP
from study.launch.signals import raise_on_signals
from tests.study.cli.conftest import Finished
from tests.study.conftest import WriteStudy
from tests.study.running import invoke


def test_the_time_is_up(write_study: WriteStudy, tmp_path: Path) -> None:
    store = f"{tmp_path}/store"
    endless = write_study(("steps = 3", "steps = 1000000"))
    result = invoke("run", endless, "--store", store, "--runner", "inline", "--max-hours", "0.0008")
    assert result.exit_code == TIME_IS_UP == 75, result.output
    assert "the time is up: 0 of 12 trials are done and kept, 12 are left" in result.stderr


@pytest.mark.slow
def test_time_enough_changes_nothing(finished: Finished) -> None:
    words = ("--store", finished.store, "--runner", "inline", "--max-hours", "1")
    result = invoke("retry", finished.study, "--status", "crashed", *words)
    assert result.exit_code == 0, result.output
    assert "Report:" in result.output


def test_the_clock_stops_with_the_block() -> None:
    with raise_on_signals(time.monotonic() + 60) as stop:
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert not stop.is_timed
    with pytest.raises(KeyboardInterrupt), raise_on_signals(time.monotonic() - 1) as stop:
        signal.pause()
    assert stop.is_timed
    assert stop.exit_code == TIME_IS_UP


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "1e9", "soon"])
@pytest.mark.parametrize("command", [("run",), ("retry", "--status", "crashed")])
def test_bad_hours(command: tuple[str, ...], hours: str, write_study: WriteStudy, tmp_path: Path) -> None:
    result = invoke(command[0], write_study(), *command[1:], "--store", f"{tmp_path}/s", "--max-hours", hours)
    assert result.exit_code == 2
    assert "--max-hours" in result.stderr
    assert hours in result.stderr or "1e+09" in result.stderr
