"""Losses that misbehave in training, and not when a plan tries them on a trial batch."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from tests.trial_batch import on_trial_batch


def _alignment(z_a: Tensor, z_b: Tensor) -> Tensor:
    return (z_a - z_b).square().sum(-1).mean()


@dataclass(frozen=True, kw_only=True)
class Hangs:
    """Sleeps for ever, or `seconds` a step, on batches of 16 pairs."""

    seconds: float = 1e6

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        if len(z_a) == 16 and not on_trial_batch():
            time.sleep(self.seconds)
        return _alignment(z_a, z_b)


@dataclass(frozen=True, kw_only=True)
class EatsMemory:
    """Takes 256 MiB a step on batches of 16 pairs, and gives nothing back."""

    pace: int = 256
    _eaten: ClassVar[list[Tensor]] = []

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        if len(z_a) == 16 and not on_trial_batch():
            self._eaten.append(torch.ones(self.pace << 18))
            time.sleep(0.1)
        return _alignment(z_a, z_b)


@dataclass(frozen=True, kw_only=True)
class Meets:
    """Waits in training until two processes are in training, which show themselves by files in `folder`."""

    folder: str
    weight: float = 1.0

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        if not on_trial_batch():
            (Path(self.folder) / f"training-{os.getpid()}").touch()
            while len(list(Path(self.folder).glob("training-*"))) < 2:
                time.sleep(0.02)
        return self.weight * _alignment(z_a, z_b)
