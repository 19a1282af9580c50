"""The folder of a Ray Tune experiment has a row for every trial, whatever became of it.

The folders are written here, with the files and keys that Ray 2.60 writes; `test_exports` reads those of Ray itself.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.tables.exports.opening import open_export


def report(iteration: int, *, done: bool = False, **results: object) -> dict[str, Any]:
    return {"done": done, "training_iteration": iteration, "pid": 7, "config": {"seed": 0}, **results}


def write_trial(folder: Path, name: str, seed: int, *reports: dict[str, Any], error: bool = False) -> None:
    """The files of one trial."""
    path = folder / name
    path.mkdir(parents=True)
    (path / "params.json").write_text(json.dumps({"seed": seed, "opt": {"lr": 0.5}, "layers": [1, 2]}))
    (path / "result.json").write_text("".join(json.dumps(each) + "\n" for each in reports))
    if error:
        (path / "error.txt").write_text("ValueError: no")


def write_state(folder: Path, launch: str, statuses: dict[str, str], **more: Any) -> None:
    """The state of the experiment, as one launch leaves it."""
    folder.mkdir(exist_ok=True)
    trials = [
        [
            json.dumps(
                {"trial_id": name, "status": status, "relative_logdir": name, "config": {"seed": 9}} | more
            ),
            json.dumps(
                {"last_result": more.get("last_result", {}), "metric_analysis": more.get("analysis", {})}
            ),
        ]
        for name, status in statuses.items()
    ]
    (folder / f"experiment_state-{launch}.json").write_text(json.dumps({"trial_data": trials}))


def read(folder: Path) -> pd.DataFrame:
    rows = open_export(folder)
    assert rows is not None
    return rows.set_index("logdir")


def test_every_trial_of_a_state_is_a_row(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0, report(1, acc=0.1), report(2, acc=0.2, nested={"top1": 3}))
    write_trial(tmp_path, "b", 1, report(1, acc=0.3), error=True)
    write_trial(tmp_path, "c", 2)
    write_state(tmp_path, "2026-01-01", {"a": "TERMINATED", "b": "ERROR", "c": "RUNNING", "d": "PENDING"})
    rows = read(tmp_path)
    assert rows["status"].to_dict() == {"a": "TERMINATED", "b": "ERROR", "c": "RUNNING", "d": "PENDING"}
    assert rows["config/seed"].to_dict() == {"a": 0, "b": 1, "c": 2, "d": 9}
    assert rows.loc["a", ["acc", "nested/top1", "config/opt/lr"]].tolist() == [0.2, 3, 0.5]
    assert rows.loc["a", "config/layers"] == [1, 2]
    assert rows.loc[["c", "d"], "acc"].isna().all()
    assert "config/config" not in rows


def test_trials_without_a_state_are_judged_by_their_files(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0, report(2, acc=0.2))
    write_trial(tmp_path, "b", 1, report(1, acc=0.3), error=True)
    write_trial(tmp_path, "c", 2)
    assert read(tmp_path)["status"].to_dict() == {"a": "TERMINATED", "b": "ERROR", "c": "ERROR"}


def test_a_trial_that_returned_without_a_report_has_no_result(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0)
    write_state(tmp_path, "2026-01-01", {"a": "TERMINATED"})
    assert read(tmp_path)["status"].tolist() == ["ERROR"]


def test_a_later_launch_overrides_an_earlier_one(tmp_path: Path) -> None:
    """A trial that has not begun has no folder yet."""
    for name in ("a", "b"):
        write_trial(tmp_path, name, 0, report(1, acc=0.2))
    write_state(tmp_path, "2026-01-01", {"a": "TERMINATED"})
    write_state(tmp_path, "2026-01-02", {"b": "PENDING"}, relative_logdir=None)
    write_state(tmp_path, "2026-01-03", {"b": "TERMINATED"})
    assert read(tmp_path)["status"].to_dict() == {"a": "TERMINATED", "b": "TERMINATED"}


def test_a_trial_that_a_scheduler_stopped_is_told_from_one_that_ended(tmp_path: Path) -> None:
    write_trial(tmp_path, "ended", 0, report(4, acc=0.4, done=True))
    write_trial(tmp_path, "stopped", 1, report(1, acc=0.1, done=True))
    write_trial(tmp_path, "short", 2, report(2, acc=0.2))
    write_state(tmp_path, "2026-01-01", dict.fromkeys(("ended", "stopped", "short"), "TERMINATED"))
    assert read(tmp_path)["status"].to_dict() == {
        "ended": "TERMINATED",
        "stopped": "STOPPED",
        "short": "TERMINATED",
    }


def test_a_trial_that_met_its_criterion_is_no_stop(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0, report(4, acc=0.4))
    write_trial(tmp_path, "b", 1, report(1, acc=0.9, done=True))
    write_state(
        tmp_path, "2026-01-01", {"a": "TERMINATED", "b": "TERMINATED"}, stopping_criterion={"acc": 0.8}
    )
    assert read(tmp_path)["status"].tolist() == ["TERMINATED", "TERMINATED"]


def test_a_line_that_a_kill_cut_off_does_not_count(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0, report(1, acc=0.1), report(2, acc=0.2))
    with (tmp_path / "a" / "result.json").open("a") as file:
        file.write('{"acc": 0.3, "don')
    assert read(tmp_path)["acc"].tolist() == [0.2]


def test_reports_are_read_from_the_table_where_there_is_no_other_file(tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0)
    (tmp_path / "a" / "progress.csv").write_text("acc,done,training_iteration\n0.1,False,1\n0.25,False,2\n")
    rows = read(tmp_path)
    assert rows["acc"].tolist() == [0.25]
    assert rows["status"].tolist() == ["TERMINATED"]


def test_trials_are_read_from_the_state_where_loggers_were_off(tmp_path: Path) -> None:
    """Their folders have no files then. Ray sets `done` in the state at the end of every trial."""
    last, early = report(3, acc=0.5, done=True), report(1, acc=0.2, done=True)
    write_state(tmp_path, "1", {"a": "TERMINATED"}, last_result=last, analysis={"done": {"last": False}})
    write_state(tmp_path, "2", {"b": "TERMINATED"}, last_result=early, analysis={"done": {"last": True}})
    write_state(tmp_path, "3", {"c": "TERMINATED"}, last_result=early, analysis={"done": {"last": False}})
    rows = read(tmp_path)
    assert rows["acc"].tolist() == [0.5, 0.2, 0.2]
    assert rows["config/seed"].tolist() == [9, 9, 9]
    assert rows["status"].tolist() == ["TERMINATED", "STOPPED", "TERMINATED"]


def test_a_folder_of_one_experiment_is_opened_and_several_are_named(tmp_path: Path) -> None:
    write_trial(tmp_path / "one", "a", 0, report(1, acc=0.1))
    write_state(tmp_path / "one", "2026-01-01", {"a": "TERMINATED"})
    assert read(tmp_path)["acc"].tolist() == [0.1]
    write_state(tmp_path / "two", "2026-01-01", {"a": "TERMINATED"})
    with pytest.raises(
        ValueError, match=r"it holds 2 experiments of Ray Tune \(one, two\); name one, as in .*/one$"
    ):
        open_export(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a/params.json", "{", "the parameters are damaged"),
        ("a/params.json", "[]", "the parameters are damaged"),
        ("experiment_state-2026-01-01.json", "{", "the state of the experiment is damaged"),
        (
            "experiment_state-2026-01-01.json",
            '{"trial_data": [["{}"]]}',
            "the state of the experiment is damaged",
        ),
    ],
)
def test_a_damaged_file_is_named(file: str, text: str, message: str, tmp_path: Path) -> None:
    write_trial(tmp_path, "a", 0, report(1, acc=0.1))
    (tmp_path / file).write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        open_export(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / file))


def test_an_experiment_without_trials_is_one_line(tmp_path: Path) -> None:
    write_state(tmp_path, "2026-01-01", {})
    with pytest.raises(ValueError, match="the experiment has no trials"):
        open_export(tmp_path)
