"""Training losses beside the records: each trial of a stack has its own, whole even after a resume."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.tiny_trial import tiny
from trainables.config import TrialConfig, trial_keys
from trainables.loss_trace import LossTrace, mean_points
from trainables.provenance import provenance_of
from trainables.runtime import Runtime
from trainables.store.artefacts import losses_path
from trainables.store.records import RecordStore
from trainables.store.schema import Status, TrialRecord
from trainables.trial import run_trials
from trainables.work import LaunchContext, WorkUnit, run_stack


def run(configs: list[TrialConfig], store: Path, *, traced: bool = True) -> list[TrialRecord]:
    stack = tuple(
        WorkUnit(
            trial_id=trial_keys(each, provenance_of(each, None)).trial_id, attempt=0, config=each, title=""
        )
        for each in configs
    )
    context = LaunchContext(store=RecordStore(store), runtime=Runtime(artefacts=store), traced=traced)
    return list(run_stack(stack, context))


def trace(record: TrialRecord, store: Path) -> list[list[float]]:
    return json.loads(losses_path(store, record.trial_id, record.attempt).read_text())


def test_each_trial_of_a_stack_has_its_own_losses(tmp_path: Path) -> None:
    records = run([tiny(temperature=0.1), tiny(temperature=0.5), tiny(seed=1)], tmp_path)
    assert {record.stack_size for record in records} == {3}
    for record in records:
        steps, losses = zip(*trace(record, tmp_path), strict=True)
        assert steps == (1, 2, 3, 4, 5, 6)
        assert losses[0] == pytest.approx(record.train_loss_first, abs=0)
        assert losses[-1] == pytest.approx(record.train_loss_last, abs=0)


def test_none_are_written_where_nobody_asks(tmp_path: Path) -> None:
    run([tiny()], tmp_path, traced=False)
    assert not (tmp_path / "losses").exists()


def test_a_trial_that_crashes_in_training_leaves_what_it_came_to(tmp_path: Path) -> None:
    trace_ = LossTrace()

    def report(facts: dict[str, object]) -> None:
        trace_(facts)
        if facts["step"] == 4:
            raise RuntimeError("enough")

    (record,) = run_trials([tiny()], report, runtime=Runtime(), attempts=[2])
    assert record.status == Status.CRASHED
    trace_.write(0, record, tmp_path)
    assert [step for step, _ in trace(record, tmp_path)] == [1, 2, 3, 4]


def test_a_resumed_trial_has_the_losses_of_before_too(tmp_path: Path) -> None:
    runtime = Runtime(artefacts=tmp_path, checkpoint_seconds=0.0)

    def stop(facts: dict[str, object]) -> None:
        if facts["step"] == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_trials([tiny()], stop, runtime=runtime, attempts=[0]))
    seen: list[object] = []
    trace_ = LossTrace()
    (record,) = run_trials(
        [tiny()],
        lambda facts: (seen.append(facts["step"]), trace_(facts))[0],
        runtime=runtime,
        attempts=[0],
    )
    trace_.write(0, record, tmp_path)
    assert seen[0] != 1  # it went on
    points = trace(record, tmp_path)
    assert len(points) == 6
    assert points[0][1] == record.train_loss_first


def test_a_folder_that_refuses_costs_the_trace_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "losses").write_text("a file where a folder should be")
    (record,) = run([tiny()], tmp_path)
    assert record.status == Status.OK
    assert "not written" in caplog.text


def test_points_are_means_of_the_steps_between_them() -> None:
    losses = np.arange(1000.0)
    points = mean_points(losses)
    assert len(points) == 200
    assert points[0] == (5, 2.0)
    assert points[-1] == (1000, 997.0)
    assert sum(loss * 5 for _, loss in points) == losses.sum()


def test_points_end_before_the_first_loss_that_is_not_finite() -> None:
    assert mean_points(np.array([1.0, 2.0, math.nan, 3.0])) == [(1, 1.0), (2, 2.0)]
    assert mean_points(np.array([math.inf])) == []
    assert mean_points(np.array([])) == []
