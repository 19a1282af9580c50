"""The selection method `osgd` (Ordered SGD): the batches with the highest loss."""

import math
from typing import Any

import torch
from torch import Tensor

from trainables.losses.analytic import AnalyticLoss
from trainables.selection.all_subsets import every_batch
from trainables.selection.rounds import MOST_SUBSETS
from trainables.selection.selection import BatchSelection, shuffled_batches

#: Largest number of similarities that are computed at once.
_BLOCK = 2**24


class OrderedSGD(BatchSelection):
    """The q batches with the highest loss among k random batches, the highest loss first.

    For k B <= N, the candidates are disjoint batches of one shuffle. For larger k, they are k different batches among
    all C(N, B), if these are at most `MOST_SUBSETS`, or else batches of several shuffles. Pairs in no candidate and
    candidates that are not kept are not used in this round. Of equal losses, the batch drawn first comes first.
    Source: Kawaguchi and Lu 2020 (arXiv 1907.04371), applied to batches as in Cho et al. 2024 (arXiv 2307.05906), who
    use k = C(N, B) and q = 1 on the sphere. As in their code, each kept batch gives one step.
    """

    looks = True

    def draw(self, generator: torch.Generator) -> Tensor:
        """k candidate batches."""
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
        """The q candidates with the highest loss. NaN comes first, so that training notices it."""
        highest = batch_losses(self.loss, z_a, z_b).sort(descending=True, stable=True).indices
        return candidates[highest[: self.keep].cpu()]


@torch.no_grad()
def batch_losses(loss: Any, z_a: Tensor, z_b: Tensor) -> Tensor:
    """The loss of each batch of unit-norm views `(k, B, d)`: `(k,)`, in the loss's units.

    For built-in losses, this is the mean over the anchors, since the value of FlatNCE is constant. For other losses,
    it is their value.
    """
    if not isinstance(loss, AnalyticLoss):
        return torch.stack([loss(a, b) for a, b in zip(z_a, z_b, strict=True)])
    rows = max(1, _BLOCK // z_a.shape[1] ** 2)
    parts = zip(z_a.split(rows), z_b.split(rows), strict=True)
    return torch.cat([loss.per_anchor(a, b).mean(-1) for a, b in parts])
