"""The arithmetic of a loss, whatever surrounds it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor


def compute_dtype(z_a: Tensor, z_b: Tensor) -> torch.dtype:
    """float64 where either view has it, else float32: half precision is only a storage format here."""
    return torch.float64 if torch.float64 in (z_a.dtype, z_b.dtype) else torch.float32


def exact_arithmetic(device: torch.device) -> AbstractContextManager[None]:
    """Autocast off, and float32 products in float32.

    Rounded to bfloat16 or TF32, `u.v / T` is off by up to 0.004 / T: at T = 0.005 that is a factor of 2 in
    every weight, so the loss would be finite noise.
    """
    matmul = torch.backends.cuda.matmul if device.type == "cuda" else torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    precision = matmul.fp32_precision
    if precision in ("none", "ieee") and not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return _exact(device.type, matmul, precision)


@contextmanager
def _exact(device_type: str, matmul: object, precision: str) -> Iterator[None]:
    with torch.autocast(device_type, enabled=False):
        matmul.fp32_precision = "ieee"  # type: ignore[attr-defined]
        try:
            yield
        finally:
            matmul.fp32_precision = precision  # type: ignore[attr-defined]
