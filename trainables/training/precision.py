"""Arithmetic of the network. Losses compute in float32 or finer whatever is chosen here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


def network_autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager]:
    """Contexts for forward passes: bfloat16 autocast for `bfloat16`, nothing otherwise."""
    if precision == "bfloat16":
        return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext


@contextmanager
def matmul_precision(precision: str, device: torch.device) -> Iterator[None]:
    """TF32 in matrix products and convolutions for `tf32`, plain float32 otherwise, whatever was set before.

    Raises `ValueError` for TF32 without a CUDA device: it would silently be float32.
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
