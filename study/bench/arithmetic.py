"""The floating-point operations that a network needs, and the rate of operations that the device reaches."""

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from study.bench.timing import wait_for
from trainables.config import EncoderConfig
from trainables.encoders.encoders import build_model
from trainables.training.precision import matmul_precision

#: Side of the square matrices, and images and channels of the convolution (32x32 pixels, 3x3 weights), by device.
#: They are so large that they take milliseconds and that the launch time does not matter.
_SIDE = {"cpu": 1024, "cuda": 8192}
_CONVOLVED = {"cpu": (16, 128), "cuda": (512, 256)}

_CALLS, _REPEATS = 4, 5

_COUNTED_VIEWS = 2  # the minimum for batch norm


def network_flops(encoder: EncoderConfig, *, channels: int, size: int) -> float:
    """Floating-point operations of the forward and backward pass of one view through encoder and head.

    Only convolutions and matrix products count; a multiplication and an addition count as two. The gradient with
    respect to the images is neither computed nor counted.
    """
    model = build_model(encoder, channels=channels, size=size, seed_generator=torch.Generator())
    with FlopCounterMode(display=False) as counter:
        _, z = model.train()(torch.zeros(_COUNTED_VIEWS, channels, size, size))
        z.sum().backward()
    return counter.get_total_flops() / _COUNTED_VIEWS


def matmul_peak(precision: str, device: torch.device) -> float:
    """Measured floating-point operations per second of large matrix products in a training precision.

    It is the best of several repeats of a square product and of a convolution, with torch's current number of
    threads. A convolution is a product too: if one library does not use the device fully (MKL in float32 on another
    maker's processor: half), the other may. The numbers are random, because with constant numbers a chip uses less
    power and clocks higher.
    """
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    generator = torch.Generator(device).manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device).to(dtype)

    with matmul_precision(precision, device):
        return max(_product_rate(random, device), _convolution_rate(random, device))


def _product_rate(random: Callable[..., Tensor], device: torch.device) -> float:
    side = _SIDE[device.type]
    a, b = random(side, side), random(side, side)
    return 2 * side**3 / _best_seconds(lambda: a @ b, device)


def _convolution_rate(random: Callable[..., Tensor], device: torch.device) -> float:
    images, channels = _CONVOLVED[device.type]
    x, weights = (
        random(*shape).contiguous(memory_format=torch.channels_last)
        for shape in ((images, channels, 32, 32), (channels, channels, 3, 3))
    )
    operations = 2 * images * 32 * 32 * channels**2 * 9
    return operations / _best_seconds(lambda: F.conv2d(x, weights, padding=1), device)


def _best_seconds(call: Callable[[], object], device: torch.device) -> float:
    call()
    return min(_seconds(call, device) for _ in range(_REPEATS))


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    started = time.perf_counter()
    for _ in range(_CALLS):
        call()
    wait_for(device)
    return (time.perf_counter() - started) / _CALLS
