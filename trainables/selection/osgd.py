"""Ordered SGD: the batches with the highest loss."""

import math
from typing import Any

import torch
from torch import Tensor

from trainables.losses.analytic import AnalyticLoss
from trainables.selection.all_subsets import every_batch
from trainables.selection.rounds import MOST_SUBSETS
from trainables.selection.selection import BatchSelection, shuffled_batches

#: Similarities of candidates that are computed at once.
_BLOCK = 2**24


class OrderedSGD(BatchSelection):
    """Of k random batches the q with the highest loss, the highest first.

    Candidates are disjoint, of one shuffle, while k B <= N; beyond, they are k different ones among all C(N, B),
    where those are at most `MOST_SUBSETS`, else of as many shuffles as it takes. Pairs in no candidate, and
    candidates that are not kept, sit out this round. Of equal losses the one drawn first goes first.
    Source: Kawaguchi and Lu 2020 (arXiv 1907.04371), on batches as in Cho et al. 2024 (arXiv 2307.05906), which takes
    k = C(N, B) and q = 1 on the sphere. Each batch that is kept is a step of its own, as in their code.
    """

    looks = True

    def draw(self, generator: torch.Generator) -> Tensor:
        """k candidates."""
        a_pass = self.n // self.batch_size
        if self.pool <= a_pass:
            return shuffled_batches(self.n, self.batch_size, self.pool, generator)
        if math.comb(self.n, self.batch_size) <= MOST_SUBSETS:
            batches = every_batch(self.n, self.batch_size)
            return batches[torch.randperm(len(batches), generator=generator)[: self.pool]]
        passes = [
            shuffled_batches(self.n, self.batch_size, a_pass, generator)
            for _ in range(math.ceil(self.pool / a_pass))
        ]
        return torch.cat(passes)[: self.pool]

    def choose(self, candidates: Tensor, z_a: Tensor, z_b: Tensor, generator: torch.Generator) -> Tensor:
        """The q candidates of highest loss; a loss that is not a number goes first, where training notices it."""
        highest = batch_losses(self.loss, z_a, z_b).sort(descending=True, stable=True).indices
        return candidates[highest[: self.keep].cpu()]


@torch.no_grad()
def batch_losses(loss: Any, z_a: Tensor, z_b: Tensor) -> Tensor:
    """The loss of each batch of unit-norm views `(k, B, d)`: `(k,)`, in the loss's units.

    Of built-in losses the mean over their anchors, since the value of FlatNCE says nothing; of others the value.
    """
    if not isinstance(loss, AnalyticLoss):
        return torch.stack([loss(a, b) for a, b in zip(z_a, z_b, strict=True)])
    rows = max(1, _BLOCK // z_a.shape[1] ** 2)
    parts = zip(z_a.split(rows), z_b.split(rows), strict=True)
    return torch.cat([loss.per_anchor(a, b).mean(-1) for a, b in parts])
