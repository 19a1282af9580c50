"""Checks on a GPU: the tests that need one, and losses against the CPU's."""

import itertools
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional as F

from tests.benchmarks.gpu.parts import NO_GPU, Row, Rows, Settings
from trainables.losses import LOSSES, build_loss

Check = tuple[str, Callable[[], object]]


def checks(settings: Settings) -> Rows:
    """`passed`, or what failed."""
    if not settings.on_gpu:
        yield Row(what="checks", value=NO_GPU)
        return
    for name, check in (*_loss_checks(), *_view_checks(), *_training_checks()):
        try:
            check()
            yield Row(what=name, value="passed")
        except Exception as error:
            yield Row(what=name, value=f"failed: {type(error).__name__}: {str(error)[:300]!r}")


def _training_checks() -> list[Check]:
    from tests.trainables.training.on_gpu import assert_equals_eager

    return [
        (f"{name} equals eager", partial(assert_equals_eager, name))
        for name in ("graphed", "compiled_graphed")
    ]


def _view_checks() -> list[Check]:
    from tests.trainables.views import on_gpu

    found = {
        "views_on_the_device_equal_those_of_the_cpu": on_gpu.assert_equal_those_of_the_cpu,
        "views_are_captured_in_a_graph": on_gpu.assert_captured_in_a_graph,
        "views_never_wait_for_the_device": on_gpu.assert_never_wait_for_the_device,
    }
    cases = itertools.product(found.items(), on_gpu.CASES, on_gpu.FORMS)
    return [
        (f"{name}: {case[0]}, {form}", partial(check, *case, form)) for (name, check), case, form in cases
    ]


def _loss_checks() -> list[Check]:
    return [(f"{name} equals the CPU's", partial(_compare, name)) for name in LOSSES]


def _compare(name: str) -> None:
    """Value and gradient, in float32 on both devices."""
    z = F.normalize(torch.randn(2, 256, 128, generator=torch.Generator().manual_seed(0)), dim=-1)
    loss, found = build_loss(name), []
    for device in ("cpu", "cuda"):
        views = z.to(device, copy=True).requires_grad_()
        value = loss(*views)
        (gradient,) = torch.autograd.grad(value, views)
        found.append((value.detach().cpu(), gradient.cpu()))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)
