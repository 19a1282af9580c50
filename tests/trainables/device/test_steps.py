"""Training steps on the pretended device: the numbers of the CPU, without a wait, eager and as a graph."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.benchmarks.trainings import SMALL_CONV, random_data, trainer, trials
from tests.trainables.device.device_state import Device, WaitError
from tests.trainables.device.fake_cuda import pretended_cuda
from tests.trainables.device.tensors import CudaTensor
from tests.trainables.training.small import member, streams
from trainables.config import EncoderConfig, LossConfig
from trainables.device_faults import DeviceLostError
from trainables.encoders.encoders import ENCODERS
from trainables.kernels import KERNELS
from trainables.losses import LOSSES
from trainables.runtime import Runtime
from trainables.training.batches import BatchOrder
from trainables.training.precision import matmul_precision
from trainables.training.trainer import Trainer
from trainables.training.trials import torch_images
from trainables.views.batched import build_views

_STEPS = 3

#: The image size of `random_data`, for which a residual network is small enough.
_SIZE = 8


def training(
    device: str,
    execution: str = "eager",
    *,
    loss: str = "ntxent",
    members: int = 1,
    encoder: EncoderConfig = SMALL_CONV,
    params: dict[str, Any] | None = None,
    **settings: Any,
) -> Trainer:
    """A small training whose members differ in seed and in the parameter that acts as a temperature."""
    data = random_data(_SIZE, 64)
    name = "t" if loss == "kcl" else "temperature"
    configs = [
        dataclasses.replace(
            config, loss=LossConfig(name=loss, params={name: 0.2 + 0.1 * config.seed, **(params or {})})
        )
        for config in trials(encoder, data, 16 if encoder is SMALL_CONV else 4, members, **settings)
    ]
    return trainer(configs, data, Runtime(device=device, execution=execution))


def assert_steps_are_those_of_the_cpu(cuda: Device, execution: str, **settings: Any) -> None:
    """Losses and weights after a few steps. After the first step, the host waits for nothing."""
    there, here = training("cuda", execution, **settings), training("cpu", **settings)
    there.advance()
    with cuda.asynchronous(), cuda.counted() as count:
        for _ in range(1, _STEPS):
            there.advance()
    for _ in range(_STEPS):
        here.advance()
    # Losses that ran before the capture, or during it, would show here.
    assert there.losses[:, :_STEPS].tolist() == here.losses[:, :_STEPS].tolist()
    for one, other in zip(there._network.parameters(), here._network.parameters(), strict=True):
        assert isinstance(one, CudaTensor)
        assert torch.equal(one.host, other)
    assert count.replays == (_STEPS - 1 if execution.endswith("graphed") else 0)


@pytest.mark.parametrize("resident", [True, False])
def test_the_host_does_not_wait_at_the_end_of_an_epoch_nor_for_images(cuda: Device, resident: bool) -> None:
    each = training("cuda")
    if not resident:
        data = each._images.cpu()
        each._images = data
        each._orders = [BatchOrder(len(data), 16, torch.Generator().manual_seed(0), data.device)]
    each.advance()
    with cuda.asynchronous():
        for _ in range(len(each._images) // 16):
            each.advance()


def test_trials_that_run_alone_are_captured_on_one_stream(cuda: Device) -> None:
    """Libraries keep a workspace for each stream."""
    for _ in range(2):
        training("cuda", "graphed").advance()
    assert len(cuda.streams) == 2  # with the default stream


@pytest.mark.parametrize("is_open", [False, True])
def test_a_capture_that_fails_leaves_the_stream_of_its_caller(
    cuda: Device, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the allocator of torch does not know that it is over, no other trial can run in the process."""
    own = torch.cuda.Stream()

    @contextmanager
    def graph(captured: Any, *, stream: Any, capture_error_mode: str) -> Iterator[None]:
        cuda.current = stream  # older versions of torch keep it if the capture fails at its end
        if is_open:
            monkeypatch.setattr(torch.cuda, "empty_cache", refuse)
        yield
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    def refuse() -> None:
        raise RuntimeError("captures_underway.empty() INTERNAL ASSERT FAILED")

    monkeypatch.setattr(torch.cuda, "graph", graph)
    with torch.cuda.stream(own):
        each = training("cuda", "graphed")
        kind = DeviceLostError if is_open else RuntimeError
        with pytest.raises(kind, match="operation failed due to a previous error") as caught:
            each.advance()
        assert type(caught.value) is kind
        assert cuda.current is own


@pytest.mark.parametrize("loss", LOSSES)
def test_captured_stacks_are_those_of_the_cpu(cuda: Device, loss: str) -> None:
    assert_steps_are_those_of_the_cpu(cuda, "graphed", loss=loss, members=3)


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("execution", ["eager", "graphed"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(cuda: Device, loss: str, precision: str, execution: str, members: int) -> None:
    assert_steps_are_those_of_the_cpu(cuda, execution, loss=loss, members=members, precision=precision)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel(cuda: Device, kernel: str) -> None:
    assert_steps_are_those_of_the_cpu(cuda, "graphed", loss="kcl", members=2, params={"kernel": kernel})


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_a_precision_that_the_card_lacks_is_one_line(
    cuda: Device, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda *_: (7, 5))
    with (
        pytest.raises(
            ValueError, match=rf"^precision: got {precision}, which Pretended does not have; it needs .*8.0"
        ),
        matmul_precision(precision, torch.device("cuda")),
    ):
        training("cuda", precision=precision)


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_the_flags_of_tf32_agree(precision: str) -> None:
    """torch's compiler looks at the flags, and torch raises where they and the settings disagree."""
    backends: Any = torch.backends
    settings = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)

    def seen() -> list[object]:
        flags = [backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32]
        return [*flags, *(setting.fp32_precision for setting in settings)]

    before = seen()
    with pretended_cuda(), matmul_precision(precision, torch.device("cuda")):
        assert seen()[:2] == [precision == "tf32"] * 2
        assert {setting.fp32_precision == "tf32" for setting in settings} == {precision == "tf32"}
    assert seen() == before


def test_small_temperatures_are_shifted_without_a_wait(cuda: Device) -> None:
    """One member needs the shift by the maximum, so the whole stack has it."""
    data = random_data(_SIZE, 64)
    configs = [
        dataclasses.replace(config, loss=LossConfig(name="dhel", params={"temperature": 0.005 + config.seed}))
        for config in trials(SMALL_CONV, data, 16, 2)
    ]
    there = trainer(configs, data, Runtime(device="cuda"))
    with cuda.asynchronous(), cuda.counted() as count:
        there.advance()
    assert count.by_name["logsumexp"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder(cuda: Device, name: str) -> None:
    encoder = EncoderConfig(name=name, projection_dim=16)
    assert_steps_are_those_of_the_cpu(cuda, "graphed", encoder=encoder)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["lars", "adam", "adamw"])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_every_optimizer(cuda: Device, execution: str, members: int, optimizer: str) -> None:
    settings = {"optimizer": optimizer, "weight_decay": 0.1, "decayed": "all"}
    assert_steps_are_those_of_the_cpu(cuda, execution, members=members, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_wide_head_without_batch_norm(cuda: Device, precision: str) -> None:
    head = EncoderConfig(name="small_conv", head_hidden=(24, 12), head_hidden_batch_norm=False)
    assert_steps_are_those_of_the_cpu(cuda, "graphed", members=2, encoder=head, precision=precision)


def test_bfloat16_is_in_the_network_alone(cuda: Device) -> None:
    there = training("cuda", precision="bfloat16")
    there.advance()
    assert {dtype for what, _, dtype in cuda.precisions if what == "convolution"} == {torch.bfloat16}
    # The loss has matrix products too.
    assert {dtype for what, _, dtype in cuda.precisions if what == "product"} == {
        torch.bfloat16,
        torch.float32,
    }
    assert {parameter.dtype for parameter in there.members[0].model.parameters()} == {torch.float32}
    assert there.losses.dtype == torch.float32


class _Planted:
    """A loss with a fault."""

    name = "planted"

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        loss = (z_a - z_b).square().sum(-1).mean(-1)
        if self.fault == "wait" and float(loss.detach().sum()) < 0:
            return -loss
        if self.fault == "copy":
            return loss * torch.ones(len(z_a)).to(z_a.device).mean()
        if self.fault == "mix":
            return loss + torch.ones(3).sum(0, keepdim=True)
        return loss


@pytest.mark.parametrize("fault", ["wait", "copy", "mix", ""])
@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_planted_faults_are_found(cuda: Device, execution: str, fault: str) -> None:
    each = member(loss=_Planted(fault))
    each.model.cuda()
    images = torch_images(random_data(_SIZE, 64).images).cuda()
    views = build_views("digits", channels=1, size=_SIZE)
    planted = Trainer([each], images, views, {0: streams(0, "cuda")}, torch.device("cuda"), execution)

    def steps() -> None:
        if execution == "graphed" or not fault:
            planted.advance()  # the capture itself refuses
        with cuda.asynchronous():
            planted.advance()

    if not fault:
        steps()
        return
    with pytest.raises(RuntimeError if fault == "mix" else WaitError):
        steps()


def test_the_operators_of_a_step_are_counted() -> None:
    """bfloat16 adds two casts of the network's output and the copies of its gradients and weights.

    A replay dispatches only the copies of its inputs.
    """
    counts = {}
    for precision in ("float32", "bfloat16"):
        with pretended_cuda() as cuda:
            there = training("cuda", precision=precision)
            there.advance()
            with cuda.counted() as count:
                there.advance()
            counts[precision] = count
    assert counts["bfloat16"].by_name - counts["float32"].by_name == {"_to_copy": 2, "_foreach_copy_": 2}
    with pretended_cuda() as cuda:
        graphed = training("cuda", "graphed")
        graphed.advance()
        with cuda.counted() as count:
            graphed.advance()
        assert count.replays == 1
        assert count.total < counts["float32"].total / 10
