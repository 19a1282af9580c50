"""Runs are in each tracker as its own reader shows them, and a missing library gives one line."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from study.cli.main import main
from study.loaded import LoadedStudy
from study.spec.schema import TrackingSection
from study.tracking.handover import Handover
from study.tracking.mlflow_runs import mlflow_folder
from study.tracking.trackers import TRACKERS, destinations
from tests.fresh_wandb import fresh_wandb
from tests.study.tracking.conftest import PAIR, put_again
from trainables.store.artefacts import losses_path

#: Of MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


@pytest.fixture
def traced(finished: LoadedStudy) -> LoadedStudy:
    """The study, whose first trial has a training loss of two points and a second attempt that crashed."""
    put_again(finished, status="crashed", started_at=None, error_class="ValueError", error_message="no")
    path = losses_path(finished.store.path, finished.plan.trials[0].keys.trial_id, 1)
    path.parent.mkdir(exist_ok=True)
    path.write_text("[[1, 3.0], [4, 2.0]]")
    return finished


def hand_over(loaded: LoadedStudy, **tracking: object) -> None:
    wanted = destinations(TrackingSection(**tracking))
    with Handover(loaded.plan, loaded.store, wanted):
        pass


def expected(loaded: LoadedStudy) -> dict[str, float | None]:
    """Validation accuracy by title: the latest attempt of each trial."""
    rows = {row["trial_id"]: row for row in loaded.store.read().table.to_pylist()}
    return {
        trial.title + (" attempt=1" if rows[trial.keys.trial_id]["attempt"] else ""): rows[
            trial.keys.trial_id
        ]["val_probe10_accuracy"]
        for trial in loaded.plan.trials
    }


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        ("http://host:5000", None),
        ("databricks", None),
        ("sqlite:////data/mlflow.db", None),
        ("mlruns", "/store/mlruns"),
        ("/elsewhere", "/elsewhere"),
    ],
)
def test_what_mlflow_is_told_is_a_uri_or_a_folder(where: str, folder: str | None) -> None:
    assert mlflow_folder(where, Path("/store")) == (folder and Path(folder))


def test_mlflow_in_a_folder_of_the_store(traced: LoadedStudy) -> None:
    mlflow = pytest.importorskip("mlflow")
    for _ in range(2):
        hand_over(traced, mlflow="mlruns")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{traced.store.path}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs([experiment.experiment_id])
    found = {run.info.run_name: run.data.metrics["val_probe10_accuracy"] for run in runs}
    assert found == pytest.approx(expected(traced))
    assert len(runs) == len(found)
    by_status = {run.info.status: run for run in runs}
    assert set(by_status) == {"FINISHED", "FAILED"}
    failed = by_status["FAILED"]
    history = client.get_metric_history(failed.info.run_id, "training/loss")
    assert [(point.step, point.value) for point in history] == [(1, 3.0), (4, 2.0)]
    assert failed.data.tags["error_class"] == "ValueError"
    assert failed.data.params["temperature"] == "0.1"


def test_tensorboard(traced: LoadedStudy) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    for _ in range(2):
        hand_over(traced, tensorboard=True)
    runs = EventMultiplexer().AddRunsFromDirectory(str(traced.store.path / "studies/tiny/tensorboard"))
    runs.Reload()
    (failed,) = (title for title in expected(traced) if title.endswith("attempt=1"))
    assert [(event.step, event.value) for event in runs.Scalars(failed, "training/loss")] == [
        (1, 3.0),
        (4, 2.0),
    ]
    found = {title: runs.Scalars(title, "val_probe10_accuracy") for title in runs.Runs()}
    assert {title: events[0].value for title, events in found.items()} == pytest.approx(expected(traced))
    assert all(len(events) == 1 for events in found.values())
    settings = runs.SummaryMetadata(failed, "_hparams_/session_start_info").plugin_data.content
    assert b"temperature" in settings


def wandb_records(path: Path) -> Iterator[Any]:
    """The records of a run that was not sent: a log in LevelDB's format, after a header of 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    content, place, whole = path.read_bytes(), 7, b""
    while place < len(content):
        if (left := -place % 2**15) < 7:  # too little for a header: the block ends in zeros
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or its last part
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def test_wandb_offline(traced: LoadedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    fresh_wandb()
    for _ in range(2):
        hand_over(traced, wandb="somebody/robustness")
    found, curves = {}, {}
    paths = list((traced.store.path / "studies/tiny/wandb").glob("offline-run-*/*.wandb"))
    for records in (list(wandb_records(path)) for path in paths):
        (title,) = {record.run.display_name for record in records if record.run.display_name}
        summary = {
            item.key or item.nested_key[0]: item for record in records for item in record.summary.update
        }
        found[title] = float(summary["val_probe10_accuracy"].value_json)
        curves[title] = [
            (record.history.step.num, float(item.value_json))
            for record in records
            for item in record.history.item
            if "training/loss" in (item.key, *item.nested_key)
        ]
    assert found == pytest.approx(expected(traced))
    assert len(paths) == len(found)
    assert [(1, 3.0), (4, 2.0)] in curves.values()


def test_wandb_without_a_key_asks_for_none(
    traced: LoadedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_wandb()
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "absent"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    hand_over(traced, wandb="robustness")
    assert "failed (ConnectionError: no API key; `wandb login` stores one" in capsys.readouterr().err


@pytest.mark.parametrize("key", TRACKERS)
def test_a_library_that_is_missing_is_one_line_before_anything_is_written(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = replace(TRACKERS[key], module="no_such_module")
    monkeypatch.setitem(TRACKERS, key, missing)
    study, store = tmp_path / "tiny.toml", tmp_path / "store"
    value = "true" if key == "tensorboard" else '"x"'
    study.write_text(PAIR + f"[tracking]\n{key} = {value}\n")
    ran = CliRunner().invoke(main, ["run", str(study), "--store", str(store), "--runner", "inline"])
    assert ran.exit_code == 2
    asks = f"tracking.{key}: {missing.name} is not installed; `uv sync --extra {missing.extra}` installs it"
    assert ran.output.strip().endswith(asks)
    assert len(ran.output.splitlines()) == 1
    assert not store.exists()


def test_a_server_that_is_down_costs_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The discard port of this machine, which refuses."""
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    study, store = tmp_path / "tiny.toml", tmp_path / "store"
    study.write_text(PAIR + '[tracking]\nmlflow = "http://127.0.0.1:9"\ntensorboard = true\n')
    ran = CliRunner().invoke(main, ["run", str(study), "--store", str(store), "--runner", "inline"])
    assert ran.exit_code == 0, ran.output
    assert ran.stderr.count("tracking: MLflow failed") == 1
    assert len(list(store.glob("studies/tiny/tensorboard/*"))) == 2
    assert len(list(store.glob("losses/*.json"))) == 2  # MLflow has not got them yet
    study.write_text(PAIR + "[tracking]\ntensorboard = true\n")
    ran = CliRunner().invoke(main, ["run", str(study), "--store", str(store), "--runner", "inline"])
    assert "nothing to run" in ran.output
    assert len(list(store.glob("studies/tiny/tensorboard/*/*"))) == 2
    assert not list(store.glob("losses/*.json"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wandb": "a/b/c"}, "String should match"),
        ({"mlflow": ""}, "at least 1 character"),
        ({"neptune": "x"}, "Extra inputs"),
    ],
)
def test_what_a_study_file_may_not_say(values: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrackingSection(**values)


def test_nothing_is_tracked_unless_the_study_asks() -> None:
    assert destinations(TrackingSection()) == []
