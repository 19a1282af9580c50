"""Arithmetic that a network asks for, and that the device can do."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from study.bench.timing import wait_for
from trainables.config import EncoderConfig
from trainables.encoders.catalogue import build_model
from trainables.training.precision import matmul_precision

#: Side of the square matrices, so large that their product takes milliseconds and its launch nothing.
_SIDE = {"cpu": 1024, "cuda": 8192}

_PRODUCTS, _REPEATS = 4, 5

_COUNTED_VIEWS = 2  # the fewest that batch norm takes


def network_flops(encoder: EncoderConfig, *, channels: int, size: int) -> float:
    """Floating-point operations of a view's forward and backward pass through encoder and head.

    Those of convolutions and matrix products, a multiplication and an addition counted as two. The gradient of
    the images is not computed and not counted.
    """
    model = build_model(encoder, channels=channels, size=size, seed_generator=torch.Generator())
    with FlopCounterMode(display=False) as counter:
        _, z = model.train()(torch.zeros(_COUNTED_VIEWS, channels, size, size))
        z.sum().backward()
    return counter.get_total_flops() / _COUNTED_VIEWS


def matmul_peak(precision: str, device: torch.device) -> float:
    """Floating-point operations a second of large square matrix products in a training precision, measured.

    The best of some repeats, with the threads that torch is set to. The matrices are random: on constant ones a
    processor draws less power and clocks higher.
    """
    side = _SIDE[device.type]
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(side, side, generator=generator, device=device).to(dtype) for _ in range(2))
    with matmul_precision(precision, device):
        _seconds_of_products(a, b)
        seconds = min(_seconds_of_products(a, b) for _ in range(_REPEATS))
    return _PRODUCTS * 2 * side**3 / seconds


def _seconds_of_products(a: torch.Tensor, b: torch.Tensor) -> float:
    wait_for(a.device)
    started = time.perf_counter()
    for _ in range(_PRODUCTS):
        a @ b
    wait_for(a.device)
    return time.perf_counter() - started
