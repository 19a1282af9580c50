"""Features whose accuracies are known."""

import numpy as np
import torch
from torch.nn import functional as F

from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.turns import in_one_turn

#: Splits made by `clusters` and their seeds.
_SIZES = {"train": 90, "val": 60, "test": 60}


def clusters(n: int, seed: int, *, spread: float = 0.1, dimensions: int = 3) -> Labelled:
    """Three classes at three corners."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    features = np.eye(3, dimensions)[labels] + spread * rng.standard_normal((n, dimensions))
    return Labelled(features=torch.from_numpy(features).float(), labels=torch.from_numpy(labels))


def noise(n: int, seed: int, *, scale: float = 1.0, shift: float = 0.0) -> Labelled:
    """Three classes that the features say nothing about."""
    rng = np.random.default_rng(seed)
    features = shift + scale * rng.standard_normal((n, 3))
    return Labelled(features=torch.from_numpy(features).float(), labels=torch.arange(n) % 3)


def encoded(train: Labelled, val: Labelled, test: Labelled) -> EncodedSplits:
    """Splits whose views and corrupted copies are the images themselves. New crops move features a little."""

    @in_one_turn
    def augmented(randomness: torch.Generator) -> torch.Tensor:
        moved: torch.Tensor = torch.randn(train.features.shape, generator=randomness)
        return train.features + 0.01 * train.features.abs().max() * moved

    labelled = {"train": train, "val": val, "test": test}
    return EncodedSplits(
        labelled=labelled,
        views=lambda split: (labelled[split].features, labelled[split].features),
        corrupted=lambda split: iter([labelled[split].features] * 2),
        projected_views=lambda split: (_units(labelled[split]),) * 2,
        corrupted_views=lambda split: (_corrupted(labelled[split]),) * 2,
        augmented=augmented,
    )


def _units(split: Labelled) -> torch.Tensor:
    return F.normalize(split.features, dim=1)


def _corrupted(split: Labelled) -> torch.Tensor:
    """Two "corruptions": none, and coordinates that change places, which says nothing where all are equal."""
    return torch.stack([_units(split), _units(split).roll(1, dims=1)])


def separable() -> EncodedSplits:
    """Clusters that every probe tells apart."""
    return encoded(*(clusters(n, seed) for seed, n in enumerate(_SIZES.values())))
