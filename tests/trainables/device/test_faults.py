"""Faults of a GPU: the outcome of a trial where they are its own, and the end of the process where they are not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainables.device.device_state import Device
from tests.trainables.tiny_trial import tiny
from trainables.device_faults import DeviceLostError, is_out_of_gpu_memory
from trainables.runtime import Runtime
from trainables.store.files import StoreError
from trainables.store.schema import Status, TrialRecord
from trainables.training import trials
from trainables.trial import failure_record, run_trials

_LOST = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be reported later"


def run(runtime: Runtime | None = None, count: int = 1) -> list[TrialRecord]:
    configs = [tiny(seed=seed) for seed in range(count)]
    return list(run_trials(configs, runtime=runtime or Runtime(device="cuda"), attempts=[0] * count))


def failing(message: str, kind: type[Exception] = torch.AcceleratorError) -> Callable[..., Any]:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise kind(message)

    return fail


@pytest.fixture
def loss_that(cuda: Device, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Trials have a loss that raises an error. If the device is `lost` then, every later call fails too."""

    def plant(error: Exception, *, lost: bool = False) -> None:
        def loss(z_a: Tensor, z_b: Tensor) -> Tensor:
            cuda.failure = error if lost else None
            raise error

        monkeypatch.setattr(trials, "build_loss", lambda *name, **params: loss)

    return plant


@pytest.mark.parametrize("count", [1, 2])
def test_a_lost_device_ends_the_process(cuda: Device, loss_that: Callable[..., None], count: int) -> None:
    """Every later call of CUDA fails too, so no record is made here, nor are the trials of a stack run one by one."""
    loss_that(torch.AcceleratorError(_LOST), lost=True)
    with pytest.raises(DeviceLostError, match=r"^CUDA error: an illegal memory access was encountered$"):
        run(count=count)


def test_an_error_after_which_cuda_works_is_the_trial_s(cuda: Device, loss_that: Callable[..., None]) -> None:
    loss_that(torch.AcceleratorError("CUDA error: invalid configuration argument"))
    (record,) = run()
    assert (record.status, record.error_class) == (Status.CRASHED, "AcceleratorError")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation'"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"),
        RuntimeError(
            "backend='inductor' raised:\nOutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"
        ),
        RuntimeError("Triton Error [CUDA]: out of memory"),
        RuntimeError("CUDA driver error: out of memory"),
    ],
    ids=["allocator", "context", "cublas", "cudnn", "cusolver", "inductor", "triton", "driver"],
)
def test_every_lack_of_gpu_memory_is_oom(
    cuda: Device, loss_that: Callable[..., None], error: Exception
) -> None:
    loss_that(error, lost=True)  # as without a context
    (record,) = run()
    assert (record.status, record.device_name) == (Status.OOM, "Pretended")
    assert "batch size 16, peak memory" in (record.error_message or "")


@pytest.mark.parametrize("explicit", [True, False])
def test_an_error_that_a_lack_of_memory_caused_is_one(explicit: bool) -> None:
    lack, error = torch.OutOfMemoryError("CUDA out of memory"), ValueError("the loss failed")
    if explicit:
        error.__cause__ = lack
    else:
        error.__context__ = lack
    assert is_out_of_gpu_memory(error)
    error.__cause__, error.__suppress_context__ = None, True  # as `raise ... from None` does
    assert not is_out_of_gpu_memory(error)
    assert not is_out_of_gpu_memory(ValueError("CUDA out of memory"))


def test_a_device_lost_after_a_lack_of_memory_ends_the_process(
    cuda: Device, loss_that: Callable[..., None]
) -> None:
    error = torch.AcceleratorError(_LOST)
    error.__context__ = torch.OutOfMemoryError("CUDA out of memory")
    loss_that(error, lost=True)
    with pytest.raises(DeviceLostError, match="illegal memory access"):
        run()


def test_a_context_that_cannot_be_made_is_oom(cuda: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first calls of a process make the context."""
    for name in ("reset_peak_memory_stats", "mem_get_info", "get_device_name"):
        monkeypatch.setattr(f"torch.cuda.{name}", failing("CUDA error: out of memory"))
    cuda.failure = torch.AcceleratorError("CUDA error: out of memory")
    (record,) = run()
    assert (record.status, record.device, record.device_name) == (Status.OOM, "cuda", None)


def test_a_device_that_is_gone_ends_the_launch_in_one_line(
    cuda: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process finds no device. No trial is recorded as crashed, so all run when the device is back."""
    cuda.failure = RuntimeError("No CUDA GPUs are available")
    for name in ("reset_peak_memory_stats", "mem_get_info"):
        monkeypatch.setattr(f"torch.cuda.{name}", failing("No CUDA GPUs are available", RuntimeError))
    with pytest.raises(
        StoreError, match=r"continue \(No CUDA GPUs are available\); check the GPU and its driver"
    ):
        run()


def test_the_launch_can_record_a_death_without_a_gpu() -> None:
    """The process that records may be on a node without a GPU."""
    runtime = Runtime(device="cuda")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    record = failure_record(
        tiny(), attempt=0, runtime=runtime, status=Status.CRASHED, error_class="A", error_message="b"
    )
    assert (record.device, record.device_name) == ("cuda", None)
