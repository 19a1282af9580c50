"""Speed and memory of the losses, forward plus backward, on one thread: `python -m tests.benchmarks.bench_losses`.

Every row is measured side by side in one run, so that its ratios mean something on a busy machine too. "products"
are the matrix products that the loss cannot avoid: its own Gram blocks forward, and their products with the
embeddings backward. "public" is the same loss in its published style.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from tests.benchmarks import public_style
from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.timing import seconds_each
from trainables.losses import build_loss
from trainables.losses.views import check_shapes, check_views

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own chatter

Loss = Callable[[Tensor, Tensor], Tensor]

#: Loss, fields, Gram blocks forward, products backward, and its public style.
ROWS: list[tuple[str, dict[str, Any], int, int, Loss | None]] = [
    ("infonce", {}, 1, 2, public_style.infonce),
    ("ntxent", {}, 3, 4, public_style.ntxent),
    ("dcl", {}, 3, 4, public_style.dcl),
    ("flatnce", {}, 3, 4, None),
    ("dhel", {}, 2, 2, public_style.dhel),
    *(
        ("kcl", {"kernel": kernel}, 2, 2, lambda a, b, kernel=kernel: public_style.kcl(a, b, kernel))
        for kernel in ("gaussian", "log", "imq")
    ),
    ("kcl", {"kernel": "riesz"}, 2, 2, None),
    ("ntxent", {"temperature": 0.01}, 3, 4, lambda a, b: public_style.ntxent(a, b, 0.01)),
]

_D = 128
_STACK, _STACKED_PAIRS = 16, 32


def _views(*shape: int, device: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(2, *shape, generator=generator), dim=-1).to(device)
    return z[0].clone().requires_grad_(), z[1].clone().requires_grad_()


def _both_ways(loss: Loss, z_a: Tensor, z_b: Tensor) -> Callable[[], object]:
    ones = None if z_a.ndim == 2 else torch.ones(z_a.shape[0], device=z_a.device)
    return lambda: torch.autograd.grad(loss(z_a, z_b), (z_a, z_b), ones)


def _products(z: Tensor, forward: int, backward: int) -> Callable[[], object]:
    z = z.detach()
    gram = z @ z.mT

    def multiply() -> None:
        for _ in range(forward):
            z @ z.mT
        for _ in range(backward):
            gram @ z

    return multiply


def _title(name: str, fields: dict[str, Any]) -> str:
    return " ".join([name, *map(str, fields.values())])


def print_speed(device: str, sizes: tuple[int, ...]) -> None:
    """One table a size: time, ratio to the products, speed-up over the public style."""
    for pairs in sizes:
        print(f"\nM = {pairs}, d = {_D}, {device}: us | times the products | times faster than public style")
        z_a, z_b = _views(pairs, _D, device=device)
        for name, fields, forward, backward, public in ROWS:
            calls = [_both_ways(build_loss(name, **fields), z_a, z_b), _products(z_a, forward, backward)]
            if public is not None:
                calls.append(_both_ways(public, z_a, z_b))
            ours, products, *rest = seconds_each(calls)
            faster = f"{rest[0] / ours:5.2f}" if rest else "    -"
            print(f"{_title(name, fields):20} {ours * 1e6:9.0f} | {ours / products:5.2f} | {faster}")


def print_stacked(device: str) -> None:
    """Sixteen trials in one call, a trial."""
    print(
        f"\n{_STACK} trials stacked, M = {_STACKED_PAIRS}, {device}: us a trial | times the products | public / ours"
    )
    z_a, z_b = _views(_STACK, _STACKED_PAIRS, _D, device=device)
    alone_a, alone_b = _views(_STACKED_PAIRS, _D, device=device)
    for name, fields, forward, backward, public in ROWS:
        calls = [_both_ways(build_loss(name, **fields), z_a, z_b), _products(z_a, forward, backward)]
        if public is not None:
            calls.append(_both_ways(public, alone_a, alone_b))
        ours, products, *rest = seconds_each(calls)
        faster = f"{rest[0] * _STACK / ours:5.1f}" if rest else "    -"
        print(f"{_title(name, fields):20} {ours / _STACK * 1e6:9.1f} | {ours / products:5.2f} | {faster}")


def print_checks(device: str) -> None:
    """What the checks cost, as a share of a call at M = 256."""
    z_a, z_b = _views(256, _D, device=device)
    call, shapes, views = seconds_each(
        [
            _both_ways(build_loss("ntxent"), z_a, z_b),
            lambda: check_shapes(z_a, z_b),
            lambda: check_views(z_a, z_b),
        ]
    )
    print(f"\nchecks at M = 256: {shapes / call:.2%} of every call, {views / call:.1%} of the first one")


def print_kernels(device: str) -> None:
    """Kernels launched by one call, forward and backward."""
    activity = ProfilerActivity.CUDA if device == "cuda" else ProfilerActivity.CPU
    kind = DeviceType.CUDA if device == "cuda" else DeviceType.CPU
    print(
        f"\n{'kernels launched' if device == 'cuda' else 'operators dispatched'} a call at M = 256, {device}"
    )
    z_a, z_b = _views(256, _D, device=device)
    for name, fields, _, _, public in ROWS:
        counts = []
        for loss in (build_loss(name, **fields), public):
            if loss is None:
                continue
            run = _both_ways(loss, z_a, z_b)
            run()
            with profile(activities=[activity]) as recorded:
                run()
            counts.append(sum(event.device_type == kind for event in recorded.events()))
        print(f"{_title(name, fields):20} {' | public '.join(map(str, counts))}")


def print_memory(pairs: int = 4096) -> None:
    """Peak resident memory of one call above that of the views, in units of the Gram blocks the loss needs."""
    print(
        f"\npeak memory at M = {pairs}, times the loss's own Gram blocks, each in its own process (limit 3)"
    )
    for index, (name, fields, blocks, _, _) in enumerate(ROWS):
        command = [sys.executable, "-m", "tests.benchmarks.bench_losses", "--memory-of", str(index)]
        grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"{_title(name, fields):20} {grown / (blocks * pairs**2 * 4):5.2f}")


def _memory_of(row: int, pairs: int = 4096) -> int:
    name, fields, *_ = ROWS[row]
    loss = build_loss(name, **fields)
    _both_ways(loss, *_views(64, _D, device="cpu"))()  # what the first call loads is no part of it
    run = _both_ways(loss, *_views(pairs, _D, device="cpu"))
    return peak_bytes(run)


def main() -> None:
    """Print every table; CUDA's only where there is a device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    row = parser.parse_args().memory_of
    torch.set_num_threads(1)
    if row is not None:
        print(_memory_of(row))
        return
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        print_speed(device, (32, 256, 1024))
        print_stacked(device)
        print_checks(device)
        print_kernels(device)
    print_memory()


if __name__ == "__main__":
    main()
