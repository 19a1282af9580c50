"""Batch selection as its sources write it: loops over batches and pairs, and every partition tried."""

import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Batch = tuple[int, ...]
Loss = Callable[[Tensor, Tensor], float]


def highest_losses(
    batches: list[list[int]], z_a: Tensor, z_b: Tensor, loss: Loss, keep: int
) -> list[list[int]]:
    """The `keep` batches of highest loss, the highest first, of views `(N, d)` of all pairs."""
    values = []
    for batch in batches:
        values.append((loss(z_a[batch], z_b[batch]), batch))
    return [batch for _, batch in sorted(values, key=lambda pair: -pair[0])[:keep]]


def affinities(z_a: Tensor, z_b: Tensor, temperature: float, batch_size: int) -> Tensor:
    """`A (N, N)`, entry by entry."""
    u, v = z_a / math.sqrt(temperature), z_b / math.sqrt(temperature)
    n = len(u)
    a = torch.zeros(n, n, dtype=u.dtype)
    for k in range(n):
        for other in range(n):
            forth = math.exp(u[k] @ v[other] - u[k] @ v[k])
            back = math.exp(v[k] @ u[other] - u[k] @ v[k])
            a[k, other] = math.log(1 + (batch_size - 1) * forth) + math.log(1 + (batch_size - 1) * back)
    return torch.exp(a + a.T)


def normalised_laplacian(affinity: Tensor) -> Tensor:
    """`I - D^(-1/2) A D^(-1/2)`, no pair being its own neighbour."""
    n = len(affinity)
    laplacian = torch.zeros_like(affinity)
    degrees = [sum(float(affinity[k, other]) for other in range(n) if other != k) for k in range(n)]
    for k in range(n):
        for other in range(n):
            weight = 0.0 if k == other else float(affinity[k, other])
            laplacian[k, other] = float(k == other) - weight / math.sqrt(degrees[k] * degrees[other])
    return laplacian


def even_partitions(members: Batch, size: int) -> Iterator[list[Batch]]:
    """Every way to cut `members` into batches of `size`."""
    if not members:
        yield []
        return
    first, rest = members[0], members[1:]
    for others in itertools.combinations(rest, size - 1):
        left = tuple(member for member in rest if member not in others)
        for tail in even_partitions(left, size):
            yield [(first, *others), *tail]
