"""Arithmetic precision of the network, set for training. Losses always compute in float32 or a finer precision."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

_BACKENDS: Any = torch.backends

#: The settings of torch for TF32: matrix products, convolutions, recurrent layers.
_SETTINGS = (_BACKENDS.cuda.matmul, _BACKENDS.cudnn.conv, _BACKENDS.cudnn.rnn)


def network_autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager]:
    """A factory of contexts for forward passes: autocast for `bfloat16`, an empty context otherwise."""
    if precision == "bfloat16":
        _check_card(precision, device)
        return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext


@contextmanager
def matmul_precision(precision: str, device: torch.device) -> Iterator[None]:
    """On a CUDA device, use TF32 in matrix products and convolutions for `tf32`, and plain float32 otherwise.

    The context overrides the previous settings and restores them at its end. Raises `ValueError` for TF32 without a
    CUDA device that has it, because torch would silently compute in float32.
    """
    if device.type != "cuda":
        if precision == "tf32":
            raise ValueError(f"precision: got tf32 on {device.type}; it needs a CUDA device")
        yield
        return
    if precision == "tf32":
        _check_card(precision, device)
    before = [setting.fp32_precision for setting in _SETTINGS]
    try:
        _set(["tf32" if precision == "tf32" else "ieee"] * len(_SETTINGS))
        yield
    finally:
        _set(before)


def _set(values: Sequence[str]) -> None:
    # The older flags first, since they also change the settings. Where the two disagree, torch raises when its
    # compiler looks at the flags.
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = (v == "tf32" for v in values[:2])
    for setting, value in zip(_SETTINGS, values, strict=True):
        setting.fp32_precision = value


def lacks_precision(precision: str, device: torch.device) -> bool:
    """Whether a CUDA device has no units for `tf32` or `bfloat16`. They came with compute capability 8.0."""
    wanted = precision in ("tf32", "bfloat16") and device.type == "cuda"
    return wanted and torch.cuda.get_device_capability(device) < (8, 0)


def _check_card(precision: str, device: torch.device) -> None:
    if lacks_precision(precision, device):
        raise ValueError(
            f"precision: got {precision}, which {torch.cuda.get_device_name(device)} does not have; it needs a GPU "
            "of compute capability 8.0 or higher"
        )
