"""Checks of the input points of the metrics."""

import torch
from torch import Tensor

from trainables.losses.views import NORM_TOLERANCE


def check_points(name: str, z: Tensor) -> None:
    """Check for rank 2, n and d at least 2, floating point and finite values. Raises `ValueError`."""
    if z.ndim != 2 or z.shape[0] < 2 or z.shape[1] < 2:
        raise ValueError(f"{name}: got shape {tuple(z.shape)}, must be (n, d) with n and d at least 2")
    if not z.is_floating_point():
        raise ValueError(f"{name}: got {z.dtype}, must be floating point")
    if not bool(z.isfinite().all()):
        raise ValueError(f"{name}: got a row that is not finite, must be finite throughout")


def check_unit_norm(name: str, z: Tensor) -> None:
    """`check_points`, and a check for rows of norm 1 within the tolerance of the losses. Raises `ValueError`."""
    check_points(name, z)
    norms = torch.linalg.vector_norm(z.double(), dim=-1)
    worst = float(norms[(norms - 1.0).abs().argmax()])
    if abs(worst - 1.0) > NORM_TOLERANCE:
        raise ValueError(f"{name}: got a row of norm {worst:.4g}, must be 1 within {NORM_TOLERANCE:g}")
