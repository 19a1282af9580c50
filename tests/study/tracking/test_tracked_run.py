"""A tracked run holds settings, finite metrics, tags, times and curves, all from the record."""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.names import visible
from study import kept_files
from study.loaded import LoadedStudy
from study.tracking.tracked_run import TrackedRun, tracked_run
from tests.analysis.hostile import TEXTS
from tests.study.tracking.conftest import PAIR, run_inline_study
from trainables.reading import TEXT_BYTES
from trainables.store.artefacts import curve_path, losses_path

WITH_CURVE = PAIR.replace("steps = 3", "epochs = 2") + "[keep]\ncurve_epochs = 1\n"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedStudy:
    return run_inline_study(tmp_path_factory.mktemp("study"), WITH_CURVE)


def row_of(loaded: LoadedStudy, **changes: Any) -> dict[str, Any]:
    (row,) = loaded.store.read({loaded.plan.trials[0].keys.trial_id}).table.to_pylist()
    return row | changes


def run_of(loaded: LoadedStudy, **changes: Any) -> TrackedRun:
    return tracked_run("tiny", loaded.plan.trials[0], row_of(loaded, **changes), loaded.store.path)


def test_settings_metrics_and_tags(loaded: LoadedStudy) -> None:
    row, run = row_of(loaded), run_of(loaded)
    assert run.title == loaded.plan.trials[0].title
    assert run.settings["arm"] == "ntxent"
    assert run.settings["temperature"] == 0.1
    assert (run.settings["batch_size"], run.settings["seed"]) == (8, 0)
    for name in ("val_probe10_accuracy", "z_effective_rank", "train_loss_last", "seconds_total"):
        assert run.metrics[name] == row[name]
    assert run.tags["trial_id"] == row["trial_id"]
    assert run.tags["status"] == "ok"
    assert run.ended - run.started == pytest.approx(row["seconds_total"], abs=1e-5)
    assert not set(run.metrics) & (set(run.settings) | set(run.tags))
    assert all(math.isfinite(value) for value in run.metrics.values())


def test_numbers_that_are_not_finite_and_absent_ones_are_left_out(loaded: LoadedStudy) -> None:
    run = run_of(loaded, z_uniformity=math.nan, h_alignment=None, hp_other=[("margin", "0.5")])
    assert not {"z_uniformity", "h_alignment"} & set(run.metrics)
    assert run.settings["margin"] == 0.5


@pytest.mark.parametrize("text", [*TEXTS, 100_000 * "x"])
def test_texts_of_records_are_neutral_and_not_long(loaded: LoadedStudy, text: str) -> None:
    run = run_of(loaded, error_message=text, node=text, hp_kernel=text, hp_other=[(text, json.dumps([text]))])
    shown = [*run.tags.values(), *(value for value in run.settings.values() if isinstance(value, str))]
    assert all(visible(value, lines=True) == value and len(value) < 4100 for value in shown)
    assert run.tags["error_message"][:9] == visible(text, lines=True)[:9]
    assert all(re.fullmatch("[A-Za-z0-9_]{1,100}", name) for name in run.settings)


@pytest.mark.parametrize("value", ["no json", "[" * 100_000, '{"a": 1}', "[1]", "null"])
def test_settings_of_a_foreign_form_are_texts(loaded: LoadedStudy, value: str) -> None:
    run = run_of(loaded, hp_other=[("margin", value), ("arm", '"other"'), ("seed", "9")])
    assert run.settings.get("margin", "null")[:20] == value[:20]
    assert (run.settings["arm"], run.settings["seed"]) == ("ntxent", 0)


def test_a_trial_whose_worker_died_has_no_length(loaded: LoadedStudy) -> None:
    run = run_of(loaded, status="crashed", started_at=None, seconds_total=None)
    assert run.started == run.ended > 1e9
    assert not run.has_result


def test_curves_are_by_step(loaded: LoadedStudy) -> None:
    row = row_of(loaded)
    path = losses_path(loaded.store.path, row["trial_id"], 0)
    path.parent.mkdir(exist_ok=True)
    path.write_text("[[1, 3.0], [25, 2.0]]")
    curve = run_of(loaded).curve
    assert list(curve) == sorted(curve)
    assert curve[1] == {"training/loss": 3.0}
    assert (
        curve[25]["training/loss"] == 2.0
    )  # an epoch is 25 batches, so a point of the learning curve as well
    for step in (25, 50):
        assert {"curve/train_loss", "curve/lr", "curve/val_knn_accuracy"} <= set(curve[step])


@pytest.mark.parametrize("content", ["", "[[1", "{}", "[[1]]", "3", "[[Infinity, 1]]", "[" * 100_000])
def test_damaged_losses_are_none(loaded: LoadedStudy, content: str) -> None:
    row = row_of(loaded)
    path: Path = losses_path(loaded.store.path, row["trial_id"], 0)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    curve = run_of(loaded).curve
    assert curve
    assert all("training/loss" not in point for point in curve.values())


@pytest.mark.parametrize("kind", ["pipe", "large", "rows", "columns"])
def test_files_of_a_copied_store_are_bounded(
    kind: str, loaded: LoadedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe is not waited for, and a file above the bounds is not read."""
    row = row_of(loaded)
    losses = losses_path(loaded.store.path, row["trial_id"], 0)
    curve = curve_path(loaded.store.path, row["pretrain_id"])
    losses.parent.mkdir(exist_ok=True)
    losses.unlink(missing_ok=True)
    content = curve.read_bytes()
    try:
        if kind == "pipe":
            curve.unlink()
            os.mkfifo(curve)
            os.mkfifo(losses)
        elif kind == "large":
            os.truncate(curve, 2**28 + 1)
            losses.touch()
            os.truncate(losses, TEXT_BYTES + 1)
        elif kind == "columns":
            pq.write_table(pa.table({"epoch": [1]}), curve)
        else:
            monkeypatch.setattr(kept_files, "_MOST_ROWS", 1)
        assert run_of(loaded).curve == {}
    finally:
        curve.unlink()
        curve.write_bytes(content)
        losses.unlink(missing_ok=True)
    if kind != "rows":
        assert run_of(loaded).curve
