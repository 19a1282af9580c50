"""What training is given and gives back, for each of the trials that it trains as one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trainables.config import SelectionConfig, TrainingConfig
from trainables.early_stopping import Stop
from trainables.encoders.model import ContrastiveModel

#: Handed in by whoever runs the trial; called with facts worth showing while it runs.
Report = Callable[[dict[str, Any]], None]

#: `(M, d)` unit-norm views to a scalar; built-in losses also `(K, M, d)` to `(K,)`.
Loss = Callable[[Tensor, Tensor], Tensor]

#: Facts of a model and its loss half way, for the learning curves.
Monitor = Callable[[ContrastiveModel, Loss], dict[str, float]]

#: Validation score of a model half way, for early stopping.
Score = Callable[[ContrastiveModel], float]


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The random streams of training at one seed; trials of one seed share batches and views."""

    order: torch.Generator  # on the CPU
    views: torch.Generator  # on the device of the images
    selection_views: torch.Generator  # likewise, of candidates that batches are selected from


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of the trials that are trained as one: equal in everything but what stands here."""

    model: ContrastiveModel  # trained in place
    loss: Loss
    config: TrainingConfig  # equal among members but for the learning rate
    seed: int
    selection: SelectionConfig = field(default_factory=SelectionConfig)  # equal among members


@dataclass(frozen=True, kw_only=True)
class PretrainFacts:
    """What pre-training leaves in the record; `diverged` when a loss was not finite, `stop` when it was stopped."""

    train_loss_first: float | None
    train_loss_last: float | None
    steps_planned: int
    steps_done: int
    samples_seen: int
    samples_selection: int = 0  # embedded to choose batches, without a gradient
    seconds_pretrain: float  # its share, where trials trained as one; that of the selection included
    seconds_selection: float = 0.0
    diverged: bool
    stop: Stop | None = None
