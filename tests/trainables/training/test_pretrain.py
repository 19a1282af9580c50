"""Pre-training: alone or stacked, and where it stops."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from tests.trainables.training.on_gpu import assert_equals_eager
from tests.trainables.training.small import config, member, train, weights
from trainables.losses import build_loss
from trainables.training.member import Member
from trainables.training.step import group_losses


def test_training_lowers_the_loss() -> None:
    (facts,) = train([member(steps=150)])
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

    (facts,) = train([member(loss=explodes, steps=50)])
    assert facts.diverged
    assert (facts.steps_done, facts.samples_seen) == (3, 24)
    assert next(calls) == 4


def test_the_loss_sees_unit_norm_rows() -> None:
    seen: list[Tensor] = []

    def watches(z_a: Tensor, z_b: Tensor) -> Tensor:
        seen.extend((z_a.detach(), z_b.detach()))
        return (z_a - z_b).square().sum()

    train([member(loss=watches, steps=1)])
    for z in seen:
        assert z.shape == (8, 8)
        torch.testing.assert_close(z.norm(dim=1), torch.ones(8))
    assert not torch.equal(*seen)


def test_losses_with_one_gradient_train_one_network() -> None:
    """The null control: FlatNCE and DCL end at the same weights, to the bit, alone and in a stack."""
    for together in (False, True):
        pair = [member(loss=build_loss(name, temperature=0.1), steps=20) for name in ("flatnce", "dcl")]
        for group in [pair] if together else [[one] for one in pair]:
            train(group)
        assert torch.equal(weights(pair[0]), weights(pair[1]))


@dataclass(frozen=True)
class OwnLoss:
    """A loss that knows nothing of stacks."""

    margin: float = 0.1

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        assert z_a.ndim == 2
        return ((z_a - z_b).square().sum(1) + self.margin).mean()


def crowd(count: int, **changes: object) -> list[Member]:
    """Members of different seeds, losses, temperatures and rates."""
    losses = [
        build_loss("ntxent", temperature=0.1), build_loss("ntxent", temperature=0.5),
        build_loss("kcl", t=1.0), build_loss("kcl", kernel="log"), OwnLoss(), OwnLoss(margin=0.5),
        build_loss("dhel"), build_loss("infonce", temperature=0.05),
    ]  # fmt: skip
    return [member(index % 3, losses[index], lr=0.1 * (index + 1), **changes) for index in range(count)]


@pytest.mark.parametrize("optimizer", ["sgd", "lars"])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_a_stack_trains_its_members_as_they_would_alone(count: int, optimizer: str) -> None:
    """Over the first steps; beyond, rounding grows as it does between any two machines."""
    stacked, alone = crowd(count, optimizer=optimizer), crowd(count, optimizer=optimizer)
    together = train(stacked)
    for one, other, facts in zip(stacked, alone, together, strict=True):
        (own,) = train([other])
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-4)
        assert facts.train_loss_first == pytest.approx(own.train_loss_first, rel=1e-5)
        assert facts.train_loss_last == pytest.approx(own.train_loss_last, rel=1e-3, abs=1e-4)
        assert (facts.steps_done, facts.samples_seen) == (own.steps_done, own.samples_seen)
        for name, value in other.model.named_buffers():
            torch.testing.assert_close(dict(one.model.named_buffers())[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_stack_of_adam_trains_its_members_as_they_would_alone(optimizer: str) -> None:
    settings = {"optimizer": optimizer, "weight_decay": 0.1, "decayed": "all", "adam_eps": 1e-3}
    stacked, alone = crowd(3, **settings), crowd(3, **settings)
    together = train(stacked)
    for one, other, facts in zip(stacked, alone, together, strict=True):
        (own,) = train([other])
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-3, atol=1e-3)
        assert facts.train_loss_last == pytest.approx(own.train_loss_last, rel=1e-3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_steps_have_the_rates_of_the_schedule(optimizer: str) -> None:
    """A warm-up over one epoch of two steps begins at half of the rate."""
    settings = {"optimizer": optimizer, "weight_decay": 0.0, "steps": 1}
    warm = member(lr=0.02, warmup_epochs=1, **settings)
    half = member(lr=0.01, warmup_fraction=0.0, lr_schedule="constant", **settings)
    train([warm])
    train([half])
    torch.testing.assert_close(weights(warm), weights(half), rtol=0, atol=1e-8)
    assert not torch.equal(weights(warm), weights(member()))


def test_a_diverged_member_leaves_the_others_alone() -> None:
    class Explodes:
        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
            self.calls += 1
            return (z_a * z_b).sum() * (math.nan if self.calls > 2 else 1.0)

    with_it = [member(0), member(1, Explodes()), member(2)]
    without = [member(0), member(1), member(2)]
    facts = train(with_it)
    train(without)
    assert [each.diverged for each in facts] == [False, True, False]
    assert [each.steps_done for each in facts] == [5, 2, 5]
    for index in (0, 2):
        torch.testing.assert_close(weights(with_it[index]), weights(without[index]), rtol=1e-6, atol=1e-7)


def test_members_of_one_seed_see_the_same_images() -> None:
    seen: dict[int, list[Tensor]] = {}

    class Watches:
        def __init__(self, who: int) -> None:
            self.who = who

        def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
            seen.setdefault(self.who, []).append(z_a.detach())
            return (z_a - z_b).square().sum()

    train([member(seed, Watches(who)) for who, seed in enumerate((0, 1, 0))])
    assert torch.equal(seen[0][0], seen[2][0])
    assert not torch.equal(seen[0][0], seen[1][0])


def test_neighbours_of_one_kind_are_computed_in_one_call() -> None:
    losses = [each.loss for each in crowd(8)]
    # two temperatures of NT-Xent; two kernels of KCL apart; a user's own, which differ in numbers only
    assert [part.stop - part.start for part, _ in group_losses(losses)] == [2, 1, 1, 2, 1, 1]


def test_bfloat16_is_close_to_float32() -> None:
    (half,), (full,) = train([member(precision="bfloat16")]), train([member()])
    assert half.train_loss_first != full.train_loss_first
    assert half.train_loss_first == pytest.approx(full.train_loss_first, rel=0.02)


def test_tf32_needs_a_device_that_has_it() -> None:
    with pytest.raises(ValueError, match="precision: got tf32 on cpu"):
        train([member(precision="tf32")])


def test_graphs_need_a_device_that_has_them() -> None:
    with pytest.raises(ValueError, match="execution: got graphed on cpu"):
        train([member()], execution="graphed")
    with pytest.raises(ValueError, match="execution: got 'fast'; allowed are eager"):
        train([member()], execution="fast")


@pytest.mark.slow
def test_compiled_steps_change_nothing_beyond_rounding() -> None:
    compiled, eager = [member(0), member(1)], [member(0), member(1)]
    train(compiled, execution="compiled")
    train(eager)
    for one, other in zip(compiled, eager, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("execution", ["graphed", "compiled_graphed"])
def test_graphed_steps_change_nothing_beyond_rounding(execution: str) -> None:
    assert_equals_eager(execution)


@pytest.mark.slow
def test_a_stack_ends_where_its_members_would_in_distribution() -> None:
    """Final losses over seeds: rounding has grown to visible differences, with no direction to them."""
    seeds = range(16)
    together = train([member(seed, steps=150, lr=0.1) for seed in seeds])
    apart = [train([member(seed, steps=150, lr=0.1)])[0] for seed in seeds]
    stacked, alone = (np.array([each.train_loss_last for each in facts]) for facts in (together, apart))
    assert stats.ttest_rel(stacked, alone).pvalue > 0.01
    assert stats.ks_2samp(stacked, alone).pvalue > 0.01
    low, high = stats.t.interval(0.99, 15, (stacked - alone).mean(), stats.sem(stacked - alone))
    assert max(-low, high) < 0.2 * alone.std(ddof=1)  # a difference that mattered would have shown


def test_the_number_of_steps_may_be_zero() -> None:
    (facts,) = train([member(steps=None, samples=config().batch_size - 1)])
    assert (facts.steps_planned, facts.steps_done, facts.diverged) == (0, 0, False)
    assert facts.train_loss_first is None
