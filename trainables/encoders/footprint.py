"""The least memory of a training step of each encoder, from shapes alone. Imports no torch.

The numbers are lower limits: weights, with which the gradient and the state of the optimiser grow, and what the
backward pass keeps. Real steps need more. They serve to refuse sizes that no machine holds, never to choose how many
trials fit.
"""

import math
from dataclasses import dataclass

from trainables.config import EncoderConfig

#: Largest images that get the CIFAR stem of the ResNets.
CIFAR_STEM_MAX_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Numbers of an encoder for images of one size. `kept` are the numbers an image that the backward pass needs."""

    weights: int
    kept: int
    h_dim: int


def encoder_footprint(config: EncoderConfig, *, channels: int, size: int) -> Footprint | None:
    """The footprint of a built-in encoder for images of shape (C, size, size); None for the user's own encoder."""
    if config.name == "small_conv":
        return _small_conv(config.width, channels, size)
    if config.name in _RESNETS:
        return _resnet(config.name, size)
    return None


def _small_conv(width: int, channels: int, size: int) -> Footprint:
    """Three 3x3 convolutions with `width`, `2 width` and `4 width` channels; see `SmallConv`."""
    first = size if size < 16 else math.ceil(size / 2)
    second = math.ceil(first / 2)
    third = math.ceil(second / 2)
    outputs = width * (first**2 + 2 * second**2 + 4 * third**2)
    return Footprint(weights=9 * width * (channels + 10 * width), kept=2 * outputs, h_dim=4 * width)


#: Weights, h_dim, and the channels of all convolutions of each of the four stages, by network.
_RESNETS = {
    "resnet18": (11_160_000, 512, (4 * 64, 5 * 128, 5 * 256, 5 * 512)),
    "resnet50": (23_500_000, 2048, (1408, 3584, 10240, 11264)),
}


def _resnet(name: str, size: int) -> Footprint:
    weights, h_dim, channels = _RESNETS[name]
    stem = size if size <= CIFAR_STEM_MAX_SIZE else math.ceil(size / 2)
    side = stem if size <= CIFAR_STEM_MAX_SIZE else math.ceil(stem / 2)
    outputs = 64 * stem**2
    for stage in channels:
        outputs += stage * side**2
        side = math.ceil(side / 2)
    return Footprint(weights=weights, kept=2 * outputs, h_dim=h_dim)
