"""The selection method `all_subsets`: every possible batch."""

import itertools
from functools import lru_cache

import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection


class AllSubsets(BatchSelection):
    """`(C(N, B), B)`: every batch of B different pairs once per round, in a new random order.

    The mean loss over a round is the all-mini-batch objective. For B >= 2, its optimum is the optimum of the full
    batch (Cho et al. 2024, arXiv 2307.05906). No pair is left out.
    """

    def draw(self, generator: torch.Generator) -> Tensor:
        """All batches in random order."""
        batches = every_batch(self.n, self.batch_size)
        return batches[torch.randperm(len(batches), generator=generator)]


@lru_cache(maxsize=8)
def every_batch(n: int, batch_size: int) -> Tensor:
    """All subsets in lexicographic order, `(C(N, B), B)`. The tensor is cached: callers must not change it."""
    return torch.tensor(list(itertools.combinations(range(n), batch_size)))
