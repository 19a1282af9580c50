"""The check of a user's own encoder on a trial batch, before any trial runs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trainables.own_code import one_line
from trainables.own_runs import own_code_runs

#: Images of the trial batch.
_IMAGES = 2

_EXPECTED = (
    "must be called as MyNet(channels=..., size=...), and give a torch.nn.Module that maps images "
    "(M, channels, size, size) to (M, h_dim)"
)


def check_trial_images(build: Callable[..., Any], name: str, *, channels: int, size: int) -> None:
    """Build the encoder and call it on two random images (C, size, size), forward and backward.

    Raises `ValueError` in one line unless the output is finite and of shape (M, h_dim), in training and in
    evaluation, a gradient reaches a parameter, and two calls of `build` share no parameter.
    """
    try:
        with own_code_runs(name):
            torch.default_generator.manual_seed(0)  # as when a trial builds its model
            _try(build, channels, size)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's code raises
        with_channels = f"with channels={channels}, size={size}"
        raise ValueError(f"encoder: {name}: {with_channels}: {one_line(error)}; {_EXPECTED}") from error


def _try(build: Callable[..., Any], channels: int, size: int) -> None:
    encoder = build(channels=channels, size=size)
    if not isinstance(encoder, nn.Module):
        raise ValueError(f"got an object of type {type(encoder).__name__}")
    _refuse_shared(encoder, build(channels=channels, size=size))
    # Trials use this memory format too. `Tensor.view` may fail with it, where `reshape` works.
    encoder = encoder.to(memory_format=torch.channels_last)
    images = torch.rand(_IMAGES, channels, size, size).contiguous(memory_format=torch.channels_last)
    encoder.eval()
    with torch.no_grad():
        evaluated = _checked(encoder(images), "in evaluation")
    encoder.train()
    output = _checked(encoder(images), "in training")
    if output.shape != evaluated.shape:
        shapes = f"{tuple(output.shape)} in training and {tuple(evaluated.shape)} in evaluation"
        raise ValueError(f"outputs of shape {shapes}")
    parameters = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("no parameter to train")
    if not output.requires_grad:
        raise ValueError("the output has no gradient")
    # With random weights: the gradient of a plain sum is zero after a normalisation.
    gradients = torch.autograd.grad(output, parameters, torch.rand_like(output), allow_unused=True)
    reached = [gradient for gradient in gradients if gradient is not None]
    if not all(bool(gradient.isfinite().all()) for gradient in reached):
        raise ValueError("a gradient that is not finite")
    if not any(bool(gradient.any()) for gradient in reached):
        raise ValueError("no gradient reaches a parameter")


def _refuse_shared(encoder: nn.Module, other: Any) -> None:
    """Raise `ValueError` if two networks of two calls share parameters: weights would pass from trial to trial."""
    if not isinstance(other, nn.Module):
        raise ValueError(f"got an object of type {type(other).__name__} in the second call")
    # A lazy parameter has no storage yet; an empty one has the storage of all empty ones.
    places = {
        parameter.untyped_storage().data_ptr()
        for parameter in encoder.parameters()
        if not is_lazy(parameter) and parameter.numel()
    }
    for name, parameter in other.named_parameters():
        if not is_lazy(parameter) and parameter.untyped_storage().data_ptr() in places:
            raise ValueError(
                f"two calls give networks that share the parameter {name!r}, so trained weights would pass from "
                "trial to trial; build a new network in each call"
            )


def _checked(output: object, when: str) -> Tensor:
    if not isinstance(output, Tensor):
        raise ValueError(f"output of type {type(output).__name__} {when}")
    if output.ndim != 2 or len(output) != _IMAGES or not output.shape[1]:
        raise ValueError(
            f"output of shape {tuple(output.shape)} for {_IMAGES} images {when}; allowed is ({_IMAGES}, h_dim)"
        )
    if output.dtype != torch.float32:
        raise ValueError(f"output of {str(output.dtype).removeprefix('torch.')} {when}; allowed is float32")
    if not bool(output.isfinite().all()):
        raise ValueError(f"output that is not finite {when}")
    return output
