"""The journal lets one process hand over a run, whoever asks and whichever process is killed."""

import threading
from pathlib import Path

from study.tracking.journal import Journal


def test_a_run_is_taken_once_for_each_tracker(tmp_path: Path) -> None:
    path = tmp_path / "tracked.txt"
    one, other = Journal(path), Journal(path)
    assert one.claim("mlflow", "a.0")
    assert not other.claim("mlflow", "a.0")
    assert other.claim("wandb", "a.0")
    assert not one.claim("wandb", "a.0")
    assert one.claim("mlflow", "a.1")


def test_what_was_released_may_be_taken_again_and_later_launches_know(tmp_path: Path) -> None:
    path = tmp_path / "tracked.txt"
    first = Journal(path)
    assert first.claim("mlflow", "a.0")
    assert first.claim("mlflow", "b.0")
    first.release("mlflow", "a.0")
    later = Journal(path)
    assert later.claim("mlflow", "a.0")
    assert not later.claim("mlflow", "b.0")


def test_half_a_line_of_a_killed_process_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tracked.txt"
    journal = Journal(path)
    assert journal.claim("mlflow", "a.0")
    with path.open("ab") as file:
        file.write(b"\n+mlflow b")
    assert journal.claim("mlflow", "b.0")
    assert not Journal(path).claim("mlflow", "a.0")
    assert not Journal(path).claim("mlflow", "b.0")


def test_many_at_once_take_each_run_once(tmp_path: Path) -> None:
    path, taken = tmp_path / "tracked.txt", []

    def work() -> None:
        journal = Journal(path)
        taken.extend(number for number in range(50) if journal.claim("mlflow", f"{number}.0"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(50))
