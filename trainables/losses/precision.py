"""The arithmetic of a loss, whatever surrounds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


def compute_dtype(z_a: Tensor, z_b: Tensor) -> torch.dtype:
    """float64 where either view has it, else float32: half precision is only a storage format here."""
    return torch.float64 if torch.float64 in (z_a.dtype, z_b.dtype) else torch.float32


_BACKENDS: Any = torch.backends

#: Where torch keeps how float32 products may be rounded, by device type; CPU's for any other.
_MATMUL = {"cpu": _BACKENDS.mkldnn.matmul, "cuda": _BACKENDS.cuda.matmul}


def is_exact(device_type: str) -> bool:
    """Whether there is nothing for `exact_arithmetic` to switch off."""
    coarse = _MATMUL.get(device_type, _MATMUL["cpu"]).fp32_precision not in ("none", "ieee")
    return not coarse and not torch.is_autocast_enabled(device_type)


@contextmanager
def exact_arithmetic(device_type: str) -> Iterator[None]:
    """Autocast off, and float32 products in float32.

    Rounded to bfloat16 or TF32, `u.v / T` is off by up to 0.004 / T: at T = 0.005 that is a factor of 2 in
    every weight, so the loss would be finite noise.
    """
    matmul = _MATMUL.get(device_type, _MATMUL["cpu"])
    precision = matmul.fp32_precision
    with torch.autocast(device_type, enabled=False):
        matmul.fp32_precision = "ieee"
        try:
            yield
        finally:
            matmul.fp32_precision = precision
