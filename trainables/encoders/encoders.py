"""The registry of encoders by name, and the builder of the model that a trial trains: encoder and projection head.

Importing this module does not import torch, so a plan can check a name quickly. The builders import what they need.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trainables.config import EncoderConfig
from trainables.own_code import import_object
from trainables.suggestion import did_you_mean

if TYPE_CHECKING:
    import torch
    from torch import nn

    from trainables.encoders.model import ContrastiveModel


def _build_small_conv(config: EncoderConfig, channels: int, size: int) -> "nn.Module":
    from trainables.encoders.small_conv import SmallConv

    return SmallConv(channels=channels, size=size, width=config.width)


def _build_resnet18(_config: EncoderConfig, channels: int, size: int) -> "nn.Module":
    from trainables.encoders.resnet import build_resnet

    return build_resnet("resnet18", channels=channels, size=size)


def _build_resnet50(_config: EncoderConfig, channels: int, size: int) -> "nn.Module":
    from trainables.encoders.resnet import build_resnet

    return build_resnet("resnet50", channels=channels, size=size)


#: Encoders by their name in study files. A study file may also give an import path `my_package.nets:MyNet`.
ENCODERS: dict[str, Callable[[EncoderConfig, int, int], "nn.Module"]] = {
    "small_conv": _build_small_conv,
    "resnet18": _build_resnet18,
    "resnet50": _build_resnet50,
}


def check_encoder_name(name: str) -> None:
    """Raise `ValueError` in one line for a name that is not known and that cannot be imported."""
    if name not in ENCODERS:
        _import_encoder(name)


@functools.cache  # a command may read its study several times
def check_encoder(name: str, *, channels: int, size: int) -> None:
    """Raise `ValueError` in one line for an unknown name, and for an own encoder that fails on a trial batch.

    An own encoder is built for images of shape (C, size, size) and called on a few of them, forward and backward.
    """
    if name not in ENCODERS:
        build = _import_encoder(name)
        from trainables.encoders.own_encoder import check_trial_images

        check_trial_images(build, name, channels=channels, size=size)


def build_model(
    config: EncoderConfig, *, channels: int, size: int, seed_generator: "torch.Generator"
) -> "ContrastiveModel":
    """Build encoder and head for images of shape (C, size, size), initialised from `seed_generator` only.

    If the name is an import path, the imported object is called with `channels=` and `size=`. Its result must map
    (M, C, size, size) to (M, h_dim). Raises `ValueError` for an unknown name or an output of another shape.
    """
    from trainables.encoders.model import build_contrastive

    return build_contrastive(
        lambda: _build_encoder(config, channels, size),
        shape=(channels, size, size),
        config=config,
        seed_generator=seed_generator,
    )


def _build_encoder(config: EncoderConfig, channels: int, size: int) -> "nn.Module":
    if config.name in ENCODERS:
        return ENCODERS[config.name](config, channels, size)
    return _import_encoder(config.name)(channels=channels, size=size)


def _import_encoder(name: str) -> Callable[..., Any]:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        allowed = ", ".join(ENCODERS)
        raise ValueError(
            f"encoder.name: got {name!r}{did_you_mean(name, ENCODERS)}; allowed are {allowed} and import paths "
            "my_package.nets:MyNet"
        )
    found: Callable[..., Any] = import_object(name, "encoder.name")
    return found
