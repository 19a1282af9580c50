"""SGD as torch has it, LARS as its paper has it, and neither knows that members are stacked."""

import pytest
import torch
from torch import nn

from tests.trainables.training.small import config, small_model
from trainables.training.optimizer import StackedOptimizer
from trainables.training.stacked_model import stack_models


def give_gradients(parameters: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_sgd_is_torchs() -> None:
    training = config(weight_decay=0.1, lr_rule="none")
    ours, theirs = list(small_model().parameters()), list(small_model().parameters())
    optimizer = StackedOptimizer(ours, [training])
    groups = [
        {"params": [p for p in theirs if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in theirs if p.ndim == 1], "weight_decay": 0.0},
    ]
    reference = torch.optim.SGD(groups, lr=training.lr, momentum=training.momentum)
    for step, factor in enumerate((1.0, 0.5, 0.25)):
        for group in reference.param_groups:
            group["lr"] = training.lr * factor
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer.step(torch.tensor(factor))
        reference.step()
        for own, given in zip(ours, theirs, strict=True):
            torch.testing.assert_close(own, given)


def test_lars_is_its_papers() -> None:
    training = config(optimizer="lars", weight_decay=0.1, lr_rule="none", lars_trust=0.01)
    weight, bias = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3))
    first_weight, first_bias = weight.detach().clone(), bias.detach().clone()
    optimizer = StackedOptimizer([weight, bias], [training])
    give_gradients([weight, bias], 0)
    assert weight.grad is not None
    assert bias.grad is not None
    optimizer.step(torch.tensor(1.0))
    pull = weight.grad + 0.1 * first_weight
    local_rate = 0.01 * first_weight.norm() / pull.norm()
    torch.testing.assert_close(weight.detach(), first_weight - training.lr * local_rate * pull)
    torch.testing.assert_close(bias.detach(), first_bias - training.lr * bias.grad)


def test_lars_moves_a_layer_of_zeros() -> None:
    weight = nn.Parameter(torch.zeros(3, 2))
    optimizer = StackedOptimizer([weight], [config(optimizer="lars", lr_rule="none")])
    give_gradients([weight], 0)
    optimizer.step(torch.tensor(1.0))
    assert weight.grad is not None
    torch.testing.assert_close(weight.detach(), -0.4 * weight.grad)


@pytest.mark.parametrize("name", ["sgd", "lars"])
def test_every_member_has_its_own_rate_and_norms(name: str) -> None:
    rates = (0.1, 0.4, 2.0)
    trainings = [config(optimizer=name, weight_decay=0.1, lr=rate) for rate in rates]
    models = [small_model(seed) for seed in range(3)]
    stacked = stack_models(models)
    together = StackedOptimizer(stacked.parameters(), trainings)
    alone = [
        StackedOptimizer(model.parameters(), [each]) for model, each in zip(models, trainings, strict=True)
    ]
    for step in range(2):
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
