"""Kernels of two points, from their difference."""

from collections.abc import Callable

import torch
from torch import Tensor

Kernel = Callable[[Tensor, Tensor, float], Tensor]


def gaussian(x: Tensor, y: Tensor, t: float) -> Tensor:
    return torch.exp(-t * ((x - y) ** 2).sum())


def log(x: Tensor, y: Tensor, t: float) -> Tensor:
    return -0.5 * torch.log(1 + t * ((x - y) ** 2).sum())


def imq(x: Tensor, y: Tensor, t: float) -> Tensor:
    return t / torch.sqrt(t**2 + ((x - y) ** 2).sum())


def riesz(x: Tensor, y: Tensor, t: float) -> Tensor:
    """With the documented guard: constant below a squared distance of 1e-12 (in float64)."""
    squared = torch.clamp(((x - y) ** 2).sum(), min=1e-12)
    return squared ** (-t / 2) if t > 0 else -(squared ** (-t / 2))


def gaussian_alignment(x: Tensor, y: Tensor, t: float) -> Tensor:
    return gaussian(x, y, 2.0)


LOOP_KERNELS: dict[str, tuple[Kernel, Kernel]] = {
    "gaussian": (gaussian, gaussian),
    "log": (log, log),
    "imq": (imq, imq),
    "riesz": (riesz, riesz),
    "gaussian_riesz": (gaussian_alignment, riesz),
}
