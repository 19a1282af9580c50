"""The evaluated epoch: which one it is, and that neither its choice nor an interruption changes the training."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import trainables.images
from tests.trainables.device.concurrent_trials import group_of, results, run, unit
from tests.trainables.device.device_state import Device
from tests.trainables.stopping import rule
from tests.trainables.tiny_trial import tiny
from tests.trainables.training.small import config, member, train, weights
from trainables.config import Provenance, TrialConfig, trial_keys
from trainables.datasets.datasets import load_dataset
from trainables.evaluation.evaluate import epoch_score
from trainables.images import images_step_work
from trainables.runtime import Runtime
from trainables.store.artefacts import checkpoint_folder
from trainables.store.schema import Status
from trainables.training.checkpoint import load_weights, save_durably
from trainables.trial import run_trial, run_trials, trial_turns

#: 20 images in batches of 8: an epoch has two steps.
STEPS = 2


def told(*scores: float) -> Callable[[Any], float]:
    """A score that has these values, one a call."""
    values: Iterator[float] = iter(scores)
    return lambda model: next(values)


def choosing(
    how: str = "best_test", seed: int = 0, probe: dict[str, Any] | None = None, **training: Any
) -> TrialConfig:
    """A trial of 200 images in batches of 16: an epoch has 12 steps."""
    trial = tiny(seed=seed)
    own = dataclasses.replace(
        trial.task.training, **({"steps": None, "epochs": 5, "evaluated_epoch": how} | training)
    )
    probes = dataclasses.replace(trial.task.probe, **({"suite": ("knn",)} | (probe or {})))
    return dataclasses.replace(trial, task=dataclasses.replace(trial.task, training=own, probe=probes))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The accuracies that choose an epoch, in the order in which they are measured."""
    found: list[float] = []

    def measured(*inputs: Any) -> float:
        found.append(epoch_score(*inputs))
        return found[-1]

    monkeypatch.setattr(trainables.images, "epoch_score", measured)
    return found


def state(model: torch.nn.Module) -> list[Tensor]:
    return list(model.state_dict().values())


@pytest.mark.parametrize(
    ("scores", "epoch"),
    [
        ((0.1, 0.5, 0.3), 2),
        ((0.5, 0.5, 0.5), 1),  # of equal ones, the earlier
        ((0.1, math.nan, 0.3), 3),
        ((math.nan, math.nan, math.nan), None),
    ],
)
def test_the_model_has_the_weights_of_the_best_epoch(scores: tuple[float, ...], epoch: int | None) -> None:
    steps = 3 * STEPS
    at_each: list[list[Tensor]] = []
    values = told(*scores)

    def score(model: torch.nn.Module) -> float:
        at_each.append([value.clone() for value in state(model)])
        return values(model)

    chosen = member(steps=steps)
    (facts,) = train([chosen], epoch_score=score)
    assert facts.best_epoch == epoch
    expected = at_each[-1 if epoch is None else epoch - 1]
    assert all(torch.equal(own, other) for own, other in zip(state(chosen.model), expected, strict=True))
    # the last of these is where a training without a choice ends, batch norms included
    plain = member(steps=steps)
    train([plain])
    assert all(torch.equal(own, other) for own, other in zip(at_each[-1], state(plain.model), strict=True))


def test_an_epoch_that_the_budget_cuts_short_counts() -> None:
    scores = told(0.1, 0.2, 0.9)
    (facts,) = train([member(steps=2 * STEPS + 1)], epoch_score=scores)
    assert facts.best_epoch == 3
    assert config(steps=2 * STEPS + 1).epoch_steps(20) == STEPS


def test_each_member_of_a_stack_has_its_own_best_epoch() -> None:
    together = [member(seed, steps=3 * STEPS) for seed in range(3)]
    # of the three members in turn, after each of three epochs
    facts = train(together, epoch_score=told(0.9, 0.1, 0.2, 0.5, 0.8, 0.3, 0.4, 0.6, 0.7))
    assert [each.best_epoch for each in facts] == [1, 2, 3]
    plain = [member(seed, steps=3 * STEPS) for seed in range(3)]
    train(plain)
    assert torch.equal(weights(together[2]), weights(plain[2]))
    assert not torch.equal(weights(together[0]), weights(plain[0]))
    first = member(0, steps=3 * STEPS)
    train([first], epoch_score=told(0.9, 0.5, 0.4))
    torch.testing.assert_close(weights(together[0]), weights(first), rtol=1e-4, atol=1e-5)


def test_a_diverged_member_is_neither_scored_nor_changed() -> None:
    def explodes(z_a: Tensor, z_b: Tensor) -> Tensor:
        return (z_a * z_b).sum() * math.nan

    scores = told(0.5, 0.4, 0.3)  # another call would fail
    facts = train([member(0, steps=3 * STEPS), member(1, explodes, steps=3 * STEPS)], epoch_score=scores)
    assert [each.diverged for each in facts] == [False, True]
    assert [each.best_epoch for each in facts] == [1, None]


@pytest.mark.parametrize("how", ["best_validation", "best_test"])
def test_the_record_has_the_scores_of_that_epoch(how: str, seen: list[float]) -> None:
    record = run_trial(choosing(how, seed=3))
    assert len(seen) == 5
    assert record.best_epoch == 1 + seen.index(max(seen)) < 5
    kept = record.val_knn_accuracy if how == "best_validation" else record.test_knn_accuracy
    assert kept == max(seen) > seen[-1]
    last = run_trial(choosing("last", seed=3))
    assert (last.test_knn_accuracy if how == "best_test" else last.val_knn_accuracy) == seen[-1]
    assert last.best_epoch is None
    assert (record.train_loss_last, record.steps_done) == (last.train_loss_last, last.steps_done)


def stop_in_the_middle(configs: list[TrialConfig], runtime: Runtime, turns: int) -> None:
    """Run so many turns of the trials, then end them as a launch that is interrupted does."""
    running = trial_turns(configs, runtime=runtime, attempts=[0] * len(configs))
    for _ in range(turns):
        next(running)
    running.close()


@pytest.mark.parametrize("count", [1, 3], ids=["one", "stack"])
@pytest.mark.parametrize("turns", [5, 30, 50])
def test_after_an_interruption_the_record_is_the_same(
    count: int, turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the five epochs, none is measured in the first 5 turns, two in the first 30, and four in the first 50."""
    configs = [choosing(seed=3 - number) for number in range(count)]
    whole = list(run_trials(configs, attempts=[0] * count))
    runtime = Runtime(artefacts=tmp_path)
    stop_in_the_middle(configs, runtime, turns)
    calls: list[object] = []
    monkeypatch.setattr(
        trainables.images, "epoch_score", lambda *inputs: calls.append(0) or epoch_score(*inputs)
    )
    resumed = list(run_trials(configs, runtime=runtime, attempts=[0] * count))
    assert len(calls) == (5 - turns // 12) * count  # what was measured before is not measured again
    assert [results(each) for each in resumed] == [results(each) for each in whole]
    assert whole[0].best_epoch == 3


def test_a_checkpoint_without_the_best_epoch_starts_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = Runtime(artefacts=tmp_path)
    stop_in_the_middle([choosing(seed=1)], runtime, 30)
    (path,) = checkpoint_folder(tmp_path).iterdir()
    kept = load_weights(path)
    assert kept.pop("best")[0]["epoch"] == 1
    save_durably(kept, path)
    assert results(run_trial(choosing(seed=1), runtime=runtime)) == results(run_trial(choosing(seed=1)))
    assert caplog.messages == ["'best'; training starts again from step 0"]


def test_a_kept_encoder_is_that_of_the_best_epoch(tmp_path: Path) -> None:
    runtime = Runtime(artefacts=tmp_path, keep_encoders=True)
    first = run_trial(choosing(), runtime=runtime)
    other = choosing(probe={"suite": ("knn", "probe10")})
    steps: list[object] = []
    again = run_trial(other, steps.append, runtime=runtime)
    assert steps == []
    assert (again.best_epoch, again.test_knn_accuracy) == (
        first.best_epoch,
        first.test_knn_accuracy,
    )


def test_what_chooses_the_epoch_is_part_of_the_encoder() -> None:
    def pretrain_id(how: str, **probe: Any) -> str:
        return trial_keys(choosing(how, probe=probe), Provenance()).pretrain_id

    assert pretrain_id("last", knn_k=5) == pretrain_id("last")
    assert pretrain_id("best_test", knn_k=5) != pretrain_id("best_test")
    assert pretrain_id("best_test", suite=("knn", "probe5")) == pretrain_id("best_test")
    assert len({pretrain_id(how) for how in ("last", "best_validation", "best_test")}) == 3


def test_a_trial_that_stops_early_has_no_evaluated_epoch(tmp_path: Path) -> None:
    """The rungs compare the weights at the rung; a trial that goes on is evaluated at its best epoch."""
    own = rule("own", tmp_path, min_resource=2)
    runtime = Runtime(artefacts=tmp_path, early_stopping=own)
    trial = choosing(epochs=4)
    assert results(run_trial(trial, runtime=runtime)) == results(run_trial(trial))
    for number in range(2):
        (tmp_path / own.folder / "2" / f"other{number}.0").write_text("1.5")
    stopped = run_trial(dataclasses.replace(trial, seed=1), runtime=runtime)
    assert (stopped.status, stopped.best_epoch) == (Status.PRUNED, None)


@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_trials_that_share_a_gpu_have_the_epochs_that_they_have_alone(
    cuda: Device, tmp_path: Path, execution: str
) -> None:
    configs = [choosing(seed=seed, epochs=3, batch_size=16 * (seed + 1)) for seed in range(2)]
    records = run(group_of(tmp_path, execution=execution), [unit(each) for each in configs])
    found = {record.trial_id: results(record) for record in records}
    for each in configs:
        alone = run_trial(each)
        assert found[alone.trial_id] == results(alone)
        assert alone.best_epoch is not None


def test_a_trial_that_continues_on_a_gpu_has_the_epoch_of_the_cpu(cuda: Device, tmp_path: Path) -> None:
    trial = choosing(seed=3)
    runtime = Runtime(device="cuda", execution="graphed", artefacts=tmp_path)
    stop_in_the_middle([trial], runtime, 40)
    assert results(run_trial(trial, runtime=runtime)) == results(run_trial(trial))


def test_planning_counts_the_passes_over_the_images() -> None:
    plain, chosen = choosing("last").task, choosing("best_validation").task
    info = load_dataset(chosen.data, None).info
    # per step of 32 views, with a gradient that counts as two more passes
    passes = (info.n_train + info.n_val) / 12
    assert images_step_work(plain, Runtime()) == 1
    assert images_step_work(chosen, Runtime()) == pytest.approx(1 + passes / (3 * 32))
