"""A new random partition every epoch: what everyone does."""

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection, shuffled_batches


class Shuffle(BatchSelection):
    """`(N // B, B)`: disjoint batches of one shuffle; the `N mod B` pairs left over sit out this round alone."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """The batches of the next epoch."""
        return shuffled_batches(self.n, self.batch_size, self.pool, generator)
