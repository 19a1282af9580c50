"""The batch order of shuffled training: which images each step of the `Trainer` uses. It can be saved and resumed."""

from typing import Any

import torch
from torch import Tensor

from trainables.copies import copy_ahead


class BatchOrder:
    """An endless sequence of shuffled batches of indices. The last, incomplete batch of an epoch is dropped.

    The order is drawn on the CPU, so it is the same on every device. Once per epoch it is copied to the images'
    `device`. `state` stores the generator state before the current epoch's shuffle, so it stays small for any
    data set. This class serves the selection method `shuffle`; all other methods use `SelectedBatches`.
    """

    seconds, samples = 0.0, 0  # cost of the selection: a shuffle has none

    def __init__(
        self,
        images: int,
        batch_size: int,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> None:
        self._images, self._size, self._generator = images, batch_size, generator
        self._device = device
        self._shuffle()

    def next(self) -> Tensor:
        """Indices of the next batch, int64 `(batch_size,)`."""
        if self._position + self._size > self._images:
            self._shuffle()
        batch = self._permutation[self._position : self._position + self._size]
        self._position += self._size
        return batch

    def state(self) -> dict[str, Any]:
        """The state that `restore` needs to continue from this point."""
        return {"generator": self._before_shuffle, "position": self._position}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the point where `state` was saved."""
        self._generator.set_state(state["generator"])
        self._shuffle()
        self._position = state["position"]

    def _shuffle(self) -> None:
        self._before_shuffle = self._generator.get_state()
        self._permutation = copy_ahead(torch.randperm(self._images, generator=self._generator), self._device)
        self._position = 0
