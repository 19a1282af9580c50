"""One batch of all pairs."""

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection


class Full(BatchSelection):
    """`(1, N)`: all pairs in their own order, whatever the batch size."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """All indices; draws nothing from the generator."""
        return torch.arange(self.n)[None]
