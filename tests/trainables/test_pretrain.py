"""Pre-training: schedule, batches, decay groups, and where it stops."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from trainables.config import DataConfig, EncoderConfig, TrainingConfig
from trainables.datasets.catalogue import load_dataset
from trainables.encoders.catalogue import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.losses import build_loss
from trainables.pretrain import (
    PretrainFacts,
    batches,
    build_optimizer,
    learning_rate_factor,
    peak_learning_rate,
    pretrain,
)
from trainables.views.catalogue import build_views


def config(**changes: object) -> TrainingConfig:
    return TrainingConfig(**({"batch_size": 8, "lr": 0.4, "steps": 5} | changes))  # type: ignore[arg-type]


def small_model() -> ContrastiveModel:
    encoder = EncoderConfig(name="small_conv", width=4, projection_dim=8)
    return build_model(encoder, channels=1, size=8, seed_generator=torch.Generator().manual_seed(0))


def run(model: ContrastiveModel, training: TrainingConfig, loss: object = None) -> PretrainFacts:
    digits = load_dataset(DataConfig(name="digits", train_limit=20), None).train.images
    return pretrain(
        model,
        torch.from_numpy(digits),
        loss or build_loss("ntxent"),  # type: ignore[arg-type]
        build_views("digits", channels=1, size=8),
        training,
        order=torch.Generator().manual_seed(2),
        view_randomness=torch.Generator().manual_seed(3),
        report=lambda facts: None,
    )


@pytest.mark.parametrize(("rule", "rate"), [("none", 0.4), ("linear", 0.1), ("sqrt", 0.2)])
def test_rate_rules(rule: str, rate: float) -> None:
    assert peak_learning_rate(config(batch_size=64, lr_rule=rule)) == pytest.approx(rate)


def test_warm_up_then_cosine() -> None:
    factors = [learning_rate_factor(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.001


def test_no_warm_up() -> None:
    assert learning_rate_factor(0, 10, 0.0) == 1


def test_budget_in_epochs_leaves_short_batches_out() -> None:
    assert config(steps=None, epochs=3).step_count(20) == 6
    assert config(steps=None, samples=30).step_count(20) == 30 // config().batch_size
    assert config().step_count(20) == 5


def test_an_epoch_sees_every_image_at_most_once() -> None:
    drawn = list(itertools.islice(batches(20, 8, torch.Generator().manual_seed(0)), 4))
    assert [len(batch) for batch in drawn] == [8, 8, 8, 8]
    first, second = torch.cat(drawn[:2]), torch.cat(drawn[2:])
    assert len(set(first.tolist())) == len(set(second.tolist())) == 16
    assert not torch.equal(first, second)


def test_batch_norm_and_biases_are_not_decayed() -> None:
    model = small_model()
    optimizer, _ = build_optimizer(model, config(weight_decay=0.1), total=5)
    decayed, free = optimizer.param_groups
    assert decayed["weight_decay"] == 0.1
    assert free["weight_decay"] == 0
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert all(parameter.ndim == 1 for parameter in free["params"])
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))


def test_training_lowers_the_loss() -> None:
    facts = run(small_model(), config(steps=150))
    assert facts.steps_done == facts.steps_planned == 150
    assert facts.samples_seen == 1200
    assert not facts.diverged
    assert facts.train_loss_first is not None
    assert facts.train_loss_last is not None
    assert facts.train_loss_last < facts.train_loss_first - 0.1


def test_a_non_finite_loss_ends_training_at_once() -> None:
    calls = itertools.count()

    def explodes(z_a: Tensor, z_b: Tensor) -> Tensor:
        return (z_a * z_b).sum() * (math.nan if next(calls) == 3 else 1.0)

    model = small_model()
    facts = run(model, config(), explodes)
    assert facts.diverged
    assert (facts.steps_done, facts.samples_seen) == (3, 24)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_the_loss_sees_unit_norm_rows() -> None:
    seen: list[Tensor] = []

    def watches(z_a: Tensor, z_b: Tensor) -> Tensor:
        seen.extend((z_a.detach(), z_b.detach()))
        return (z_a - z_b).square().sum()

    run(small_model(), config(steps=1), watches)
    for z in seen:
        assert z.shape == (8, 8)
        torch.testing.assert_close(z.norm(dim=1), torch.ones(8))
    assert not torch.equal(*seen)


def test_losses_with_one_gradient_train_one_network() -> None:
    """The null control: FlatNCE and DCL end at the same weights, to the bit."""
    one, other = small_model(), small_model()
    run(one, config(steps=20), build_loss("flatnce", temperature=0.1))
    run(other, config(steps=20), build_loss("dcl", temperature=0.1))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
