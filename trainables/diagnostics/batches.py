"""The mean loss of batches of M pairs from a fixed population, and bias and variance of their gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.config import DiagnosticTask
from trainables.diagnostics.population import population
from trainables.streams import Stream, stream_generator

#: Largest number of similarities that are computed at once.
_BLOCK = 2**22


def batch_statistics(
    task: DiagnosticTask, loss: Any, seed: int, notice: Callable[[float], None]
) -> dict[str, float]:
    """Bias and variance over batches drawn without replacement, relative to the population as one batch.

    The gradient is with respect to a linear layer after the encoder, `z = W x / ||W x||`, at W = 1. It has `(d, d)`
    numbers, shared by all samples like an encoder's weights. The batches are the parts of `passes` random partitions:
    means over a partition are unbiased estimates for batches of this size, and their spread over partitions gives the
    error. `gradient_bias_ratio` is the squared distance between the mean gradient and the population's gradient,
    divided by its expectation without bias: 1 if there is no bias. `notice` receives the mean loss of each partition.
    """
    views = torch.stack(population(task, seed))
    whole_loss, whole = (part[0] for part in losses_and_gradients(loss, views[:, None]))
    losses, gradients = _over_partitions(task, loss, views, seed, notice)  # (P, N // M), (P, N // M, d, d)
    pass_losses, pass_gradients = losses.mean(1), gradients.mean(1)
    passes, size = len(losses), float(whole.square().sum())
    error = float(pass_gradients.var(0).sum()) / passes
    distance = float((pass_gradients.mean(0) - whole).square().sum())
    spread = float((gradients - whole).square().sum((-2, -1)).mean())
    loss_error = float(pass_losses.std()) / passes**0.5
    shift = float(pass_losses.mean() - whole_loss)
    return {
        "loss_population": float(whole_loss),
        "loss_mean": float(pass_losses.mean()),
        "loss_mean_error": loss_error,
        "loss_shift_ratio": abs(shift) / loss_error if loss_error else 0.0,
        "gradient_bias": max(0.0, distance - error) ** 0.5 / size**0.5,
        "gradient_bias_ratio": distance / error if error else 0.0,
        "gradient_variance": (spread - max(0.0, distance - error)) / size,
    }


def _over_partitions(
    task: DiagnosticTask, loss: Any, views: Tensor, seed: int, notice: Callable[[float], None]
) -> tuple[Tensor, Tensor]:
    generator, size = stream_generator(seed, Stream.BATCH_ORDER), task.training.batch_size
    count = task.n_pairs // size
    found = []
    for _ in range(task.training.passes):
        order = torch.randperm(task.n_pairs, generator=generator)[: count * size].view(count, size)
        parts = [
            losses_and_gradients(loss, views[:, rows]) for rows in order.split(max(1, _BLOCK // size**2))
        ]
        losses, gradients = (torch.cat(part) for part in zip(*parts, strict=True))
        notice(float(losses.mean()))
        found.append((losses, gradients))
    losses, gradients = (torch.stack(part) for part in zip(*found, strict=True))
    return losses, gradients


def losses_and_gradients(loss: Any, views: Tensor) -> tuple[Tensor, Tensor]:
    """The losses `(K,)` of the batches `(2, K, M, d)`, and their gradients `(K, d, d)` with respect to W."""
    dim = views.shape[-1]
    weights = torch.eye(dim, dtype=views.dtype).repeat(views.shape[1], 1, 1).requires_grad_()
    z_a, z_b = F.normalize(views @ weights.mT, dim=-1)
    values = loss(z_a, z_b)
    (gradients,) = torch.autograd.grad(values.sum(), weights)
    return values.detach(), gradients
