"""The pretended device refuses what a card refuses: each planted fault is found, and what is right passes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainables.device.device_state import Device, WaitError
from tests.trainables.device.streams import RaceError
from tests.trainables.device.tensors import CudaTensor


def values(*shape: int) -> Tensor:
    """Random numbers on the device."""
    return torch.rand(shape or (4,), generator=torch.Generator("cuda").manual_seed(0), device="cuda")


def test_values_are_those_of_the_cpu(cuda: Device) -> None:
    there = values(3, 4).requires_grad_()
    here = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (there.sin().T @ there).sum().backward()
    (here.sin().T @ here).sum().backward()
    assert isinstance(there.grad, CudaTensor)
    assert (there.device.type, there.grad.is_cuda, there.is_cpu) == ("cuda", True, False)
    assert here.grad is not None
    assert there.grad.tolist() == here.grad.tolist()


@pytest.mark.parametrize(
    "mix",
    [
        lambda x: x + torch.ones(4),
        lambda x: torch.cat([x, torch.ones(4)]),
        lambda x: torch.ones(4)[x.long()],
        lambda x: torch.rand(4, generator=torch.Generator(), device="cuda"),
        lambda x: x.normal_(generator=torch.Generator()),
        lambda x: torch.ones(4).normal_(generator=torch.Generator("cuda")),
        lambda x: torch.rand(4, generator=torch.Generator("cuda")),
    ],
    ids=["add", "cat", "index", "cpu-generator", "cpu-generator-in-place", "cuda-generator", "on-the-cpu"],
)
def test_mixed_devices_raise(cuda: Device, mix: Callable[[Tensor], object]) -> None:
    with pytest.raises(RuntimeError, match=r"cuda|on cpu, got the other"):
        mix(values())


_WAITS: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x[0].item(),
    "float": lambda x: float(x[0]),
    "branch": lambda x: bool((x > 0).all()),
    "tolist": lambda x: x.tolist(),
    "to-cpu": lambda x: x.cpu(),
    "copy-to-cpu": lambda x: torch.empty(4).copy_(x),
    "nonzero": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 0.5],
    "unique": lambda x: x.unique(),
    "bincount": lambda x: x.int().bincount(),
    "svd": lambda x: torch.linalg.svdvals(x[None].double()),
    "from-cpu": lambda x: torch.ones(4).to("cuda"),
    "copy-from-cpu": lambda x: x.copy_(torch.ones(4)),
    "cpu-index": lambda x: x[torch.tensor([0, 1])],
    "tensor": lambda x: torch.tensor([1.0], device="cuda"),
    "new-tensor": lambda x: x.new_tensor([1.0]),
    "synchronize": lambda x: torch.cuda.synchronize(),
    "event": lambda x: torch.cuda.current_stream().record_event().synchronize(),
}


@pytest.mark.parametrize("name", _WAITS)
def test_waits_and_copies_are_noted_and_refused(cuda: Device, name: str) -> None:
    x = values()
    _WAITS[name](x)
    assert len(cuda.notes) == 1
    with cuda.asynchronous(), pytest.raises(WaitError):
        _WAITS[name](x)
    with pytest.raises(WaitError), torch.cuda.graph(torch.cuda.CUDAGraph()):
        _WAITS[name](x)


def test_what_a_card_does_alone_is_no_wait(cuda: Device) -> None:
    x, rows = values(4, 4), torch.arange(2, device="cuda")
    with cuda.asynchronous():
        x[rows] = torch.zeros(2, 4, device="cuda")
        x[x > 0.5] = 1.0  # a fill, without the number of the entries
        torch.where(x > 0, x, 1.0).masked_fill(x > 0, 2.0).topk(2)
        x.add_(torch.tensor(1.0)).new_zeros(3).fill_(2)


def test_numpy_of_a_device_tensor_raises(cuda: Device) -> None:
    with pytest.raises(TypeError, match="numpy"):
        values().numpy()


def test_operators_are_counted_without_views(cuda: Device) -> None:
    x = values(4, 4)
    with cuda.counted() as count:
        x.T[1:].reshape(-1).mul(2).add_(1)
        torch.empty(3, device="cuda")
    # The transpose is copied before it is flat.
    assert dict(count.by_name) == {"clone": 1, "mul": 1, "add_": 1}
    assert count.total == 3


def test_a_graph_changes_nothing_until_its_replay(cuda: Device) -> None:
    x, randomness = torch.zeros(4, device="cuda"), torch.Generator("cuda").manual_seed(0)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(randomness)
    with torch.cuda.graph(graph):
        drawn = torch.rand(4, generator=randomness, device="cuda")
        total = x.add_(drawn).sum() * 2
    assert x.tolist() == [0, 0, 0, 0]
    expected, same = torch.zeros(4), torch.Generator().manual_seed(0)
    for _ in range(3):
        with cuda.asynchronous(), cuda.counted() as count:
            graph.replay()
        assert (count.total, count.replays) == (0, 1)
        expected += torch.rand(4, generator=same)
        assert x.tolist() == expected.tolist()
        assert total.item() == (expected.sum() * 2).item()


def test_a_graph_needs_its_generators_and_its_streams(cuda: Device) -> None:
    with pytest.raises(RuntimeError, match="not registered"), torch.cuda.graph(torch.cuda.CUDAGraph()):
        torch.rand(4, generator=torch.Generator("cuda"), device="cuda")
    x, side = values(), torch.cuda.Stream()

    def capture(*, joined: bool) -> None:
        with torch.cuda.graph(torch.cuda.CUDAGraph()):
            if joined:
                side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                x.mul(2)

    with pytest.raises(RuntimeError, match="outside the capture"):
        capture(joined=False)
    with pytest.raises(RuntimeError, match="before it waits"):
        capture(joined=True)
    with pytest.raises(RuntimeError, match="default stream"):
        torch.cuda.CUDAGraph().capture_begin()


def test_a_side_stream_within_a_graph(cuda: Device) -> None:
    x, side, graph = values(), torch.cuda.Stream(), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            twice = x.mul(2)
        torch.cuda.current_stream().wait_stream(side)
        result = twice + x
    x.fill_(3)
    graph.replay()
    assert result.tolist() == [9.0] * 4


def test_streams_need_waits(cuda: Device) -> None:
    x, one, other = values(), torch.cuda.Stream(), torch.cuda.Stream()
    with torch.cuda.stream(one), pytest.raises(RaceError, match="without a wait"):
        x.mul(2)  # the default stream makes it
    one.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(one), cuda.counted() as count:
        y = x.mul(2)
        done = one.record_event()
    assert list(count.by_stream) == [one]
    with torch.cuda.stream(other), pytest.raises(RaceError):
        y.sum()
    other.wait_event(done)
    with torch.cuda.stream(other):
        y.sum()
    with torch.cuda.stream(one), pytest.raises(RaceError):
        y.zero_()  # the other stream reads it
    torch.cuda.synchronize()
    with torch.cuda.stream(one):
        y.zero_()


def test_memory_is_not_freed_while_another_stream_uses_it(cuda: Device) -> None:
    def use(*, waits: bool = False, records: bool = False) -> list[str]:
        cuda.memory.hazards.clear()
        x, side = values(), torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            x.sum()
        if records:
            x.record_stream(side)  # type: ignore[arg-type]
        if waits:
            torch.cuda.current_stream().wait_stream(side)
        del x
        return cuda.memory.hazards

    assert len(use()) == 1
    assert use(waits=True) == []
    assert use(records=True) == []


def test_a_replay_uses_its_memory_on_its_stream(cuda: Device) -> None:
    x, side, graph = values(), torch.cuda.Stream(), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = x * 2
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        graph.replay()
    with pytest.raises(RaceError):
        result.sum()
    torch.cuda.current_stream().wait_stream(side)
    result.sum()


def test_autocast_casts_products_alone(cuda: Device) -> None:
    x, weight = values(4, 4), torch.nn.Parameter(values(4, 4))
    with torch.autocast("cuda", dtype=torch.bfloat16):
        y = torch.nn.functional.linear(x, weight)
        assert (y.dtype, (x + x).dtype) == (torch.bfloat16, torch.float32)
    y.float().sum().backward()
    assert weight.grad is not None
    assert weight.grad.dtype == torch.float32
    with torch.autocast("cuda", enabled=False):
        assert (x @ x).dtype == torch.float32


def test_nothing_is_pretended_afterwards() -> None:
    assert torch.Generator is torch._C.Generator
    assert torch.cuda.Stream.__module__ == "torch.cuda.streams"
