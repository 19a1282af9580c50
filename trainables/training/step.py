"""One optimiser step of K trials, used by the `Trainer`.

A step computes two views, one forward pass of both views, the losses, the backward pass of their sum, and the update.
The losses are summed and never averaged: a mean would divide every member's gradient by K.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.losses.stacking import LossesInTurn, stack_losses
from trainables.training.member import Loss
from trainables.training.optimizer import StackedOptimizer
from trainables.views.batched import Views

#: A slice of consecutive members, and the function that computes their losses in one call.
LossGroup = tuple[slice, Callable[[Tensor, Tensor], Tensor]]

#: A function that makes two views of every image of every seed, as `trainables.views.fused.fused_views` does, from
#: the images, the generators and the type of the views.
MakeViews = Callable[[Tensor, Sequence[torch.Generator], torch.dtype], Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """Trains on the images of every seed, uint8 `(U, M, C, H, W)`, and returns the losses `(K,)`.

    `factor` is the factor of the learning-rate schedule.
    """

    network: nn.Module
    losses: Sequence[LossGroup]
    optimizer: StackedOptimizer
    views: Views
    generators: Sequence[torch.Generator]  # for the views, one per seed
    seed_of: Tensor  # (K,), the index of each member's seed among the U seeds
    autocast: Callable[[], AbstractContextManager]
    input_dtype: torch.dtype = torch.float32  # of the views that the network gets
    make_views: MakeViews | None = None  # instead of the batched form of the views

    def __call__(self, images: Tensor, factor: Tensor) -> Tensor:
        inputs = self._inputs(images)
        with self.autocast():
            _, z = self.network(inputs)
        # The losses expect unit-norm rows. Normalise once, in float32, for every precision of the network.
        rows = z.float().unflatten(1, (len(self.seed_of), -1)).transpose(0, 1)
        z_a, z_b = F.normalize(rows, dim=2).chunk(2, dim=1)
        if len(self.losses) == 1:  # without the operators that split and join
            values = self.losses[0][1](z_a, z_b)
        else:
            values = torch.cat([loss(z_a[members], z_b[members]) for members, loss in self.losses])
        self.optimizer.zero_grad()
        # The gradient of the sum, without an operator for the sum. A loss of a user may have another type.
        values.backward(self._ones.to(values.dtype))
        self.optimizer.step(factor)
        return values.detach()

    @cached_property
    def _ones(self) -> Tensor:
        return torch.ones(len(self.seed_of), device=self.seed_of.device)  # float32, as the losses are

    def _inputs(self, images: Tensor) -> Tensor:
        """Both views of every image: first all first views, then all second views; members along the channels."""
        if self.make_views:
            views = self.make_views(images, self.generators, self.input_dtype)
        else:
            twice = torch.cat([images, images], dim=1)  # in one pass, so that batch norm sees both views
            drawn = self.views.draw_stacked(twice.shape[1], self.generators, images.device)
            views = self.views.apply(twice.flatten(0, 1), drawn)
        if len(self.seed_of) > 1:
            by_seed = views.unflatten(0, (len(images), -1))
            views = by_seed[self.seed_of].transpose(0, 1).flatten(1, 2)
        return views.to(self.input_dtype, memory_format=torch.channels_last)


def group_losses(losses: Sequence[Loss], device: torch.device | str = "cpu") -> list[LossGroup]:
    """Group consecutive losses that differ in numbers only. Each group is one callable, `(K, M, d)` to `(K,)`."""
    groups: list[LossGroup] = []
    for _, run in itertools.groupby(losses, key=_variant):
        start, members = (groups[-1][0].stop if groups else 0), list(run)
        # A single loss gets `(M, d)`, as it does outside a stack.
        joined = stack_losses(members, device) if len(members) > 1 else LossesInTurn(losses=tuple(members))
        groups.append((slice(start, start + len(members)), joined))
    return groups


def _variant(loss: Loss) -> tuple[Any, ...]:
    """The properties that must be equal for losses in one call: their class and all non-numeric fields."""
    fields = {spec.name: getattr(loss, spec.name) for spec in _fields_of(loss)}
    return type(loss), *(item for item in fields.items() if not isinstance(item[1], int | float))


def _fields_of(loss: Loss) -> Sequence[dataclasses.Field]:
    return dataclasses.fields(loss) if dataclasses.is_dataclass(loss) else ()
