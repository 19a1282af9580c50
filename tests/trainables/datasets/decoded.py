"""Images as a decoder gives them, in batches, to keep in the cache."""

from collections.abc import Iterator

import numpy as np

from trainables.datasets.source import Images, Indices

SHAPE = (40, 3, 8, 8)


EXPECTED = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


def batches() -> Iterator[tuple[Indices, Images]]:
    """Eight images at a time, last ones first."""
    for first in range(32, -1, -8):
        places = np.arange(first, first + 8)
        yield places, EXPECTED[places]
