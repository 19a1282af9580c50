"""Copies of tensors from the host to a device."""

import torch
from torch import Tensor


def copy_ahead(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on `device`. A copy to CUDA is queued on the current stream, and the host does not wait for it.

    CUDA copies from page-locked memory without a wait. From other memory, it waits for the work of the stream.
    """
    if tensor.device.type == "cpu" and torch.device(device).type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
