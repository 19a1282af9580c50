"""Each optimiser is torch's, LARS its paper's, and none knows that members are stacked."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.trainables.training.small import config, small_model
from trainables.training.optimizer import StackedOptimizer
from trainables.training.stacked_model import stack_models

_STEPS = 300


def give_gradients(parameters: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


#: Torch's optimiser of each name, with its settings.
TORCHS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9}, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {}, {}),
    "adamw": (torch.optim.AdamW, {}, {}),
    "adam with other numbers": (
        torch.optim.Adam,
        {"betas": (0.5, 0.9), "eps": 1e-3},
        {"adam_beta1": 0.5, "adam_beta2": 0.9, "adam_eps": 1e-3},
    ),
}


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("decayed", ["weights", "all"])
@pytest.mark.parametrize("name", TORCHS)
def test_an_optimizer_is_torchs_over_many_steps(name: str, decayed: str, weight_decay: float) -> None:
    build, numbers, settings = TORCHS[name]
    training = config(
        optimizer=name.partition(" ")[0], weight_decay=weight_decay, decayed=decayed, lr_rule="none", lr=0.02,
        **settings,
    )  # fmt: skip
    ours, theirs = list(small_model().parameters()), list(small_model().parameters())
    optimizer = StackedOptimizer(ours, [training])
    groups = [
        {"params": [p for p in theirs if p.ndim > 1], "weight_decay": weight_decay},
        {
            "params": [p for p in theirs if p.ndim == 1],
            "weight_decay": weight_decay if decayed == "all" else 0.0,
        },
    ]
    reference = build(groups, lr=training.lr, **numbers)
    for step in range(_STEPS):
        factor = 1 - step / _STEPS
        for group in reference.param_groups:
            group["lr"] = training.lr * factor
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer.step(torch.tensor(factor))
        reference.step()
    for own, given in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, given, rtol=2e-5, atol=2e-6)


def test_early_steps_of_adam_are_corrected_in_double_precision() -> None:
    """In float32, 1 - 0.999 is wrong by one part in 80,000, and so is the first step."""
    weight = nn.Parameter(torch.zeros(2, 2))
    optimizer = StackedOptimizer([weight], [config(optimizer="adam", lr_rule="none", lr=1.0)])
    weight.grad = torch.full((2, 2), 3.0)
    optimizer.step(torch.tensor(1.0))
    torch.testing.assert_close(weight.detach(), torch.full((2, 2), -1.0), rtol=3e-7, atol=0)


@pytest.mark.parametrize("decayed", ["weights", "all"])
def test_lars_is_its_papers(decayed: str) -> None:
    training = config(optimizer="lars", weight_decay=0.1, lr_rule="none", lars_trust=0.01, decayed=decayed)
    weight, bias = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3))
    before = [weight.detach().clone(), bias.detach().clone()]
    optimizer = StackedOptimizer([weight, bias], [training])
    give_gradients([weight, bias], 0)
    optimizer.step(torch.tensor(1.0))
    for after, first in zip((weight, bias), before, strict=True):
        assert after.grad is not None
        pull, ratio = after.grad, torch.tensor(1.0)
        if after is weight or decayed == "all":
            pull = after.grad + 0.1 * first
            ratio = 0.01 * first.norm() / pull.norm()
        torch.testing.assert_close(after.detach(), first - training.lr * ratio * pull)


def test_lars_moves_a_layer_of_zeros() -> None:
    weight = nn.Parameter(torch.zeros(3, 2))
    optimizer = StackedOptimizer([weight], [config(optimizer="lars", lr_rule="none")])
    give_gradients([weight], 0)
    optimizer.step(torch.tensor(1.0))
    assert weight.grad is not None
    torch.testing.assert_close(weight.detach(), -0.4 * weight.grad)


@pytest.mark.parametrize("decayed", ["weights", "all"])
@pytest.mark.parametrize("name", ["sgd", "lars", "adam", "adamw"])
def test_every_member_has_its_own_rate_and_norms(name: str, decayed: str) -> None:
    rates = (0.01, 0.04, 0.2)
    trainings = [config(optimizer=name, weight_decay=0.1, lr=rate, decayed=decayed) for rate in rates]
    models = [small_model(seed) for seed in range(3)]
    stacked = stack_models(models)
    together = StackedOptimizer(stacked.parameters(), trainings)
    alone = [
        StackedOptimizer(model.parameters(), [each]) for model, each in zip(models, trainings, strict=True)
    ]
    for step in range(20):
        for index, model in enumerate(models):
            give_gradients(list(model.parameters()), 10 * step + index)
        for parameter, *own in zip(
            stacked.parameters(), *(model.parameters() for model in models), strict=True
        ):
            parameter.grad = torch.cat([each.grad for each in own if each.grad is not None])
        together.step(torch.tensor(0.5))
        for optimizer in alone:
            optimizer.step(torch.tensor(0.5))
    for parameter, *own in zip(stacked.parameters(), *(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(parameter.detach(), torch.cat([each.detach() for each in own]))


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_an_optimizer_continues_from_its_state(name: str) -> None:
    """The state is copied into tensors that a captured graph refers to."""
    whole, resumed = list(small_model().parameters()), list(small_model().parameters())
    first, second = (StackedOptimizer(each, [config(optimizer=name)]) for each in (whole, resumed))
    tensors = second.state()
    for step in range(4):
        if step == 2:
            with torch.no_grad():
                for own, given in zip(resumed, whole, strict=True):
                    own.copy_(given)
            second.restore([each.clone() for each in first.state()])
        for optimizer, parameters in ((first, whole), (second, resumed)):
            if optimizer is first or step >= 2:
                give_gradients(parameters, step)
                optimizer.step(torch.tensor(1.0))
    assert all(own is kept for own, kept in zip(second.state(), tensors, strict=True))
    for own, given in zip(resumed, whole, strict=True):
        assert torch.equal(own, given)
