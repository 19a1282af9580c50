"""Checks of the two views that a loss gets."""

import torch
from torch import Tensor

#: Largest allowed deviation of a row's norm from 1. For rows normalised in float32 and rounded to bfloat16, it is at
#: most 0.004.
NORM_TOLERANCE = 0.01


def check_shapes(z_a: Tensor, z_b: Tensor) -> None:
    """The fast check in every call of a loss: rank, equal shapes, M >= 2, floating point.

    Shapes: `(M, d)`, or `(K, M, d)` for K stacked trials. Raises `ValueError`.
    """
    shape = z_a.shape
    if len(shape) not in (2, 3):
        raise ValueError(f"z_a: got shape {tuple(shape)}, must be (M, d) or (K, M, d)")
    if z_b.shape != shape:
        raise ValueError(f"z_b: got shape {tuple(z_b.shape)}, must be z_a's {tuple(shape)}")
    if shape[-2] < 2:
        raise ValueError(f"z_a: got M = {shape[-2]} pairs, must be at least 2")
    if not (z_a.is_floating_point() and z_b.is_floating_point()):
        raise ValueError(f"z_a, z_b: got {z_a.dtype} and {z_b.dtype}, must be floating point")


def check_views(z_a: Tensor, z_b: Tensor) -> None:
    """The complete check: `check_shapes`, then finite rows of norm 1 within `NORM_TOLERANCE`.

    Raises `ValueError` with the name of the view and the first wrong row.
    """
    check_shapes(z_a, z_b)
    for name, z in (("z_a", z_a), ("z_b", z_b)):
        norms = torch.linalg.vector_norm(z.detach().float(), dim=-1).flatten()
        bad = ~((norms - 1.0).abs() <= NORM_TOLERANCE)  # in this form, a NaN norm is bad too
        if bad.any():
            row = int(bad.nonzero()[0])
            norm = f"{norms[row].item():.4g}"
            raise ValueError(f"{name}: got norm {norm} in row {row}, must be 1 within {NORM_TOLERANCE:g}")
