"""The batches of K stacked sphere trials. Each trial has the same batches as alone."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.config import SphereTask
from trainables.selection.kinds import LOOKING_METHODS
from trainables.selection.methods import Selector, build_selector
from trainables.streams import Stream, stream_generator


class StackedBatches:
    """The rounds of a selector, batch by batch. Trial k has the batches of the selector's member `owner[k]`.

    If the batches do not depend on embeddings, they are drawn once for all trials of one seed.
    """

    def __init__(self, selector: Selector, owner: Tensor, members: Tensor) -> None:
        self._selector, self._owner, self._members = selector, owner, members
        self._round, self._position = torch.empty(len(members), 0, 0, dtype=torch.int64), 0
        self.seconds, self.samples = 0.0, 0  # time of the selection; pairs embedded for it, per trial

    def next(self, embeddings: Callable[[], Tensor]) -> Tensor:
        """Indices `(K, B)` of the next batch. `embeddings` gives unit-norm `(K, 2, N, d)` at the start of a round."""
        if self._position == self._round.shape[1]:
            self._choose(embeddings()[self._members])
        self._position += 1
        return self._round[self._owner, self._position - 1]

    def _choose(self, z: Tensor) -> None:
        started = time.perf_counter()
        z_a, z_b = z.unbind(1)
        self._round, self._position = self._selector.next_batches(z_a, z_b), 0
        self.seconds += time.perf_counter() - started
        self.samples += self._selector.pool * self._round.shape[2] if self._selector.looks else 0


def stacked_batches(task: SphereTask, seeds: Sequence[int], losses: Sequence[Any]) -> StackedBatches:
    """The batches of trials with these seeds and losses. Their tasks are equal except for learning rates.

    Raises the errors of `trainables.selection.rounds.resolve_round`.
    """
    if task.selection.method in LOOKING_METHODS:
        members = list(range(len(seeds)))  # every trial chooses by its own embeddings
        owner = members
    else:
        members = [seeds.index(seed) for seed in dict.fromkeys(seeds)]
        owner = [members.index(seeds.index(seed)) for seed in seeds]
    selector = build_selector(
        task.selection,
        task.n_pairs,
        task.training.batch_size,
        [losses[member] for member in members],
        [stream_generator(seeds[member], Stream.BATCH_ORDER) for member in members],
    )
    return StackedBatches(selector, torch.tensor(owner), torch.tensor(members))
