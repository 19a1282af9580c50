"""What the probes are given: features of the frozen encoder, computed once a split and shared by all probes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Features `(N, d)` with labels `(N,)` counted from 0, on one device."""

    features: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class EncodedSplits:
    """The encoder's output `h` on the splits "train", "val" and "test", and what the retrieval probes search with.

    All are functions of "val" or "test", since they cost passes of the encoder: `views` gives the features of two
    views of each image and `projected_views` the projections `z (N, d)` of the same, of any length; `corrupted`
    the features of the images under one corruption after the other, `corrupted_views` the projections `(C, N, d)`
    of two views of each image under each of C corruptions.
    """

    labelled: Mapping[str, Labelled]
    views: Callable[[str], tuple[Tensor, Tensor]]
    corrupted: Callable[[str], Iterator[Tensor]]
    projected_views: Callable[[str], tuple[Tensor, Tensor]]
    corrupted_views: Callable[[str], tuple[Tensor, Tensor]]

    @cached_property
    def standardised(self) -> dict[str, Labelled]:
        """All splits in float64, with zero mean and unit deviation on the training split.

        A feature that is constant on the training split becomes zero.
        """
        features = self.labelled["train"].features.double()
        mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
        # A collapsed encoder has features that differ by rounding alone: noise is not to be scaled up to size one.
        floor = 1e-6 * features.abs().max().clamp(min=1e-30)
        scale = torch.where(deviation > floor, deviation, torch.inf)
        return {
            name: Labelled(features=(split.features.double() - mean) / scale, labels=split.labels)
            for name, split in self.labelled.items()
        }
