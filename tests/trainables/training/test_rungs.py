"""Early stopping inside a trial: what it leaves, and that a trial that goes on is the same as without it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.device.concurrent_trials import results
from tests.trainables.stopping import rule
from tests.trainables.tiny_trial import tiny
from trainables.config import trial_keys
from trainables.provenance import provenance_of
from trainables.runtime import Runtime
from trainables.store.artefacts import curve_path, kept_path
from trainables.store.records import RecordStore
from trainables.store.schema import Status
from trainables.trial import run_trial
from trainables.work import LaunchContext, WorkUnit, run_stack


def under(store: Path, configuration: str = "own", **changes: Any) -> Runtime:
    return Runtime(
        artefacts=store, early_stopping=rule(configuration, store, **({"min_resource": 2} | changes))
    )


def tell(store: Path, rung: int, *scores: float) -> None:
    """What other configurations scored at a rung."""
    folder = store / "studies" / "tiny" / "rungs" / "0" / str(rung)
    folder.mkdir(parents=True, exist_ok=True)
    for number, score in enumerate(scores):
        (folder / f"other{number}.0").write_text(repr(score))


def test_a_trial_that_goes_on_is_the_same_to_the_bit(tmp_path: Path) -> None:
    watched = run_trial(tiny(), runtime=under(tmp_path))
    assert len(list((tmp_path / "studies/tiny/rungs/0").iterdir())) == 2  # rungs 2 and 4 of 6 steps
    assert watched.status == Status.OK
    assert results(watched) == results(run_trial(tiny()))


@pytest.mark.parametrize("rung", [2, 4])
def test_a_stopped_trial_leaves_what_is_known(rung: int, tmp_path: Path) -> None:
    tell(tmp_path, rung, 1.5, 1.5)
    runtime = dataclasses.replace(under(tmp_path), keep_encoders=True, curve_epochs=1)
    steps: list[dict[str, Any]] = []
    record = run_trial(tiny(), steps.append, runtime=runtime, attempt=3)
    assert (record.status, record.attempt) == (Status.PRUNED, 3)
    assert (record.pruned_by, record.rung) == ("tiny: ntxent (0)", rung)
    assert record.rung_score is not None
    assert 0.1 < record.rung_score < 1.0
    assert (
        record.error_message == f"place 3 of 3 configurations at rung {rung}, score {record.rung_score:.4f}"
    )
    assert record.error_class is record.error_traceback is None
    assert len(steps) == record.steps_done == rung
    assert record.steps_planned == 6
    assert record.train_loss_first is not None
    assert record.seconds_total is not None
    assert record.seconds_evaluate is record.val_knn_accuracy is record.test_knn_accuracy is None
    assert not kept_path(tmp_path, record.pretrain_id).exists()
    assert curve_path(tmp_path, record.pretrain_id).exists()


def test_a_seed_of_a_stopped_configuration_takes_no_step(tmp_path: Path) -> None:
    tell(tmp_path, 2, 1.5)
    assert run_trial(tiny(), runtime=under(tmp_path)).status == Status.PRUNED
    steps: list[dict[str, Any]] = []
    record = run_trial(tiny(seed=1), steps.append, runtime=under(tmp_path))
    assert (record.status, record.steps_done, record.rung, record.rung_score) == (
        Status.PRUNED,
        0,
        None,
        None,
    )
    assert steps == []


def test_a_trial_that_diverges_is_no_stopped_one(tmp_path: Path) -> None:
    """Not even where it would have been stopped: its last loss before the rung is not finite."""
    tell(tmp_path, 2, 1.5)
    config = tiny()
    training = dataclasses.replace(config.task.training, lr=1e30)
    config = dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))
    record = run_trial(config, runtime=under(tmp_path))
    assert record.status == Status.DIVERGED
    assert record.pruned_by is None


def unit(store: Path) -> WorkUnit:
    config = tiny()
    keys = trial_keys(config, provenance_of(config, None))
    early_stopping = under(store).early_stopping
    return WorkUnit(trial_id=keys.trial_id, attempt=0, config=config, title="", early_stopping=early_stopping)


def test_a_worker_puts_the_stop_and_drops_the_checkpoint(tmp_path: Path) -> None:
    tell(tmp_path, 4, 1.5)
    runtime = Runtime(artefacts=tmp_path, checkpoint_seconds=1e-9)
    (record,) = run_stack((unit(tmp_path),), LaunchContext(store=RecordStore(tmp_path), runtime=runtime))
    assert record.steps_done == 4
    assert RecordStore(tmp_path).read().statuses() == {record.trial_id: Status.PRUNED}
    assert (tmp_path / "checkpoints").is_dir()  # some were written on the way
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_an_interrupted_trial_goes_on_to_the_same_stop(tmp_path: Path) -> None:
    """From its checkpoint, past the rung that it has passed, to the one where it is stopped."""
    tell(tmp_path, 4, 1.5)
    runtime = dataclasses.replace(under(tmp_path), checkpoint_seconds=1e-9)

    def interrupt(facts: dict[str, Any]) -> None:
        if facts["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(tiny(), interrupt, runtime=runtime)
    steps: list[dict[str, Any]] = []
    again = run_trial(tiny(), steps.append, runtime=runtime)
    assert [facts["step"] for facts in steps] == [3, 4]
    assert (again.status, again.rung) == (Status.PRUNED, 4)
