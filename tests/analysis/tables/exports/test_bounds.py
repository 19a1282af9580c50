"""Exports of a stranger: links out of the folder, pipes, references without end and numbers without end."""

import json
import os
from pathlib import Path

import pytest

from analysis.tables.exports.opening import open_export
from analysis.tables.exports.source import parse_source
from analysis.tables.exports.wandb_log import fields


def grow(path: Path, size: int) -> None:
    """A file of this size without content, which takes no room on the disk."""
    path.touch()
    os.truncate(path, size)


EXPERIMENT = "artifact_location: x\nexperiment_id: '0'\nlifecycle_stage: active\nname: mine\n"
RUN = "run_id: r\nstatus: 3\nlifecycle_stage: active\nexperiment_id: '0'\nstart_time: 1\nend_time: 2\n"


def refusal(source: Path) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the message is what callers check
        open_export(source)
    return str(caught.value)


def mlflow(folder: Path) -> Path:
    """A folder of MLflow with one run. Returns the folder of the run."""
    run = folder / "0" / "r"
    for kind in ("params", "metrics", "tags"):
        (run / kind).mkdir(parents=True)
    (folder / "0" / "meta.yaml").write_text(EXPERIMENT)
    (run / "meta.yaml").write_text(RUN)
    (run / "params" / "lr").write_text("0.1")
    (run / "metrics" / "acc").write_text("1 0.5 0\n")
    return run


def ray(folder: Path) -> Path:
    """A folder of Ray Tune with one trial. Returns the folder of the trial."""
    trial = folder / "t"
    trial.mkdir(parents=True)
    (trial / "params.json").write_text('{"lr": 0.1}')
    (trial / "result.json").write_text('{"acc": 0.5, "training_iteration": 1, "done": true}\n')
    return trial


#: How a file is made, and what the line about it says.
KINDS = {
    "pipe": (os.mkfifo, "is a pipe, must be a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a link that leads out of the folder"),
    "link": (lambda path: path.symlink_to("/etc/hostname"), "is a link that leads out of the folder"),
    "large": (lambda path: grow(path, 300_000_000), "are read"),
}

FILES = {
    "params": (mlflow, "params/lr"),
    "metrics": (mlflow, "metrics/acc"),
    "run": (mlflow, "meta.yaml"),
    "experiment": (mlflow, "../meta.yaml"),
    "ray params": (ray, "params.json"),
    "ray results": (ray, "result.json"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES)
def test_files_of_an_export_are_regular_and_in_its_folder(file: str, kind: str, tmp_path: Path) -> None:
    (make, said), (write, name) = KINDS[kind], FILES[file]
    path = (write(tmp_path / "export") / name).resolve()
    assert len(open_export(tmp_path / "export")) == 1
    path.unlink()
    make(path)
    line = refusal(tmp_path / "export")
    assert line.startswith(f"{path}: ")
    assert said in line
    assert len(line.splitlines()) == 1


def test_references_of_yaml_are_not_followed(tmp_path: Path) -> None:
    run = mlflow(tmp_path)
    levels = "".join(f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
    (run / "meta.yaml").write_text(RUN + "l0: &l0 x\n" + levels)
    assert refusal(tmp_path) == (
        f"{run / 'meta.yaml'}: cannot be read (it has references, which MLflow does not write)"
    )
    (run / "meta.yaml").write_text(RUN + "x: " + "[" * 50_000)
    assert refusal(tmp_path).startswith(f"{run / 'meta.yaml'}: cannot be read (")


@pytest.mark.parametrize(
    ("name", "said"),
    [("params.json", "the parameters are damaged"), ("../experiment_state-1.json", "the state")],
)
def test_json_that_nests_without_end(name: str, said: str, tmp_path: Path) -> None:
    (ray(tmp_path) / name).write_text("[" * 100_000)
    assert said in (line := refusal(tmp_path))
    assert line.endswith("(lists and objects are nested too deep)") or "is damaged (lists and" in line


def test_trials_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.tables.exports.ray_folder._MOST_TRIALS", 1)
    for name in "ab":
        ray(tmp_path / name)
        (tmp_path / name / "t").rename(tmp_path / f"t{name}")
    assert refusal(tmp_path).startswith(
        f"{tmp_path}: 2 trials; at most 1 are read from a folder; save the frame of"
    )


def test_numbers_of_a_log_have_an_end() -> None:
    with pytest.raises(ValueError, match=r"^a number is too long$"):
        list(fields(b"\x08" + b"\xff" * 1_000_000))


def test_names_in_messages_have_an_end() -> None:
    place = parse_source("a.db")
    assert place is not None
    with pytest.raises(ValueError, match=r"it holds 500 studies \(.* and 480 more\); name one"):
        place.chosen([f"s{number}" for number in range(500)], "study")


def test_a_journal_that_nests_without_end(tmp_path: Path) -> None:
    first = {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [1]}
    (tmp_path / "journal.log").write_text(
        json.dumps(first) + "\n" + "[" * 100_000 + "\n" + json.dumps(first) + "\n"
    )
    assert refusal(tmp_path / "journal.log").startswith(
        f"{tmp_path / 'journal.log'}: the journal is damaged ("
    )
