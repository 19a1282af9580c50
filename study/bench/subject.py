"""Builds the training that a bench measures from the trials' configs, in the same way as the trials build it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.config import TrialConfig
from trainables.datasets.loaded import ImageData
from trainables.runtime import Runtime
from trainables.training.member import Member, Streams
from trainables.training.trainer import Trainer
from trainables.training.trials import (
    build_member,
    build_streams,
    resident,
    torch_images,
    views_of,
)
from trainables.views.batched import Views

#: The budget in steps. It is larger than the number of steps ever timed; most timed steps have small learning rates.
_STEPS = 20_000


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Newly built members with their images, views and random streams, as `pretrain` takes them."""

    members: list[Member]
    images: Tensor
    views: Views
    streams: dict[int, Streams]
    device: torch.device

    def trainer(self, execution: str) -> Trainer:
        """A new trainer of the members, at the first step."""
        return Trainer(self.members, self.images, self.views, self.streams, self.device, execution)


def build_subject(configs: Sequence[TrialConfig], data: ImageData, runtime: Runtime) -> Subject:
    """The subject for the trials `configs`, with a budget of 20,000 steps on the training split of `data`.

    Raises `ValueError` for a loss, an encoder or views that cannot be built.
    """
    return Subject(
        members=[build_member(_over_many_steps(each), data, runtime.device) for each in configs],
        images=resident(torch_images(data.pretraining), runtime.device),
        views=views_of(configs[0].task, data),
        streams=build_streams(configs, runtime.device),
        device=torch.device(runtime.device),
    )


def _over_many_steps(config: TrialConfig) -> TrialConfig:
    training = dataclasses.replace(config.task.training, steps=_STEPS, epochs=None, samples=None)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))
