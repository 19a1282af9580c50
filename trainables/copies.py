"""Copies of tensors between the host and a device."""

from collections.abc import Callable

import torch
from torch import Tensor


def copy_ahead(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on `device`. A copy to CUDA is queued on the current stream, and the host does not wait for it.

    CUDA copies from page-locked memory without a wait. From other memory, it waits for the work of the stream.
    """
    if tensor.device.type == "cpu" and torch.device(device).type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def copy_back(tensor: Tensor) -> Callable[[], Tensor]:
    """A function that returns the tensor on the CPU. A copy from CUDA starts now; only the function waits for it."""
    copied = tensor.to("cpu", non_blocking=True)
    if not tensor.is_cuda:
        return lambda: copied
    event = torch.cuda.Event()
    event.record()

    def when_copied() -> Tensor:
        event.synchronize()
        return copied

    return when_copied
