"""The selection method `shuffle`, the usual one: a new random partition in every epoch."""

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection, shuffled_batches


class Shuffle(BatchSelection):
    """`(N // B, B)`: disjoint batches of one shuffle. The other `N mod B` pairs are not used in this round."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """The batches of the next epoch."""
        return shuffled_batches(self.n, self.batch_size, self.pool, generator)
