"""Which images a step trains on: shuffled batches, epoch after epoch, that can be taken up again anywhere."""

from typing import Any

import torch
from torch import Tensor


class BatchOrder:
    """Shuffled batches of indices without end; an epoch's last short batch is left out.

    Drawn on the CPU, so that it is the same on every device, and moved to the images' `device` once an epoch.
    `state` holds the generator as it was before the running epoch's shuffle, so it stays small for any data set.
    It is what selection `shuffle` says, in the same order; the other methods have `SelectedBatches`.
    """

    seconds, samples = 0.0, 0  # what choosing costs: nothing

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
        """What `restore` needs to go on from here."""
        return {"generator": self._before_shuffle, "position": self._position}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._generator.set_state(state["generator"])
        self._shuffle()
        self._position = state["position"]

    def _shuffle(self) -> None:
        self._before_shuffle = self._generator.get_state()
        self._permutation = torch.randperm(self._images, generator=self._generator).to(self._device)
        self._position = 0
