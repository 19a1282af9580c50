"""Every random stream of a trial, derived from its seed and the stream's purpose alone.

Never from the loss or an id: trials of different losses at one seed share initialisation, batch order and views,
so that their differences are paired.
"""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """Purposes. The numbers are part of every result: never renumber, only append."""

    INITIALISATION = 0
    BATCH_ORDER = 1
    VIEWS = 2
    EVALUATION_VIEWS = 3
    PROBE_ORDER = 4
    SELECTION_VIEWS = 5
    CORRUPTED_VIEWS = 6


def stream_generator(seed: int, purpose: Stream, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator whose state depends on `seed` and `purpose`, independent of those of other purposes."""
    state = np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose),)).generate_state(1, np.uint64)
    generator = torch.Generator(device=device)
    generator.manual_seed(int(state[0]) & 0x7FFF_FFFF_FFFF_FFFF)  # torch takes signed 64 bits
    return generator
