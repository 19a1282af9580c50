"""The random streams of a trial. Each depends only on the trial's seed and on the purpose of the stream.

The streams do not depend on the loss or an id. So trials of different losses with the same seed share initialisation,
batch order and views, and their differences are paired.
"""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """The purposes of streams. Every result depends on the numbers: never change them, only append new ones."""

    INITIALISATION = 0
    BATCH_ORDER = 1
    VIEWS = 2
    EVALUATION_VIEWS = 3
    PROBE_ORDER = 4
    SELECTION_VIEWS = 5
    CORRUPTED_VIEWS = 6
    OWN_DRAWS = 7
    PROBE_VIEWS = 8


def stream_generator(seed: int, purpose: Stream, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator whose state depends only on `seed` and `purpose`. Different purposes give independent streams."""
    state = np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose),)).generate_state(1, np.uint64)
    generator = torch.Generator(device=device)
    generator.manual_seed(int(state[0]) & 0x7FFF_FFFF_FFFF_FFFF)  # torch takes signed 64 bits
    return generator
