"""Contrastive pre-training: views, one forward pass of both, the loss, SGD with warm-up and cosine."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.config import TrainingConfig
from trainables.encoders.model import ContrastiveModel

#: Handed in by whoever runs the trial; called with facts worth showing while it runs.
Report = Callable[[dict[str, Any]], None]

Loss = Callable[[Tensor, Tensor], Tensor]
Views = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class PretrainFacts:
    """What pre-training leaves in the record; `diverged` when a loss was not finite."""

    train_loss_first: float | None
    train_loss_last: float | None
    steps_planned: int
    steps_done: int
    samples_seen: int
    diverged: bool


def pretrain(
    model: ContrastiveModel,
    images: Tensor,
    loss: Loss,
    views: Views,
    config: TrainingConfig,
    *,
    order: torch.Generator,
    view_randomness: torch.Generator,
    report: Report,
) -> PretrainFacts:
    """Train `model` in place on `images`, uint8 `(N, C, H, W)`, and stop at the first non-finite loss.

    `order` (on the CPU) draws the batches, `view_randomness` (on the images' device) the views. A step sees
    `config.batch_size` images twice; the rest of an epoch that fills no batch is left out.
    """
    total = config.step_count(len(images))
    optimizer, schedule = build_optimizer(model, config, total)
    losses: list[float] = []
    model.train()
    for step, batch in enumerate(batches(len(images), config.batch_size, order)):
        if step == total:
            break
        chosen = images[batch.to(images.device)]
        value = training_loss(model, torch.cat([chosen, chosen]), loss, views, view_randomness)
        number = value.item()
        if not math.isfinite(number):
            return _facts(losses, total, config.batch_size, diverged=True)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
        losses.append(number)
        report({"step": step + 1, "steps": total, "loss": number})
    return _facts(losses, total, config.batch_size, diverged=False)


def training_loss(
    model: ContrastiveModel, twice: Tensor, loss: Loss, views: Views, randomness: torch.Generator
) -> Tensor:
    """The loss of one batch: `twice` holds its M images two times over, so that batch norm sees both views."""
    _, z = model(views(twice, randomness))
    # Normalised once, in float32, whatever the network's precision: the losses expect unit-norm rows.
    z_a, z_b = F.normalize(z.float(), dim=1).chunk(2)
    return loss(z_a, z_b)


def batches(images: int, batch_size: int, order: torch.Generator) -> Iterator[Tensor]:
    """Shuffled batches of indices, epoch after epoch, without end; a last short batch is left out."""
    while True:
        permutation = torch.randperm(images, generator=order)
        yield from permutation[: images - images % batch_size].split(batch_size)


def peak_learning_rate(config: TrainingConfig) -> float:
    """The base rate under the batch-size rule."""
    ratio = config.batch_size / config.lr_reference_batch
    return config.lr * {"none": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[config.lr_rule]


def learning_rate_factor(step: int, total: int, warmup_fraction: float) -> float:
    """Share of the peak rate at `step` (from 0): linear warm-up, then a cosine to zero after the last step."""
    warmup = math.ceil(warmup_fraction * total)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def build_optimizer(
    model: nn.Module, config: TrainingConfig, total: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """SGD with momentum; batch-norm parameters and biases (one-dimensional) are excluded from decay."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=peak_learning_rate(config), momentum=config.momentum, foreach=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, total, config.warmup_fraction)
    )
    return optimizer, schedule


def _facts(losses: list[float], total: int, batch_size: int, *, diverged: bool) -> PretrainFacts:
    tail = losses[-max(1, total // 10) :]
    return PretrainFacts(
        train_loss_first=losses[0] if losses else None,
        train_loss_last=float(np.mean(tail)) if tail else None,
        steps_planned=total,
        steps_done=len(losses),
        samples_seen=len(losses) * batch_size,
        diverged=diverged,
    )
