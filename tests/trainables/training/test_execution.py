"""The execution mode that a study's setting means, and what replaces a mode that does not work."""

import logging
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.trainables.device.device_state import Device
from trainables import runtime
from trainables.device_faults import DeviceLostError
from trainables.runtime import AUTO, Runtime, chosen_execution
from trainables.training import execution
from trainables.training.execution import prepare_network, usable, views_function
from trainables.training.precision import matmul_precision
from trainables.views.batched import build_views


def test_auto_is_eager_on_a_cpu_and_the_declared_mode_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "AUTO_ON_CUDA", "compiled_graphed")
    assert chosen_execution(AUTO, "cpu") == "eager"
    assert chosen_execution(AUTO, "cuda") == "compiled_graphed"
    assert chosen_execution("graphed", "cuda") == "graphed"


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """What was found about this machine before is forgotten, and what a test finds too."""
    known = execution._why_not_compiled, execution._why_no_kernel
    for each in known:
        each.cache_clear()
    yield
    for each in known:
        each.cache_clear()


@pytest.fixture
def broken_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("no C compiler\nand more")

    monkeypatch.setattr(torch, "compile", fails)


@pytest.mark.usefixtures("broken_compiler")
@pytest.mark.parametrize(
    ("mode", "instead"),
    [("compiled_graphed", "graphed"), ("compiled", "eager"), ("graphed", "graphed"), ("eager", "eager")],
)
def test_without_a_compiler_an_automatic_mode_is_replaced_and_the_log_says_why(
    mode: str, instead: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert usable(Runtime(execution=mode, execution_may_change=True)).execution == instead
    said = f"execution: {instead} instead of {mode}, because torch.compile fails here: RuntimeError: no C compiler"
    assert caplog.messages == ([said] if mode != instead else [])


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (0.5, "the kernel of the views is wrong here, by 0.5 of the pixel range"),
        (math.nan, "the kernel of the views is wrong here, by nan of the pixel range"),
        (ImportError("no triton"), "the kernel of the views fails here: ImportError: no triton"),
        (1e-6, None),
    ],
)
def test_a_kernel_that_fails_or_is_wrong_replaces_an_automatic_mode(
    found: float | Exception,
    reason: str | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measured(device: str) -> float:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    monkeypatch.setattr(execution, "deviation", measured)
    assert execution._why_not_compiled("cpu") == reason
    requested = Runtime(device="cuda", execution="fused", execution_may_change=True)
    with caplog.at_level(logging.WARNING):
        assert usable(requested).execution == ("eager" if reason else "fused")
    assert caplog.messages == ([f"execution: eager instead of fused, because {reason}"] if reason else [])


@pytest.mark.parametrize("where", ["compile", "deviation"])
def test_a_lack_of_memory_is_no_answer_about_a_mode(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other trials it may pass. The next trial asks again."""

    def fails(*arguments: Any, **options: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    monkeypatch.setattr(execution, "deviation", lambda device: 0.0)
    requested = Runtime(execution="compiled", execution_may_change=True)
    with monkeypatch.context() as full:
        full.setattr(torch if where == "compile" else execution, where, fails)
        assert usable(requested) is requested
    assert execution._why_not_compiled.cache_info().currsize == 0
    assert execution._why_not_compiled("cpu") is None
    assert execution._why_not_compiled.cache_info().currsize == 1


def test_a_lost_device_is_no_answer_about_a_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch, "compile", fails)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", fails)
    with pytest.raises(DeviceLostError):
        usable(Runtime(execution="compiled", execution_may_change=True))
    assert execution._why_not_compiled.cache_info().currsize == 0


def test_the_kernel_is_checked_in_float32(cuda: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial that asks may train with TF32, whose rounding is larger than what the check allows."""
    seen = []

    def look(device: str) -> float:
        seen.append(torch.backends.cuda.matmul.fp32_precision)
        return 0.0

    monkeypatch.setattr(execution, "deviation", look)
    with matmul_precision("tf32", torch.device("cuda")):
        assert execution._why_no_kernel("cuda") is None
    assert seen == ["ieee"]


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_on_cuda_the_compiler_measures_nothing(device: str, cuda: Device) -> None:
    import torch._inductor.config as inductor  # seconds

    with inductor.patch(deterministic=False):
        prepare_network(torch.nn.Linear(2, 2).to(device), "compiled")
        assert inductor.deterministic == (device == "cuda")


@pytest.mark.usefixtures("broken_compiler")
def test_a_requested_mode_is_never_replaced() -> None:
    requested = Runtime(execution="compiled_graphed")
    assert usable(requested) is requested


def test_a_kernel_that_is_wrong_ends_the_trials_that_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "deviation", lambda device: 0.5)
    cuda, needs = torch.device("cuda"), build_views("cifar", channels=3, size=32)
    for mode in ("fused", "compiled"):
        with pytest.raises(
            RuntimeError, match=f"execution: got {mode}, but the kernel of the views is wrong here"
        ):
            views_function(needs, mode, cuda)
        assert views_function(build_views("digits", channels=1, size=8), mode, cuda) is None


def test_fused_views_need_a_mode_of_the_device_and_a_recipe_that_the_kernel_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execution, "deviation", lambda device: 0.0)
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    cifar = build_views("cifar", channels=3, size=32)
    assert views_function(cifar, "compiled", cuda)
    assert not views_function(cifar, "graphed", cuda)
    assert not views_function(cifar, "compiled", cpu)
    assert views_function(cifar, "fused", cpu)
    assert views_function(cifar, "fused", cuda)
    assert not views_function(cifar, "eager", cpu)
    for other in (
        build_views("imagenet", channels=3, size=32),
        build_views("digits", channels=1, size=8),
        build_views("cifar", channels=3, size=96),
        build_views("cifar", channels=3, size=32, form="approximate"),
    ):
        assert not views_function(other, "compiled", cuda)
        for device in (cpu, cuda):
            assert not views_function(other, "fused", device)
