"""A search is repeatable and can be resumed, and no trial in it is left running for ever."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from search_spaces.axes import Range
from search_spaces.optuna_adapter import (
    JOURNAL_BYTES,
    Pruned,
    check_point,
    importances,
    read_decided,
    repair_journal,
)
from search_spaces.space import Space
from tests.search_spaces.searching import SPACE, course, score, search

LINE: Space = {"x": Range(linear=(0.0, 1.0))}


def trials(journal: Path) -> list[FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    storage = optuna.storages.JournalStorage(backend)
    return list(optuna.load_study(storage=storage, study_name="loss").trials)


def states(journal: Path) -> list[TrialState]:
    return [trial.state for trial in trials(journal)]


@pytest.mark.parametrize(("sampler", "batch"), [("tpe", 1), ("tpe", 3), ("gp", 3), ("random", 1)])
def test_one_seed_makes_one_search(sampler: str, batch: int, tmp_path: Path) -> None:
    one, other, seeded = (
        course(search(tmp_path / f"{name}.journal", sampler=sampler, seed=seed), 6 // batch, batch)
        for name, seed in [("one", 0), ("other", 0), ("seeded", 1)]
    )
    assert one == other
    assert not [point for point in seeded if point in one]
    assert len({str(point) for point in one}) == 6


def test_points_lie_in_the_space_of_their_case(tmp_path: Path) -> None:
    points = course(search(tmp_path / "journal"), 24)
    assert {point["kernel"] for point in points} == {"gaussian", "imq"}
    for point in points:
        assert list(point) == list(SPACE)
        assert isinstance(point["batch_size"], int)
        assert 8 <= point["batch_size"] <= 256
        assert point["lr"] == 0.1
        t = float(point["t"])
        assert t in (1.0, 2.0, 4.0) if point["kernel"] == "imq" else 0.25 <= t <= 16
        assert t == float(f"{t:.6g}")
    assert read_decided(tmp_path / "journal", "loss", SPACE) == points


@pytest.mark.parametrize(("sampler", "batch"), [("tpe", 1), ("tpe", 3), ("gp", 3), ("random", 3)])
def test_an_interrupted_search_takes_the_course_that_it_would_have_taken(
    sampler: str, batch: int, tmp_path: Path
) -> None:
    whole = course(search(tmp_path / "whole", sampler=sampler), 9 // batch, batch)
    first = search(tmp_path / "broken", sampler=sampler)
    done = course(first, 6 // batch - 1, batch)
    stopped = [first.ask() for _ in range(batch)]
    first.interrupt()
    assert TrialState.RUNNING not in states(tmp_path / "broken")
    again = search(tmp_path / "broken", sampler=sampler)
    assert again.waiting == batch
    assert [again.ask() for _ in range(again.waiting)] == stopped
    again.tell(score)
    assert done + stopped + course(again, 3 // batch, batch) == whole
    assert again.decided() == whole
    assert again.started == 9


def test_a_killed_process_leaves_nothing_running(tmp_path: Path) -> None:
    """Its trials run in Optuna's storage until the next process puts them in order."""
    program = (
        "import os, signal; from pathlib import Path; from tests.search_spaces.searching import *\n"
        f"one = search(Path({str(tmp_path / 'journal')!r})); course(one, 2); one.ask(); one.ask()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": "."}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert states(tmp_path / "journal").count(TrialState.RUNNING) == 2
    with (tmp_path / "journal").open("ab") as file:
        file.write(b'{"op_code": 4, "wor')  # and the line that it was writing
    repair_journal(tmp_path / "journal")
    decided = read_decided(tmp_path / "journal", "loss", SPACE)
    one = search(tmp_path / "journal")
    one.interrupt(everyones=True)
    assert TrialState.RUNNING not in states(tmp_path / "journal")
    assert [one.ask(), one.ask()] == decided[2:]
    one.tell(score)
    assert set(states(tmp_path / "journal")) == {TrialState.COMPLETE, TrialState.FAIL}


def test_what_another_process_runs_is_left_to_it(tmp_path: Path) -> None:
    one, other = search(tmp_path / "journal"), search(tmp_path / "journal")
    one.ask()
    mine = other.ask()
    one.interrupt()
    assert states(tmp_path / "journal") == [TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]
    other.tell(lambda point: 0.5 if point == mine else None)
    one.tell(lambda point: 0.7)
    assert states(tmp_path / "journal")[1] == TrialState.COMPLETE


def test_stopped_ones_are_told_as_pruned(tmp_path: Path) -> None:
    one = search(tmp_path / "journal")
    for outcome in (Pruned(rung=4, score=0.3), None, 0.5, Pruned()):
        point = one.ask()
        one.tell(lambda asked, point=point, outcome=outcome: outcome if asked == point else None)
    at_rung, _, ended, unknown = trials(tmp_path / "journal")
    names = [state.name for state in states(tmp_path / "journal")]
    assert names == ["PRUNED", "RUNNING", "COMPLETE", "PRUNED"]
    assert (at_rung.intermediate_values, at_rung.value) == ({4: 0.3}, 0.3)
    assert (unknown.intermediate_values, unknown.value) == ({}, None)
    assert ended.value == 0.5
    assert one.started == 4


def test_what_was_stopped_teaches(tmp_path: Path) -> None:
    """Where configurations were stopped, few are asked for."""
    one = search(tmp_path / "journal", LINE, startup=8)
    asked = []
    for _ in range(40):
        point = one.ask()
        asked.append(float(point["x"]))
        result = asked[-1] if asked[-1] > 0.5 else Pruned(rung=1, score=asked[-1] / 2)
        one.tell(lambda _, result=result: result)
    assert sum(x < 0.5 for x in asked[:8]) >= 2
    assert sum(x < 0.5 for x in asked[8:]) <= 6


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_a_floor_teaches_where_training_diverges(sampler: str, tmp_path: Path) -> None:
    """Half of the space has the floor score, and soon nothing is asked for there."""
    one = search(tmp_path / "journal", LINE, sampler=sampler, startup=6)
    asked = []
    for _ in range(14):
        asked.append(float(one.ask()["x"]))
        one.tell(lambda point: 0.1 if float(point["x"]) > 0.5 else 0.3 + float(point["x"]))
    assert sum(x > 0.5 for x in asked[:6]) >= 2
    assert sum(x > 0.5 for x in asked[6:]) <= 3
    assert max(x for x in asked if x <= 0.5) > 0.4


def test_reading_writes_nothing(tmp_path: Path) -> None:
    assert read_decided(tmp_path / "journal", "loss", SPACE) == []
    assert not list(tmp_path.iterdir())
    course(search(tmp_path / "journal"), 1)
    assert read_decided(tmp_path / "journal", "another", SPACE) == []


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    course(search(tmp_path / "journal"), 1)
    content = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(content.replace(b"{", b"", 1))
    with pytest.raises(ValueError, match=r"journal is damaged .*: move the journal away"):
        read_decided(tmp_path / "journal", "loss", SPACE)


def replaced(op_code: int, **fields: object) -> Callable[[list[bytes]], list[bytes]]:
    """A change of a journal: the last line of an operation has other fields."""

    def change(lines: list[bytes]) -> list[bytes]:
        place = max(place for place, line in enumerate(lines) if json.loads(line)["op_code"] == op_code)
        return [*lines[:place], json.dumps(json.loads(lines[place]) | fields).encode(), *lines[place + 1 :]]

    return change


def with_point(point: object) -> Callable[[list[bytes]], list[bytes]]:
    return replaced(8, user_attr={"point": point})


POINT = {"batch_size": 8, "lr": 0.1, "kernel": "imq", "t": 2.0}
FOREIGN: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "text": (with_point("abc"), "a configuration is 'abc', must have the fields batch_size, lr, kernel, t"),
    "list": (with_point([1]), r"a configuration is \[1\], must have the fields"),
    "empty": (with_point({}), r"a configuration is \{\}, must have the fields"),
    "negative": (with_point(POINT | {"batch_size": -5}), "has batch_size = -5, which is not in the search"),
    "list of values": (with_point(POINT | {"kernel": [1]}), r"has kernel = \[1\], which is not in the search"),
    "operation": (lambda lines: [*lines, b'{"op_code":99,"worker_id":"a"}'], "not one that Optuna writes"),
    "list first": (lambda lines: [b"[]", *lines], "not one that Optuna writes"),
    "number first": (lambda lines: [b"5", *lines], "not one that Optuna writes"),
    "start": (replaced(4, datetime_start=5), "not one that Optuna writes"),
    "distributions": (replaced(4, distributions={"a": "5"}), "not one that Optuna writes"),
    "nested": (lambda lines: [*lines, b"[" * 100_000], "not one that Optuna writes"),
    "score": (replaced(6, values=["a"]), "a score is not a number"),
    "huge score": (replaced(6, values=[10**400]), "a score is not a number"),
    "scores": (replaced(6, values=[0.5, 0.5]), "must have one score"),
    "suggestion": (replaced(4, system_attrs={"fixed_params": {"x": 1}}), "has 'x', which is not in the search"),
    "constraints": (replaced(4, system_attrs={"constraints": "x"}), "has constraints"),
    "directions": (replaced(0, directions=[1]), "must have one score, which it maximizes"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_journal_is_one_line_and_stays(
    change: Callable[[list[bytes]], list[bytes]], reason: str, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    course(search(journal), 1)
    content = b"\n".join(change(journal.read_bytes().splitlines())) + b"\n"
    journal.write_bytes(content)
    pattern = (
        rf"^\S+journal is damaged \(.*{reason}.*\); the store keeps all records: move the journal away .*$"
    )
    with pytest.raises(ValueError, match=pattern):
        read_decided(journal, "loss", SPACE)
    with pytest.raises(ValueError, match=pattern):
        search(journal)
    assert journal.read_bytes() == content


def test_an_unreadable_last_line_is_found_before_another_is_written(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b'{"op_code": 4\n')
    with pytest.raises(ValueError, match="journal is damaged"):
        repair_journal(journal)
    assert journal.read_bytes() == b'{"op_code": 4\n'


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "large"])
def test_a_journal_is_a_regular_file_of_bounded_size(kind: str, tmp_path: Path) -> None:
    journal, victim = tmp_path / "journal", tmp_path / "victim"
    if kind == "link":
        victim.write_text("no line break at the end")
    if kind in ("link", "dangling"):
        journal.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(journal)
    elif kind == "folder":
        journal.mkdir()
    else:
        journal.touch()
        os.truncate(journal, JOURNAL_BYTES + 1)
    words = {"link": "is a link", "dangling": "is a link", "pipe": "is a pipe", "folder": "is a folder"}
    pattern = rf"^\S+journal {words.get(kind, 'has 256,000,001 bytes')}.*; the store keeps all records"
    for use in (repair_journal, search, lambda path: read_decided(path, "loss", SPACE)):
        with pytest.raises(ValueError, match=pattern):
            use(journal)
    assert victim.exists() == (kind == "link")
    assert kind != "link" or victim.read_text() == "no line break at the end"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 8.0),
        ("batch_size", 7),
        ("batch_size", 257),
        ("lr", 1),
        ("t", 3.0),
        ("t", float("nan")),
        ("t", 2),
    ],
)
def test_a_value_has_the_type_and_the_range_of_its_axis(name: str, value: object) -> None:
    check_point(POINT, SPACE)
    check_point(POINT | {"kernel": "gaussian", "t": 3.0}, SPACE)
    with pytest.raises(ValueError, match=f"has {name} = {value}, which is not in the search"):
        check_point(POINT | {name: value}, SPACE)


def test_importances_are_shares_and_may_be_of_words() -> None:
    rng = np.random.default_rng(0)
    columns = {"x": rng.uniform(0.1, 10, 200).tolist(), "kind": rng.choice(["a", "b"], 200).tolist()}
    by_kind = importances(columns, [(word == "a") + rng.uniform() for word in columns["kind"]])
    by_x = importances(columns, columns["x"])
    assert sum(by_kind.values()) == pytest.approx(1)
    assert by_kind["kind"] > 0.5
    assert by_x["x"] > 0.9
    assert by_x == importances(columns, columns["x"])
