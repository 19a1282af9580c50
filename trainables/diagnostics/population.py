"""Fixed populations of pairs on the sphere: uniform, or with one known defect of a given level."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import DiagnosticTask
from trainables.streams import Stream, stream_generator

_CLUSTERS = 8


def population(task: DiagnosticTask, seed: int) -> tuple[Tensor, Tensor]:
    """Two unit-norm views `(N, d)` in float64: the first has the defect, and the second is a noisy copy of it.

    `v = c u + sqrt(1 - c^2) w`, where w is a random direction orthogonal to u, and c is `view_cosine`. The views
    depend only on the task and the seed.
    """
    generator = stream_generator(seed, Stream.INITIALISATION)
    normal = torch.randn(2, task.n_pairs, task.dim, dtype=torch.float64, generator=generator)
    z_a = DEFECTS[task.defect](normal[0], task.defect_level, generator)
    noise = F.normalize(normal[1] - (normal[1] * z_a).sum(-1, keepdim=True) * z_a, dim=-1)
    return z_a, task.view_cosine * z_a + (1 - task.view_cosine**2) ** 0.5 * noise


def _none(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """Independent points, uniform on the sphere."""
    return F.normalize(x, dim=-1)


def _collapse(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """Points moved towards one point; at level 1, all points are there."""
    return _towards(x, torch.zeros(len(x), dtype=torch.long), torch.eye(1, x.shape[1]).to(x), level)


def _antipodes(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """Points moved towards two opposite points, so that the mean stays at the centre."""
    pole = torch.eye(1, x.shape[1]).to(x)
    return _towards(x, torch.randint(2, (len(x),), generator=generator), torch.cat([pole, -pole]), level)


def _clusters(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """Points moved towards eight random points."""
    centres = F.normalize(torch.randn(_CLUSTERS, x.shape[1], dtype=x.dtype, generator=generator), dim=-1)
    return _towards(x, torch.randint(_CLUSTERS, (len(x),), generator=generator), centres, level)


def _towards(x: Tensor, which: Tensor, centres: Tensor, level: float) -> Tensor:
    return F.normalize((1 - level) * F.normalize(x, dim=-1) + level * centres[which], dim=-1)


def _low_rank(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """Points with three quarters of their coordinates shrunk; at level 1, these are 0."""
    scales = torch.ones(x.shape[1], dtype=x.dtype)
    scales[x.shape[1] // 4 :] = 1 - level
    return F.normalize(x * scales, dim=-1)


def _half_sphere(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """A fraction of the points with a negative first coordinate is mirrored; at level 1, half the sphere is empty."""
    mirrored = (x[:, 0] < 0) & (torch.rand(len(x), generator=generator) < level)
    signs = torch.ones_like(x)
    signs[mirrored, 0] = -1
    return F.normalize(x * signs, dim=-1)


def _duplicates(x: Tensor, level: float, generator: torch.Generator) -> Tensor:
    """A fraction `level` of the points is in pairs of equal points."""
    points, copied = F.normalize(x, dim=-1), round(level * len(x) / 2)
    points[:copied] = points[len(x) - copied :]
    return points


#: The defects by name. Each function takes normal random numbers `(N, d)`, a level from 0 (no defect) to 1, and a
#: generator.
DEFECTS: dict[str, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "none": _none,
    "collapse": _collapse,
    "antipodes": _antipodes,
    "clusters": _clusters,
    "low_rank": _low_rank,
    "half_sphere": _half_sphere,
    "duplicates": _duplicates,
}
