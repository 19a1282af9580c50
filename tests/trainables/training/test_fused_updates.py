"""The fused updates on CUDA are the operators by which they are defined, up to rounding."""

import torch

from tests.trainables.training.small import config
from trainables.training.fused_updates import (
    fused_kernel,
    operators_in_turn,
    trusted_in_turn,
    trusted_together,
)


def test_the_fused_update_is_that_of_the_operators_in_turn() -> None:
    generator = torch.Generator().manual_seed(0)
    training, found = config(weight_decay=0.1), []
    values = [torch.randn(3, 4, 5, 5, generator=generator), torch.randn(7, generator=generator)]
    for update in (operators_in_turn, fused_kernel):
        parameters = [value.clone(memory_format=torch.preserve_format) for value in values]
        parameters[0] = parameters[0].to(memory_format=torch.channels_last)
        momenta = [torch.zeros_like(each) for each in parameters]
        steps = torch.Generator().manual_seed(1)
        for _ in range(3):  # gradients are contiguous, so the first has other strides than its parameter
            gradients = [torch.randn(value.shape, generator=steps) for value in values]
            update(parameters, gradients, momenta, torch.tensor(0.3), momentum=training.momentum, decay=0.1)
        found.append([*parameters, *momenta])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_trust_ratios_together_are_those_in_turn() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(3, 4, 5, 5, generator=generator), torch.randn(7, 2, generator=generator)]
    weights.append(torch.zeros(2, 2))
    gradients = [torch.randn(each.shape, generator=generator) for each in weights]
    gradients[0] = gradients[0].to(memory_format=torch.channels_last)
    found, expected = (form(weights, gradients, 0.01) for form in (trusted_together, trusted_in_turn))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert torch.equal(found[2], gradients[2])  # zero weights
