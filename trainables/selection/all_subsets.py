"""Every batch that there is."""

import itertools
from functools import lru_cache

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection


class AllSubsets(BatchSelection):
    """`(C(N, B), B)`: every batch of B different pairs once a round, in a new random order.

    The mean loss over a round is the all-mini-batch objective, whose optimum is that of the full batch for
    B >= 2 (Cho et al. 2024, arXiv 2307.05906). No pair is left over.
    """

    def draw(self, generator: torch.Generator) -> Tensor:
        """All batches, shuffled."""
        batches = every_batch(self.n, self.batch_size)
        return batches[torch.randperm(len(batches), generator=generator)]


@lru_cache(maxsize=8)
def every_batch(n: int, batch_size: int) -> Tensor:
    """All subsets in lexicographic order, `(C(N, B), B)`; nobody writes to it."""
    return torch.tensor(list(itertools.combinations(range(n), batch_size)))
