"""Kernels: how many a call launches, how long they take, and which take most of a step."""

import functools
from collections import defaultdict
from collections.abc import Callable

import torch
from torch.autograd import DeviceType
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from study.bench.timing import seconds_a_call, wait_for
from tests.benchmarks.gpu.parts import NO_GPU, Row, Rows, Settings
from tests.benchmarks.trainings import RESNET18, random_data, trainer, trials
from trainables.losses import LOSSES, build_loss
from trainables.views.batched import build_views
from trainables.views.recipes import FORMS

_LARGEST = 12


def of_the_step(settings: Settings) -> Rows:
    """Kernels of one eager ResNet-18 step, and the names of the longest."""
    if not settings.on_gpu:
        yield Row(what="kernels of a step", value=NO_GPU)
        return
    data = settings.cifar10()
    for batch_size in (256, 32):
        step = trainer(trials(RESNET18, data, batch_size, precision="bfloat16"), data, settings.runtime())
        times = kernel_microseconds(step.advance)
        total = sum(sum(each) for each in times.values())
        what = f"batch {batch_size}"
        yield Row(what=f"{what}: kernels a step", value=sum(map(len, times.values())), unit="kernels")
        yield Row(what=f"{what}: time in kernels", value=total / 1e3, unit="ms")
        for name, each in sorted(times.items(), key=lambda item: -sum(item[1]))[:_LARGEST]:
            yield Row(
                what=f"{what}: {len(each)} x {name[:90]}", value=sum(each) / total, unit="of kernel time"
            )


def losses(settings: Settings) -> Rows:
    """Value and gradient of each loss at d = 128: time, and kernels launched."""
    for pairs in (8,) if settings.quick else (32, 256, 1024):
        z = F.normalize(torch.randn(2, pairs, 128, device=settings.device), dim=-1).requires_grad_()
        for name in LOSSES:
            call = functools.partial(_both_ways, build_loss(name), z)
            seconds = seconds_a_call(call, settings.torch_device, 2 if settings.quick else 400)
            yield Row(what=f"{name}, M = {pairs}", value=1e6 * seconds, unit="us")
            if settings.on_gpu:
                count = sum(map(len, kernel_microseconds(call).values()))
                yield Row(what=f"{name}, M = {pairs}", value=count, unit="kernels")


def _both_ways(loss: Callable[..., torch.Tensor], z: torch.Tensor) -> object:
    return torch.autograd.grad(loss(*z), z)


def views(settings: Settings) -> Rows:
    """Views a second of the recipe cifar at 32x32, launched one by one and replayed as a CUDA graph."""
    for count in (8,) if settings.quick else (64, 512, 4096):
        images = torch.from_numpy(random_data(32, count).images).to(settings.device)
        for form in FORMS:
            recipe = build_views("cifar", channels=3, size=32, form=form)
            generator = torch.Generator(settings.device).manual_seed(0)
            call = functools.partial(recipe, images, generator)
            yield from _view_rows(settings, f"{form}, {count} a call", count, call, generator)


def _view_rows(
    settings: Settings,
    what: str,
    count: int,
    call: Callable[[], torch.Tensor],
    generator: torch.Generator,
) -> Rows:
    calls = 2 if settings.quick else 200
    seconds = seconds_a_call(call, settings.torch_device, calls)
    yield Row(what=what, value=count / seconds, unit="views/s")
    if settings.on_gpu:
        replay = _captured(call, generator)
        seconds = seconds_a_call(replay, settings.torch_device, calls)
        yield Row(what=f"{what}, graph", value=count / seconds, unit="views/s")


def _captured(call: Callable[[], object], generator: torch.Generator) -> Callable[[], None]:
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def kernel_microseconds(call: Callable[[], object]) -> dict[str, list[float]]:
    """Times of the kernels that one call launches on the GPU, by name; copies and fills of memory are left out."""
    device = torch.device("cuda")
    for _ in range(3):
        call()
    wait_for(device)
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        call()
        wait_for(device)
    times: dict[str, list[float]] = defaultdict(list)
    for event in recorded.events():
        if event.device_type == DeviceType.CUDA and not event.name.startswith(("Memcpy", "Memset")):
            times[event.name].append(event.time_range.elapsed_us())
    return times
