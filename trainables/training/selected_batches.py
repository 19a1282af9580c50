"""Batches that a selection method chooses round by round for the `Trainer`.

Some methods choose by embeddings of the images from the network that is being trained.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from trainables.copies import copy_ahead
from trainables.selection.selection import BatchSelection
from trainables.trial_clock import trial_seconds
from trainables.views.batched import Views

#: Pairs in one forward pass. Batch norm computes its statistics from them, as it does from a training batch.
_PAIRS_A_PASS = 512

#: Maps rows of images to the unit-norm embeddings `(n, d)` of two views.
Embed = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class CandidateEmbeddings:
    """Maps rows of `images` to unit-norm embeddings `z_a` and `z_b`, each `(n, d)`, of two new views per image.

    The network runs in training mode: batch norm uses the statistics of the forward pass. Its buffers do not change.
    """

    network: nn.Module
    images: Tensor  # uint8 (N, C, H, W)
    views: Views
    generator: torch.Generator  # for these views only, so the selection never changes training views
    device: torch.device
    autocast: Callable[[], AbstractContextManager]

    @torch.no_grad()
    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        # An even split: no pass is left with only a few pairs.
        passes = rows.tensor_split(math.ceil(len(rows) / _PAIRS_A_PASS))
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
    """An endless sequence of selected batches, with the interface of `BatchOrder`.

    If the method uses embeddings, the candidates of the next rounds are embedded once every `refresh` batches. The
    selection of a later batch among them therefore uses embeddings that are older by the steps before it.
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
        self.seconds, self.samples = 0.0, 0  # time of the selection; images embedded for it

    def next(self) -> Tensor:
        """Indices of the next batch, int64 `(B,)`."""
        if not len(self._queue):
            self._queue = copy_ahead(self._select(), self._device)
        batch, self._queue = self._queue[0], self._queue[1:]
        return batch

    def state(self) -> dict[str, Any]:
        """The state that `restore` needs to continue from this point, including the batches chosen in advance."""
        return {
            "generator": self._generator.get_state(),
            "queue": self._queue.clone(),
            "seconds": self.seconds,
            "samples": self.samples,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the point where `state` was saved."""
        self._generator.set_state(state["generator"])
        self._queue = state["queue"].to(self._device)
        self.seconds, self.samples = state["seconds"], state["samples"]

    def _select(self) -> Tensor:
        drawn = [self._selection.draw(self._generator) for _ in range(self._rounds)]
        if not self._selection.looks or self._embed is None:
            return torch.cat(drawn)
        if torch.cuda.is_initialized():  # queued training steps are not part of the selection's time
            torch.cuda.current_stream().synchronize()
        started = trial_seconds()
        z_a, z_b = (
            z.split(drawn[0].numel()) for z in self._embed(torch.cat(drawn).flatten().to(self._device))
        )
        chosen = [
            self._selection.choose(
                each, a.unflatten(0, each.shape), b.unflatten(0, each.shape), self._generator
            )
            for each, a, b in zip(drawn, z_a, z_b, strict=True)
        ]
        self.seconds += trial_seconds() - started
        self.samples += sum(each.numel() for each in drawn)
        return torch.cat(chosen)
