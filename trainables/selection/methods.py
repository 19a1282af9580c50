"""The classes of the methods of batch selection by name, and the selector that training uses."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.config import SelectionConfig
from trainables.selection.all_subsets import AllSubsets
from trainables.selection.fixed import Fixed
from trainables.selection.full import Full
from trainables.selection.osgd import OrderedSGD
from trainables.selection.rounds import resolve_round
from trainables.selection.selection import BatchSelection
from trainables.selection.shuffle import Shuffle
from trainables.selection.spectral import SpectralClustering

#: One class for every name in `trainables.selection.kinds.METHODS`.
SELECTIONS: dict[str, type[BatchSelection]] = {
    "full": Full,
    "fixed": Fixed,
    "shuffle": Shuffle,
    "all_subsets": AllSubsets,
    "osgd": OrderedSGD,
    "spectral": SpectralClustering,
}


def build_selection(config: SelectionConfig, n: int, batch_size: int, loss: Any = None) -> BatchSelection:
    """The method that `config` names, for `n` pairs. Raises the errors of `resolve_round`."""
    numbers = resolve_round(config, n, batch_size)
    method = SELECTIONS[config.method]
    return method(n=n, batch_size=batch_size, pool=numbers.pool, keep=numbers.keep, loss=loss)


class Selector:
    """Selects batches round by round from all embeddings, for one trial or for K stacked trials.

    Only the states of the generators change from round to round. To continue after a restart, save and restore them.
    """

    def __init__(self, selections: Sequence[BatchSelection], generators: Sequence[torch.Generator]) -> None:
        self._selections, self._generators = selections, generators

    @property
    def pool(self) -> int:
        """k, the number of candidate batches of a round."""
        return self._selections[0].pool

    @property
    def looks(self) -> bool:
        """Whether the method chooses by the embeddings."""
        return self._selections[0].looks

    def next_batches(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """The batches of the next round in order, int64 `(q, B)`, given unit-norm `(N, d)` views of all pairs.

        For views `(K, N, d)`, the result is `(K, q, B)`. Each member gets the same batches as alone. If all members
        share one generator, each gets the same batches as alone with this generator. The result is on the views'
        device. Raises `ValueError` for another number of pairs or members.
        """
        self._check(z_a)
        if z_a.ndim == 2:
            return self._round(0, z_a, z_b)
        before = self._generators[0].get_state()
        rounds = []
        for member in range(len(z_a)):
            if len(self._generators) == 1:
                self._generators[0].set_state(before)
            rounds.append(self._round(member, z_a[member], z_b[member]))
        return torch.stack(rounds)

    def _round(self, member: int, z_a: Tensor, z_b: Tensor) -> Tensor:
        selection = self._selections[member if len(self._selections) > 1 else 0]
        generator = self._generators[member if len(self._generators) > 1 else 0]
        candidates = selection.draw(generator)
        if selection.looks:
            rows = candidates.to(z_a.device)
            candidates = selection.choose(candidates, z_a.detach()[rows], z_b.detach()[rows], generator)
        return candidates.to(z_a.device)

    def _check(self, z_a: Tensor) -> None:
        n, members = self._selections[0].n, max(len(self._selections), len(self._generators))
        stacked = z_a.ndim == 3 and members in (1, len(z_a))
        if z_a.shape[-2] != n or not (stacked or (z_a.ndim == 2 and members == 1)):
            allowed = f"({n}, d) or (K, {n}, d)" if members == 1 else f"({members}, {n}, d)"
            raise ValueError(f"z_a: got shape {tuple(z_a.shape)}; allowed is {allowed}")


def build_selector(
    config: SelectionConfig,
    n: int,
    batch_size: int,
    loss: Any,
    generator: torch.Generator | Sequence[torch.Generator],
) -> Selector:
    """A selector of batches of `batch_size` from `n` pairs. `loss` is for the methods that use losses.

    For a stack of K trials, `loss` and `generator` may be sequences of length K. Generators are on the CPU. Raises
    the errors of `resolve_round`.
    """
    losses = list(loss) if isinstance(loss, Sequence) else [loss]
    generators = [generator] if isinstance(generator, torch.Generator) else list(generator)
    return Selector([build_selection(config, n, batch_size, each) for each in losses], generators)
