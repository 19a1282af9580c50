"""The base class of the methods of batch selection: a random draw of candidates, then a choice among them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BatchSelection:
    """Selects batches of `batch_size` (B) from `n` pairs (N). A round draws `pool` (k) batches and keeps `keep` (q).

    A selection has no state: the next round depends only on the generator's state and on the embeddings.
    """

    looks: ClassVar[bool] = False  # whether `choose` needs embeddings

    n: int
    batch_size: int
    pool: int
    keep: int
    loss: Any = None  # only for methods that use embeddings

    def draw(self, generator: torch.Generator) -> Tensor:
        """The candidate batches: indices of pairs, int64 `(k, B)` on the CPU."""
        raise NotImplementedError

    def choose(self, candidates: Tensor, z_a: Tensor, z_b: Tensor, generator: torch.Generator) -> Tensor:
        """The batches to train on, in order, int64 `(q, B)`, given the candidates' unit-norm views `(k, B, d)`.

        Methods that do not use embeddings return the candidates, and the views may be empty tensors.
        """
        return candidates


def shuffled_batches(n: int, batch_size: int, count: int, generator: torch.Generator) -> Tensor:
    """The first `count` batches of one shuffle of `n` pairs, disjoint, int64 `(count, B)`."""
    return torch.randperm(n, generator=generator)[: count * batch_size].view(count, batch_size)
