"""Inputs and results of training for one member, that is, for one of the trials that are trained as one stack."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trainables.config import SelectionConfig, TrainingConfig
from trainables.early_stopping import Stop
from trainables.encoders.model import ContrastiveModel

#: Callback for progress: the caller of the trial provides it, and training calls it with facts to display.
Report = Callable[[dict[str, Any]], None]

#: Maps two sets of unit-norm views `(M, d)` to a scalar. Built-in losses also map `(K, M, d)` to `(K,)`.
Loss = Callable[[Tensor, Tensor], Tensor]

#: Callback for learning curves: measures a model and its loss during training.
Monitor = Callable[[ContrastiveModel, Loss], dict[str, float]]

#: Callback for early stopping and for the choice of an epoch: the score of a model during training.
Score = Callable[[ContrastiveModel], float]


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The random streams of training for one seed. Trials with the same seed share batches and views."""

    order: torch.Generator  # on the CPU
    views: torch.Generator  # on the device of the images
    selection_views: torch.Generator  # same device; for the candidates of batch selection
    own_draws: torch.Generator | None = None  # on CUDA, for code that uses torch's default generator


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of the trials that are trained as one stack. Members differ only in these fields."""

    model: ContrastiveModel  # trained in place
    loss: Loss
    config: TrainingConfig  # equal for all members, except the learning rate
    seed: int
    selection: SelectionConfig = field(default_factory=SelectionConfig)  # equal for all members


@dataclass(frozen=True, kw_only=True)
class PretrainFacts:
    """The facts about pre-training in the record. `diverged`: a loss was not finite. `stop`: early stopping.

    `best_epoch` is the epoch, from 1, whose weights the model has; None for the last one.
    """

    train_loss_first: float | None
    train_loss_last: float | None
    steps_planned: int
    steps_done: int
    samples_seen: int
    samples_selection: int = 0  # images embedded to select batches, without a gradient
    seconds_pretrain: float  # includes the selection; in a stack, this member's equal share
    seconds_selection: float = 0.0
    best_epoch: int | None = None
    diverged: bool
    stop: Stop | None = None
