"""Learning rates follow batch size and step or epoch, and budgets give the right number of steps."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from tests.trainables.training.small import config
from trainables.config import TrainingConfig
from trainables.training.schedule import (
    check_warmup,
    learning_rate_factor,
    peak_learning_rate,
    scheduled_factor,
)

_IMAGES, _BATCH = 83, 8
_AN_EPOCH = 10  # whole batches of 8 in 83 images


def factors(training: TrainingConfig) -> list[float]:
    steps = training.step_count(_IMAGES)
    return [scheduled_factor(training, step, steps, _IMAGES) for step in range(steps)]


def epochs(count: int, **settings: Any) -> TrainingConfig:
    return config(batch_size=_BATCH, steps=None, epochs=count, **settings)


@pytest.mark.parametrize(("rule", "rate"), [("none", 0.4), ("linear", 0.1), ("sqrt", 0.2)])
def test_rate_rules(rule: str, rate: float) -> None:
    assert peak_learning_rate(config(batch_size=64, lr_rule=rule)) == pytest.approx(rate)


def test_warm_up_then_cosine() -> None:
    factors = [learning_rate_factor(step, 100, 10) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.001


def test_no_warm_up() -> None:
    assert learning_rate_factor(0, 10) == 1


def test_other_shapes() -> None:
    linear = [learning_rate_factor(step, 12, 2, "linear") for step in range(12)]
    assert linear == pytest.approx([0.5, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert [learning_rate_factor(step, 4, 2, "constant") for step in range(4)] == [0.5, 1, 1, 1]


def torchs(shape: str, total: int, warmup: int) -> list[float]:
    """The rates of torch's scheduler, stepped `total` times, with a warm-up from 1 / `warmup`."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    left = total - warmup
    fall: lr_scheduler.LRScheduler = {
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, left),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, left),
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, 1.0),
    }[shape]()
    schedule = fall
    if warmup:
        rise = lr_scheduler.LinearLR(optimizer, 1 / warmup, 1.0, max(1, warmup - 1))
        schedule = lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("warmup", [0, 1, 4])
@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_rates_by_epoch_are_torchs_stepped_once_an_epoch(shape: str, warmup: int) -> None:
    """Those of the warm-up are torch's stepped after every step."""
    training = epochs(12, schedule_by="epoch", lr_schedule=shape, warmup_epochs=warmup)
    rising = torchs("constant", 12 * _AN_EPOCH, warmup * _AN_EPOCH)[: warmup * _AN_EPOCH]
    falling = [rate for rate in torchs(shape, 12 - warmup, 0) for _ in range(_AN_EPOCH)]
    assert factors(training) == pytest.approx(rising + falling, abs=1e-12)


def test_one_epoch_of_warm_up_rises_within_that_epoch() -> None:
    found = factors(epochs(4, schedule_by="epoch", warmup_epochs=1))
    assert found[:_AN_EPOCH] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    assert found[_AN_EPOCH::_AN_EPOCH] == pytest.approx([1, 0.75, 0.25])


@pytest.mark.parametrize("warmup", [0, 4])
@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_rates_by_step_are_torchs_stepped_after_every_step(shape: str, warmup: int) -> None:
    training = epochs(12, lr_schedule=shape, warmup_epochs=warmup)
    expected = torchs(shape, 12 * _AN_EPOCH, warmup * _AN_EPOCH)
    assert factors(training) == pytest.approx(expected, abs=1e-12)


def test_a_share_of_the_steps_warms_up_by_epoch_too() -> None:
    """15 of 100 steps: the cosine has the 8.5 epochs that are left."""
    found = factors(epochs(10, schedule_by="epoch", warmup_fraction=0.15))
    assert found[:20] == pytest.approx([*(step / 15 for step in range(1, 16)), 1, 1, 1, 1, 1])
    later = [rate for epoch in range(8) for rate in [learning_rate_factor(epoch + 0.5, 8.5)] * _AN_EPOCH]
    assert found[20:] == pytest.approx(later)


def test_the_last_epoch_of_a_budget_in_steps_may_be_shorter() -> None:
    """25 steps are three epochs, of which the last has five steps."""
    found = factors(config(batch_size=_BATCH, steps=25, schedule_by="epoch", warmup_epochs=1))
    assert found[10:] == [1.0] * 10 + [0.5] * 5
    assert found == factors(
        config(batch_size=_BATCH, steps=None, samples=207, schedule_by="epoch", warmup_epochs=1)
    )


def test_a_warm_up_ends_before_the_budget() -> None:
    check_warmup(config(batch_size=_BATCH, warmup_epochs=2), 21, _IMAGES)
    check_warmup(config(batch_size=_BATCH, warmup_epochs=0), 1, _IMAGES)
    with pytest.raises(
        ValueError, match=r"^training.warmup_epochs: got 2, must be below the budget: 20 steps, "
    ):
        check_warmup(config(batch_size=_BATCH, warmup_epochs=2), 20, _IMAGES)


def test_a_few_timed_steps_of_a_long_warm_up_have_rates() -> None:
    """Timing and measuring shorten a training, whatever its schedule."""
    found = factors(config(batch_size=_BATCH, steps=2, warmup_epochs=5))
    assert found == pytest.approx([1 / 50, 2 / 50])


def test_budgets_leave_short_batches_out() -> None:
    assert config().step_count(20) == 5
    assert config(steps=None, epochs=3).step_count(20) == 6
    assert config(steps=None, samples=30).step_count(20) == 3
