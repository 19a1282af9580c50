"""The inputs of the probes: features of the frozen encoder, computed once per split and shared by all probes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from trainables.turns import Turns


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Features `(N, d)` with labels `(N,)` counted from 0, on one device."""

    features: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class EncodedSplits:
    """The encoder's output `h` on the splits "train", "val" and "test", and the inputs of the retrieval probes.

    Without a validation split, "val" is absent. The inputs of the retrieval probes are functions of the split name
    "val" or "test", because they need forward passes of the encoder. `views` returns the features of two views of
    each image. `projected_views` returns the projections `z (N, d)` of the same views, not normalised. `corrupted`
    yields the features of the images for each corruption. `corrupted_views` returns the projections `(C, N, d)` of
    two views of each image under each of C corruptions.

    `augmented` returns the features of new crops and flips of the training images, in their order. It draws the crops
    from the generator, which is on the device of the features.
    """

    labelled: Mapping[str, Labelled]
    views: Callable[[str], tuple[Tensor, Tensor]]
    corrupted: Callable[[str], Iterator[Tensor]]
    projected_views: Callable[[str], tuple[Tensor, Tensor]]
    corrupted_views: Callable[[str], tuple[Tensor, Tensor]]
    augmented: Callable[[torch.Generator], Turns[Tensor]]

    @cached_property
    def standardised(self) -> dict[str, Labelled]:
        """The features of all splits in float64, with zero mean and unit standard deviation on the training split.

        A feature that is constant on the training split becomes zero.
        """
        features = self.labelled["train"].features.double()
        mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
        # The features of a collapsed encoder differ only by rounding. This noise must not be scaled up to size one.
        floor = 1e-6 * features.abs().max().clamp(min=1e-30)
        scale = torch.where(deviation > floor, deviation, torch.inf)
        return {
            name: Labelled(features=(split.features.double() - mean) / scale, labels=split.labels)
            for name, split in self.labelled.items()
        }
