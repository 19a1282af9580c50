"""Kernels: how many a step launches and how long they take, and fused operators against their definitions."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from study.bench.subject import build_subject
from study.bench.timing import wait_for
from tests.benchmarks.gpu.rows import NO_GPU, Row, Rows, why
from tests.benchmarks.gpu.settings import Settings
from trainables.datasets.datasets import load_dataset
from trainables.training.fused_updates import sgd_fused, sgd_in_turn
from trainables.training.precision import matmul_precision
from trainables.training.trials import build_member
from trainables.views.batched import build_views
from trainables.views.fused import batched_form, kernel_form, recipe_numbers

_LARGEST = 6

_BATCH_SIZE = 32


def kernels(settings: Settings) -> Rows:
    """Of an eager and of a compiled step at batch 32, and of the views and the update of such a step."""
    if not settings.on_gpu:
        yield Row(what="kernels of a step", value=NO_GPU)
        return
    for name, prepare in {
        "views, batched": partial(_views, batched_form),
        "views, one kernel": partial(_views, kernel_form),
        "update, operators in turn": partial(_update, settings, sgd_in_turn),
        "update, fused": partial(_update, settings, sgd_fused),
        "eager step": partial(_step, settings, "eager"),
        "compiled step": partial(_step, settings, "compiled"),
    }.items():
        try:
            with matmul_precision("bfloat16", settings.torch_device):
                times = kernel_microseconds(prepare())
        except Exception as error:  # the others go on
            yield Row(what=name, value=f"failed: {why(error)}")
            continue
        total = sum(map(sum, times.values()))
        yield Row(what=f"{name}: kernels", value=sum(map(len, times.values())), unit="kernels")
        yield Row(what=f"{name}: time in kernels", value=total / 1e3, unit="ms")
        if not name.endswith("step"):
            continue
        for kernel, each in sorted(times.items(), key=lambda item: -sum(item[1]))[:_LARGEST]:
            share = sum(each) / total
            yield Row(what=f"{name}: {len(each)} x {kernel[:60]}", value=share, unit="of kernel time")


def _step(settings: Settings, execution: str) -> Callable[[], object]:
    config = settings.trial(_BATCH_SIZE, steps=1)
    data = load_dataset(config.task.data, settings.data_root)
    return build_subject([config], data, settings.runtime(execution)).trainer(execution).advance


def _views(form: Callable[..., torch.Tensor]) -> Callable[[], object]:
    views = build_views("cifar", channels=3, size=32)
    images = torch.randint(0, 256, (_BATCH_SIZE, 3, 32, 32), dtype=torch.uint8, device="cuda")
    generator = torch.Generator("cuda").manual_seed(0)
    uniform = views.draw_uniform(2 * _BATCH_SIZE, [generator], "cuda")
    return partial(form, images, uniform, _BATCH_SIZE, recipe_numbers(views.recipe), torch.bfloat16)


def _update(settings: Settings, update: Callable[..., None]) -> Callable[[], object]:
    config = settings.trial(_BATCH_SIZE, steps=1)
    data = load_dataset(config.task.data, settings.data_root)
    parameters = [each.detach() for each in build_member(config, data, "cuda").model.parameters()]
    gradients, momenta = ([torch.zeros_like(each) for each in parameters] for _ in range(2))
    rate = torch.tensor(0.1, device="cuda")
    return partial(update, parameters, gradients, momenta, rate, momentum=0.9, decay=1e-6)


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
