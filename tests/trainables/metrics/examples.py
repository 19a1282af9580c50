"""Sets of points whose metrics are known."""

import torch
from torch import Tensor


def uniform(n: int, d: int, seed: int = 0) -> Tensor:
    """Independent uniform points on the sphere, `(n, d)` in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(n, d, generator=generator, dtype=torch.float64), dim=-1)


def simplex(n: int, d: int) -> Tensor:
    """The regular simplex of n <= d points: all inner products are -1 / (n - 1)."""
    points = torch.zeros(n, d, dtype=torch.float64)
    points[:, :n] = torch.eye(n, dtype=torch.float64) - 1 / n
    return torch.nn.functional.normalize(points, dim=-1)


def collapsed(n: int, d: int) -> Tensor:
    """n copies of one point."""
    return uniform(1, d).repeat(n, 1)


def orthonormal(n: int, d: int) -> Tensor:
    """The first n axes of R^d."""
    return torch.eye(n, d, dtype=torch.float64)
