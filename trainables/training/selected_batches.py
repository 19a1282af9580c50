"""Batches that are selected round by round, by what the network in training makes of the images where need be."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from trainables.selection.selection import BatchSelection
from trainables.views.batched import Views

#: Pairs of a forward pass. Batch norm takes its statistics from them, as from a batch in training.
_PAIRS_A_PASS = 512

#: Unit-norm views `(n, d)` of the images of given rows.
Embed = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class CandidateEmbeddings:
    """Called with rows of `images`: their `z_a`, `z_b`, unit-norm `(n, d)`, of two fresh views each.

    The network is as in training, batch norm with the statistics of the pass, but its buffers stay as they are.
    """

    network: nn.Module
    images: Tensor  # uint8 (N, C, H, W)
    views: Views
    generator: torch.Generator  # of no views but these: training sees the same ones whatever is selected
    device: torch.device
    autocast: Callable[[], AbstractContextManager]

    @torch.no_grad()
    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        passes = rows.tensor_split(
            math.ceil(len(rows) / _PAIRS_A_PASS)
        )  # even: no pass has a remainder of two
        z_a, z_b = zip(*[self._embed(self.images[part].to(self.device)) for part in passes], strict=True)
        return torch.cat(z_a), torch.cat(z_b)

    def _embed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        twice = self.views(torch.cat([images, images]), self.generator)
        buffers = {name: value.clone() for name, value in self.network.named_buffers()}
        with self.autocast():
            _, z = functional_call(self.network, buffers, twice.contiguous(memory_format=torch.channels_last))
        z_a, z_b = F.normalize(z.float(), dim=1).chunk(2)
        return z_a, z_b


class SelectedBatches:
    """Batches of a selection without end, in the form of `BatchOrder`.

    Where the method looks, every `refresh` batches the candidates of the rounds to come are embedded and chosen
    from; later ones among them are then trained by embeddings that are as old as the batches before them.
    """

    def __init__(
        self,
        selection: BatchSelection,
        generator: torch.Generator,
        embed: Embed | None = None,
        *,
        refresh: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._selection, self._generator, self._embed, self._device = selection, generator, embed, device
        self._rounds = (refresh or selection.keep) // selection.keep
        self._queue = torch.empty(0, selection.batch_size, dtype=torch.int64, device=device)
        self.seconds, self.samples = 0.0, 0  # that choosing took; images that were embedded for it

    def next(self) -> Tensor:
        """Indices of the next batch, int64 `(B,)`."""
        if not len(self._queue):
            self._queue = self._select().to(self._device)
        batch, self._queue = self._queue[0], self._queue[1:]
        return batch

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, the batches that are chosen already among it."""
        return {
            "generator": self._generator.get_state(),
            "queue": self._queue.clone(),
            "seconds": self.seconds,
            "samples": self.samples,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._generator.set_state(state["generator"])
        self._queue = state["queue"].to(self._device)
        self.seconds, self.samples = state["seconds"], state["samples"]

    def _select(self) -> Tensor:
        drawn = [self._selection.draw(self._generator) for _ in range(self._rounds)]
        if not self._selection.looks or self._embed is None:
            return torch.cat(drawn)
        if torch.cuda.is_initialized():  # steps that are queued are no cost of the selection
            torch.cuda.synchronize()
        started = time.perf_counter()
        z_a, z_b = (
            z.split(drawn[0].numel()) for z in self._embed(torch.cat(drawn).flatten().to(self._device))
        )
        chosen = [
            self._selection.choose(
                each, a.unflatten(0, each.shape), b.unflatten(0, each.shape), self._generator
            )
            for each, a, b in zip(drawn, z_a, z_b, strict=True)
        ]
        self.seconds += time.perf_counter() - started
        self.samples += sum(each.numel() for each in drawn)
        return torch.cat(chosen)
