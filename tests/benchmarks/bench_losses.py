"""Speed and memory of the losses, forward plus backward: `python -m tests.benchmarks.bench_losses`.

On one CPU thread, and on a GPU where there is one.

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
from tests.benchmarks.timing import Call, seconds_each
from trainables.losses import build_loss
from trainables.losses.views import check_shapes, check_views

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own chatter

Loss = Callable[[Tensor, Tensor], Tensor]
Row = tuple[str, dict[str, Any], int, int, Loss | None]

#: Loss, fields, Gram blocks forward, products backward, and its public style.
ROWS: list[Row] = [
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


def _views(*shape: int, device: str = "cpu") -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(2, *shape, generator=generator), dim=-1).to(device)
    return z[0].clone().requires_grad_(), z[1].clone().requires_grad_()


def _both_ways(loss: Loss, z_a: Tensor, z_b: Tensor) -> Call:
    ones = None if z_a.ndim == 2 else torch.ones(z_a.shape[0], device=z_a.device)
    return lambda: torch.autograd.grad(loss(z_a, z_b), (z_a, z_b), ones)


def _products(z: Tensor, forward: int, backward: int) -> Call:
    z = z.detach()
    gram = z @ z.mT

    def multiply() -> None:
        for _ in range(forward):
            z @ z.mT
        for _ in range(backward):
            gram @ z

    return multiply


def _title(row: Row) -> str:
    return " ".join([row[0], *map(str, row[1].values())])


def _calls(row: Row, z_a: Tensor, z_b: Tensor) -> list[Call]:
    """The matrix products, our loss, and where there is one the public style, which takes one trial."""
    name, fields, forward, backward, public = row
    calls = [_products(z_a, forward, backward), _both_ways(build_loss(name, **fields), z_a, z_b)]
    if public is not None:
        alone = [z if z.ndim == 2 else z[0].detach().clone().requires_grad_() for z in (z_a, z_b)]
        calls.append(_both_ways(public, *alone))
    return calls


def _print_row(row: Row, times: list[float], trials: int = 1) -> None:
    products, ours, *rest = times
    faster = f"{rest[0] * trials / ours:5.2f}" if rest else "    -"
    print(f"{_title(row):20} {ours / trials * 1e6:9.1f} | {ours / products:5.2f} | {faster}", end="")


def print_speed(pairs: int, trials: int = 1) -> None:
    """Time, ratio to the products, speed-up over the public style; each a trial if trials are stacked."""
    stacked = f"{trials} trials stacked, " if trials > 1 else ""
    print(
        f"\n{stacked}M = {pairs}, d = {_D}: us a trial | times the products | times faster than public style"
    )
    views = _views(*([trials] if trials > 1 else []), pairs, _D)
    for row in ROWS:
        _print_row(row, seconds_each(_calls(row, *views)), trials)
        print()


def print_cuda(pairs: int, trials: int = 1) -> None:
    """As `print_speed`, by CUDA events, and the kernels launched a call."""
    stacked = f"{trials} trials stacked, " if trials > 1 else ""
    title = f"\nCUDA, {stacked}M = {pairs}, d = {_D}"
    if not torch.cuda.is_available():
        print(f"{title}: not measured: no GPU")
        return
    print(f"{title}: us a trial | times the products | times faster than public style | kernels, public's")
    views = _views(*([trials] if trials > 1 else []), pairs, _D, device="cuda")
    for row in ROWS:
        calls = _calls(row, *views)
        _print_row(row, _cuda_seconds_each(calls), trials)
        print(" | " + ", ".join(str(_launched(call)) for call in calls[1:]))


def _cuda_seconds_each(calls: list[Call], rounds: int = 9, repeats: int = 20) -> list[float]:
    """Median time between two CUDA events around `repeats` calls, each alternative in turn."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, column in zip(calls, times, strict=True):
            call()
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(repeats):
                call()
            end.record()
            torch.cuda.synchronize()
            column.append(start.elapsed_time(end) / 1e3 / repeats)
    return [sorted(column)[rounds // 2] for column in times]


def _launched(call: Call, kind: DeviceType = DeviceType.CUDA) -> int:
    """Kernels that one call launches, or the operators that it dispatches on the CPU."""
    activity = ProfilerActivity.CUDA if kind == DeviceType.CUDA else ProfilerActivity.CPU
    call()
    with profile(activities=[activity]) as recorded:
        call()
        if kind == DeviceType.CUDA:
            torch.cuda.synchronize()
    names = [event.name for event in recorded.events() if event.device_type == kind]
    return sum(not name.startswith(("Memcpy", "Memset")) for name in names)


def print_operators() -> None:
    """Operators that one call dispatches, forward and backward."""
    print(f"\noperators dispatched a call at M = {_STACKED_PAIRS}, public's")
    views = _views(_STACKED_PAIRS, _D)
    for row in ROWS:
        counts = [str(_launched(call, DeviceType.CPU)) for call in _calls(row, *views)[1:]]
        print(f"{_title(row):20} {', '.join(counts)}")


def print_floor() -> None:
    """What autograd itself costs a call, beside the losses at M = 32, where this is most of what is left."""
    z_a, z_b = _views(_STACKED_PAIRS, _D)
    gradients = z_a.detach().clone(), z_b.detach().clone()
    loss = _both_ways(build_loss("kcl"), z_a, z_b)
    floor, ours = seconds_each([_both_ways(lambda a, b: _Nothing.apply(a, b, gradients), z_a, z_b), loss])
    print(f"\nautograd around an empty loss: {floor * 1e6:.0f} us, {floor / ours:.0%} of kcl at M = 32")


class _Nothing(torch.autograd.Function):
    """A loss without arithmetic."""

    @staticmethod
    def forward(ctx: Any, z_a: Tensor, z_b: Tensor, gradients: tuple[Tensor, Tensor]) -> Tensor:
        ctx.gradients = gradients
        return torch.zeros(())

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, None]:
        return *ctx.gradients, None


def print_checks() -> None:
    """What the checks cost, as a share of a call at M = 256."""
    z_a, z_b = _views(256, _D)
    call, shapes, views = seconds_each(
        [
            _both_ways(build_loss("ntxent"), z_a, z_b),
            lambda: check_shapes(z_a, z_b),
            lambda: check_views(z_a, z_b),
        ]
    )
    print(f"\nchecks at M = 256: {shapes / call:.2%} of every call, {views / call:.1%} of the first one")


def print_memory(pairs: int = 4096) -> None:
    """Peak resident memory of one call above that of the views, in units of the Gram blocks the loss needs."""
    print(
        f"\npeak memory at M = {pairs}, times the loss's own Gram blocks, each in its own process (limit 3)"
    )
    for index, row in enumerate(ROWS):
        command = [sys.executable, "-m", "tests.benchmarks.bench_losses", "--memory-of", str(index)]
        grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"{_title(row):20} {grown / (row[2] * pairs**2 * 4):5.2f}")


def _memory_of(row: int, pairs: int = 4096) -> int:
    name, fields, *_ = ROWS[row]
    loss = build_loss(name, **fields)
    _both_ways(loss, *_views(64, _D))()  # what the first call loads is no part of it
    run = _both_ways(loss, *_views(pairs, _D))
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
    sizes = [(32, 1), (256, 1), (1024, 1), (_STACKED_PAIRS, _STACK)]
    for measure in (print_speed, print_cuda):
        for pairs, trials in sizes:
            measure(pairs, trials)
    print_operators()
    print_floor()
    print_checks()
    print_memory()


if __name__ == "__main__":
    main()
