"""A study of many short trials, and what its store holds while it runs."""

from pathlib import Path

from tests.study.conftest import WriteStudy
from tests.study.running import records
from tests.waiting import wait_until


def wait_for_records(store: Path, at_least: int) -> None:
    """Until so many trials have put their records."""
    wait_until(lambda: len(records(store)) >= at_least, seconds=240)


def stamps(store: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in records(store)}


def many_trials(write: WriteStudy, resources: str = "", steps: int = 150) -> Path:
    """36 trials, each by itself: 150 steps are half a second or so."""
    return write(
        ("steps = 3", f"steps = {steps}"),
        ("seeds = [0, 1]", f"seeds = {list(range(6))}"),
        ("[losses.ntxent]", f"[resources]\nstacked = false\n{resources}\n[losses.ntxent]"),
    )
