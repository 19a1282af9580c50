"""The selection method `fixed`: one random partition for the whole training."""

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection, shuffled_batches


class Fixed(BatchSelection):
    """`(N // B, B)`: the same batches in the same order in every round.

    The `N mod B` pairs outside the partition are never used for training: the partition is part of the method.
    Source: Cho et al. 2024 (arXiv 2307.05906), as the case that does not reach the full batch's optimum.
    """

    def draw(self, generator: torch.Generator) -> Tensor:
        """The partition. The generator's state is restored, so that the next round draws the same partition."""
        before = generator.get_state()
        batches = shuffled_batches(self.n, self.batch_size, self.pool, generator)
        generator.set_state(before)
        return batches
