"""What every way of selecting batches is: a random draw of candidates, then a choice among them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BatchSelection:
    """Selects batches of `batch_size` (B) among `n` pairs (N); `pool` (k) and `keep` (q) are those of a round.

    Nothing is remembered between rounds: the generator's state is all that the next round depends on.
    """

    looks: ClassVar[bool] = False  # whether `choose` needs embeddings

    n: int
    batch_size: int
    pool: int
    keep: int
    loss: Any = None  # of the methods that look

    def draw(self, generator: torch.Generator) -> Tensor:
        """Candidates: indices of pairs, int64 `(k, B)` on the CPU."""
        raise NotImplementedError

    def choose(self, candidates: Tensor, z_a: Tensor, z_b: Tensor, generator: torch.Generator) -> Tensor:
        """The batches to train on, in order, int64 `(q, B)`, given the candidates' unit-norm views `(k, B, d)`.

        Methods that do not look return the candidates; their views may be empty tensors.
        """
        return candidates


def shuffled_batches(n: int, batch_size: int, count: int, generator: torch.Generator) -> Tensor:
    """The first `count` batches of one shuffle of `n` pairs, disjoint, int64 `(count, B)`."""
    return torch.randperm(n, generator=generator)[: count * batch_size].view(count, batch_size)
