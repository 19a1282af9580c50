"""A loss after which CUDA works no longer in its process, as after an illegal memory access. No GPU is needed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tests.trial_batch import on_trial_batch

_SAID = "CUDA error: an illegal memory access was encountered"


@dataclass(frozen=True, kw_only=True)
class Losing:
    """Fails on batches of `at` pairs or more, and from then on for every batch in the same process."""

    at: int = 12

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        lost = torch.cuda.synchronize is _fail
        if not on_trial_batch() and (lost or len(z_a) >= self.at):
            torch.cuda.is_initialized, torch.cuda.synchronize = (lambda: True), _fail
            _fail()
        return (z_a - z_b).square().sum(-1).mean()


def _fail(device: object = None) -> None:
    raise torch.AcceleratorError(_SAID)
