"""The footprint of an encoder is that of the network, and never above what a training step needs."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from trainables.config import EncoderConfig
from trainables.encoders.encoders import ENCODERS
from trainables.encoders.footprint import encoder_footprint


def convolutions(network: nn.Module) -> Iterator[nn.Conv2d]:
    return (module for module in network.modules() if isinstance(module, nn.Conv2d))


@pytest.mark.parametrize(
    ("name", "width", "channels", "size"),
    [
        ("small_conv", 16, 1, 8),
        ("small_conv", 5, 3, 33),
        ("resnet18", 16, 3, 32),
        ("resnet18", 16, 3, 96),
        ("resnet50", 16, 3, 32),
    ],
)
def test_a_footprint_counts_weights_and_outputs(name: str, width: int, channels: int, size: int) -> None:
    config = EncoderConfig(name=name, width=width)
    network = ENCODERS[name](config, channels, size).eval()
    numbers: list[int] = []
    for module in convolutions(network):
        module.register_forward_hook(lambda _, __, output: numbers.append(output.numel()))
    with torch.no_grad():
        h = network(torch.zeros(1, channels, size, size))
    found = encoder_footprint(config, channels=channels, size=size)
    assert found is not None
    assert found.h_dim == h.shape[1]
    weights = sum(parameter.numel() for parameter in network.parameters())
    assert 0.97 * weights <= found.weights <= weights
    kept = 2 * sum(numbers)  # each convolution's output, and the activation after its batch norm
    assert 0.94 * kept <= found.kept <= kept
    assert name != "small_conv" or found.kept == kept


def test_an_encoder_of_ones_own_has_none() -> None:
    assert encoder_footprint(EncoderConfig(name="my.nets:Net"), channels=3, size=32) is None


def test_every_built_in_encoder_has_one() -> None:
    for name in ENCODERS:
        assert encoder_footprint(EncoderConfig(name=name), channels=3, size=32) is not None
