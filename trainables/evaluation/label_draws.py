"""Draws of few labelled images per class, for the few-label probes.

A draw depends only on the labels, `shots` and `draws`, so all trials, seeds and losses use the same labelled images.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

#: Entropy of the label draws, the same for every trial of every study.
_LABEL_DRAWS_ENTROPY = 240518045


def label_draws(labels: NDArray[np.integer], shots: int, draws: int) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of `shots` images of each class, `draws` times. Equal arguments give equal indices.

    Raises `ValueError` when a class has fewer images than `shots`.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < shots:
        smallest = classes[counts.argmin()]
        raise ValueError(
            f"probe{shots}: class {smallest} has {counts.min()} training images, {shots} are needed"
        )
    for draw in range(draws):
        stream = np.random.SeedSequence(_LABEL_DRAWS_ENTROPY, spawn_key=(shots, draw))
        generator = np.random.default_rng(stream)
        members = (np.flatnonzero(labels == label) for label in classes)
        yield np.sort(np.concatenate([generator.permutation(member)[:shots] for member in members]))
