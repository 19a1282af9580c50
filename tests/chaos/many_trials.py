"""A study of many short trials, and what its store holds while it runs."""

from pathlib import Path

import psutil

from tests.study.conftest import WriteStudy
from tests.study.running import records
from tests.waiting import wait_until

#: Seconds that a launch may take on a machine whose processors are busy with other things.
PATIENCE = 500


def wait_for_records(store: Path, at_least: int) -> None:
    """Until so many trials have put their records."""
    wait_until(lambda: len(records(store)) >= at_least, seconds=PATIENCE)


def workers_of_driver(driver: int) -> list[psutil.Process]:
    """Ray's workers, all of which have begun: a worker that puts records has begun."""
    family = psutil.Process(driver).children(recursive=True)
    return [each for each in family if each.name().startswith("ray::ResourceTr")]


def stop_in_training(workers: list[psutil.Process], store: Path) -> None:
    """Suspend the workers at a moment when a trial has a checkpoint, so that it stays in training."""

    def stopped() -> bool:
        for each in workers:
            each.suspend()
        if any((store / "checkpoints").glob("*.pt")):
            return True
        for each in workers:
            each.resume()
        return False

    wait_until(stopped, seconds=PATIENCE)


def stamps(store: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in records(store)}


def many_trials(write: WriteStudy, resources: str = "", steps: int = 150, losses: str = "") -> Path:
    """36 trials, each by itself: 150 steps are half a second or so. `losses` replaces the tables of losses."""
    own = [("[losses.ntxent]\ntemperature = [0.1, 0.5]\n[losses.kcl]\nt = [2.0]", losses)] if losses else []
    return write(
        *own,
        ("steps = 3", f"steps = {steps}"),
        ("seeds = [0, 1]", f"seeds = {list(range(6))}"),
        ("[axes]", f"[resources]\nstacked = false\n{resources}\n[axes]"),
    )
