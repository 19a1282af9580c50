"""The fused updates on CUDA are the operators by which they are defined, up to rounding."""

import torch

from tests.trainables.training.on_gpu import (
    assert_fused_adam_is_that_in_turn,
    assert_fused_sgd_is_that_in_turn,
)
from trainables.training.fused_updates import trusted_in_turn, trusted_together


def test_fused_updates_are_those_in_turn() -> None:
    assert_fused_sgd_is_that_in_turn("cpu")
    assert_fused_adam_is_that_in_turn("cpu")


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
