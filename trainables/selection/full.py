"""The selection method `full`: one batch of all pairs."""

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection


class Full(BatchSelection):
    """`(1, N)`: all pairs in their own order. The batch size is not used."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """All indices. The generator is not used."""
        return torch.arange(self.n)[None]
