"""Random numbers of code without a generator of its own, such as `nn.Dropout` in an encoder of a user, on CUDA.

They come from torch's default generator of the device, which all trials of a process share. Trials that train at the
same time would draw from it in an order that depends on their turns. Captured graphs also keep its position in memory
of the device, which each replay sets on its own stream.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def drawing_from(own: torch.Generator | None) -> Iterator[None]:
    """Within the block, the default generator of the device of `own` has the state of `own`, and advances it.

    With None, nothing changes.
    """
    if own is None:
        yield
        return
    default = default_generator(own.device)
    before = default.graphsafe_get_state()
    default.graphsafe_set_state(own)
    try:
        yield
    finally:
        default.graphsafe_set_state(before)


def default_generator(device: torch.device) -> Any:
    """Torch's default generator of a CUDA device."""
    return torch.cuda.default_generators[device.index or 0]
