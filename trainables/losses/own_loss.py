"""Import and check of a user's own loss, for `trainables.losses` and `search_spaces`."""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from trainables.own_code import import_object, one_line


def import_loss(path: str) -> type:
    """Import the loss class at `my_package.my_module:MyLoss`.

    Raises `ValueError` when the import fails, or when the object is not a dataclass with `__call__`.
    """
    loss = import_object(path, "loss")
    if not (isinstance(loss, type) and dataclasses.is_dataclass(loss)):
        raise ValueError(f"loss: got {path!r}, must be a dataclass whose fields are its hyperparameters")
    if "__call__" not in dir(loss):
        raise ValueError(f"loss: got {path!r}, must define __call__(self, z_a, z_b)")
    return loss


def check_trial_batch(loss: Callable[[Tensor, Tensor], Tensor], name: str = "loss") -> None:
    """Call the loss on eight random unit-norm pairs in 16 dimensions, forward and backward.

    Raises `ValueError` unless it returns a finite scalar with a finite gradient.
    """
    generator = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(2, 8, 16, generator=generator), dim=-1).requires_grad_()
    try:
        value = loss(z[0], z[1])
        if not isinstance(value, Tensor) or value.ndim != 0 or not bool(value.isfinite()):
            raise ValueError(f"got {_shown(value)}, must be a finite scalar tensor")
        (gradient,) = torch.autograd.grad(value, z)
    except Exception as error:
        raise ValueError(f"{name}: on a trial batch of 8 pairs: {one_line(error)}") from error
    if not bool(gradient.isfinite().all()):
        raise ValueError(f"{name}: on a trial batch of 8 pairs: got a gradient that is not finite")


def _shown(value: object) -> str:
    if not isinstance(value, Tensor):
        return repr(value)
    return f"a tensor of shape {tuple(value.shape)}" if value.ndim else str(value.item())
