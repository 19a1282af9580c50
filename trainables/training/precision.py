"""Arithmetic precision of the network, set for training. Losses always compute in float32 or a finer precision."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


def network_autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager]:
    """A factory of contexts for forward passes: autocast for `bfloat16`, an empty context otherwise."""
    if precision == "bfloat16":
        return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext


@contextmanager
def matmul_precision(precision: str, device: torch.device) -> Iterator[None]:
    """Use TF32 in matrix products and convolutions for `tf32`, and plain float32 otherwise.

    The context overrides the previous settings and restores them at its end. Raises `ValueError` for TF32 without a
    CUDA device, because torch would silently compute in float32.
    """
    if precision == "tf32" and device.type != "cuda":
        raise ValueError(f"precision: got tf32 on {device.type}; it needs a CUDA device")
    wanted = "tf32" if precision == "tf32" else "ieee"
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = wanted
        yield
    finally:
        for backend, setting in zip(backends, before, strict=True):
            backend.fp32_precision = setting
