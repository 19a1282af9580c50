"""Speed and memory of whole training steps: SimCLR on CIFAR-10 with ResNet-18, and stacks of small networks."""

import gc
from collections.abc import Sequence

import torch

from study.bench.arithmetic import matmul_peak, network_flops
from study.bench.stages import stage_shares
from study.bench.subject import build_subject
from study.bench.timing import seconds_a_call
from study.cost.memory import PeakMemory
from tests.benchmarks.gpu.parts import NO_GPU, Row, Rows, Settings, or_error
from tests.benchmarks.trainings import RESNET18, SMALL_CONV, one_by_one, random_data, trainer, trials
from trainables.config import EncoderConfig
from trainables.datasets.loaded import ImageData

#: Batch size to the seconds that an epoch of 50,000 images may take.
_TARGETS = {256: 2.5, 32: 5.0}

_MEMORY_TARGET = "< 4"  # GB, at batch 256

_PRECISION = "bfloat16"


def peak(settings: Settings) -> Rows:
    """Matrix-product peaks of the device."""
    yield Row(what="device", value=_device_name(settings))
    yield Row(what="torch", value=torch.__version__)
    for precision in ("bfloat16", "tf32", "float32") if settings.on_gpu else ("bfloat16", "float32"):
        rate = matmul_peak(precision, settings.torch_device) / 1e12
        yield Row(what=f"matrix products, {precision}", value=rate, unit="TFLOP/s")


def uncompiled(settings: Settings) -> Rows:
    """Eager steps and captured ones, kernels chosen deterministically as trials do, then by trying."""
    _choose_kernels(deterministic=True)
    yield from _epochs(settings, ("graphed", "eager"))
    _choose_kernels(deterministic=False)
    yield from _epochs(settings, ("graphed",), note=", cudnn.benchmark")


def compiled(settings: Settings) -> Rows:
    """Steps whose network went through torch.compile; the time of compiling stands beside."""
    _choose_kernels(deterministic=True)
    if settings.quick:
        yield Row(what="compiled", value="not measured: quick")
        return
    yield from _epochs(settings, ("compiled_graphed", "compiled"))


def stages(settings: Settings) -> Rows:
    """Shares of the eager step's time."""
    _choose_kernels(deterministic=True)
    data, encoder = settings.cifar10(), _encoder(settings)
    for batch_size in _TARGETS:
        configs = trials(encoder, data, batch_size, precision=_PRECISION)
        subject = build_subject(configs, data, settings.runtime())
        for stage, share in stage_shares(subject, "eager", 2 if settings.quick else 30).items():
            yield Row(what=f"batch {batch_size}, {stage}", value=share, unit="of the step")


def stacked(settings: Settings) -> Rows:
    """K small networks as one against one after another: seconds of a step of all K."""
    _choose_kernels(deterministic=True)
    executions = ("eager", "graphed") if settings.on_gpu else ("eager",)
    for size in (8,) if settings.quick else (8, 16):
        for count in (2,) if settings.quick else (4, 16):
            for execution in executions:
                rows = _stack_rows(settings, size, count, execution)
                yield from or_error(f"{size}x{size}, {count} trials, {execution}", rows)


def _epochs(settings: Settings, executions: Sequence[str], note: str = "") -> Rows:
    data = settings.cifar10()
    for batch_size in _TARGETS:
        for execution in executions:
            if execution == "graphed" and not settings.on_gpu:
                yield Row(what=f"batch {batch_size}, graphed{note}", value=NO_GPU)
                continue
            torch._dynamo.reset()  # else a second batch size is compiled for any batch size
            rows = _epoch_rows(settings, data, batch_size, execution, note)
            yield from or_error(f"batch {batch_size}, {execution}{note}", rows)


def _epoch_rows(settings: Settings, data: ImageData, batch_size: int, execution: str, note: str) -> Rows:
    """An epoch's time from the median of its steps, the share of the peak, and the memory it takes."""
    encoder, device = _encoder(settings), settings.torch_device
    configs = trials(encoder, data, batch_size, precision=_PRECISION)
    steps = 50_000 // batch_size
    gc.collect()  # what the row before left must not count
    torch.cuda.empty_cache()
    with PeakMemory(device) as memory:
        advance = trainer(configs, data, settings.runtime(execution)).advance
        seconds = seconds_a_call(advance, device, 2 if settings.quick else min(steps, 400))
    what = f"batch {batch_size}, {execution}{note}, {encoder.name}"
    target = f"< {_TARGETS[batch_size]}" if encoder is RESNET18 else ""
    yield Row(what=f"{what}: epoch by its median step", value=seconds * steps, unit="s", target=target)
    flops = 2 * batch_size * network_flops(encoder, channels=3, size=32) / seconds
    yield Row(what=f"{what}: network", value=flops / 1e12, unit="TFLOP/s")
    if memory.bytes is not None:
        target = _MEMORY_TARGET if settings.on_gpu and batch_size == 256 else ""
        yield Row(what=f"{what}: peak memory", value=memory.bytes / 1e9, unit="GB", target=target)
    if settings.on_gpu:
        reserved = torch.cuda.max_memory_reserved() / 1e9
        yield Row(what=f"{what}: peak of what its allocator holds", value=reserved, unit="GB")


def _stack_rows(settings: Settings, size: int, count: int, execution: str) -> Rows:
    data, runtime, device = random_data(size), settings.runtime(execution), settings.torch_device
    configs = trials(SMALL_CONV, data, 32, count)
    steps = 2 if settings.quick else 200
    together = seconds_a_call(trainer(configs, data, runtime).advance, device, steps)
    trainers = one_by_one(configs, data, runtime)

    def advance_all() -> None:
        for each in trainers:
            each.advance()

    apart = seconds_a_call(advance_all, device, max(2, steps // count))
    what = f"{size}x{size}, batch 32, {count} trials, {execution}"
    yield Row(what=f"{what}: stacked", value=1e3 * together, unit="ms")
    yield Row(what=f"{what}: one by one", value=1e3 * apart, unit="ms")
    yield Row(what=f"{what}: gain", value=apart / together, unit="times")


def _encoder(settings: Settings) -> EncoderConfig:
    """ResNet-18, or a small one where a processor must be quick."""
    return SMALL_CONV if settings.quick else RESNET18


def _choose_kernels(*, deterministic: bool) -> None:
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = not deterministic


def _device_name(settings: Settings) -> str:
    return torch.cuda.get_device_name() if settings.on_gpu else "cpu"
