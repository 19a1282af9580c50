"""The arithmetic precision of the losses, which does not depend on the settings of the caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


def compute_dtype(z_a: Tensor, z_b: Tensor) -> torch.dtype:
    """float64 if either view is float64, otherwise float32. Half precision is only a storage format here."""
    return torch.float64 if torch.float64 in (z_a.dtype, z_b.dtype) else torch.float32


_BACKENDS: Any = torch.backends

#: torch's settings for the rounding of float32 products, by device type. Other device types use the CPU's setting.
_MATMUL = {"cpu": _BACKENDS.mkldnn.matmul, "cuda": _BACKENDS.cuda.matmul}


def is_exact(device_type: str) -> bool:
    """Whether the current settings are already those of `exact_arithmetic`."""
    coarse = _MATMUL.get(device_type, _MATMUL["cpu"]).fp32_precision not in ("none", "ieee")
    return not coarse and not torch.is_autocast_enabled(device_type)


@contextmanager
def exact_arithmetic(device_type: str) -> Iterator[None]:
    """Switch autocast off and compute float32 products in float32; restore the settings at the end.

    In bfloat16 or TF32, the error of `u.v / T` is up to 0.004 / T. At T = 0.005 that is a factor of 2 in every
    weight, so the loss would be finite noise.
    """
    matmul = _MATMUL.get(device_type, _MATMUL["cpu"])
    precision = matmul.fp32_precision
    with torch.autocast(device_type, enabled=False):
        matmul.fp32_precision = "ieee"
        try:
            yield
        finally:
            matmul.fp32_precision = precision
