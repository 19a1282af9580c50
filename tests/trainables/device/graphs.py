"""Graphs of the pretended device. A capture changes nothing; a replay runs the recorded operators again."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tests.trainables.device.device_state import Device, Operation, storage_of
from tests.trainables.device.streams import Order, Stream


class Graph:
    """Stands for `torch.cuda.CUDAGraph`.

    Operators run during the capture, because their results are needed. At its end, all memory from before the
    capture and all registered generators get back what they held: on a card, a capture runs nothing.
    """

    device_state: Device

    def __init__(self, keep_graph: bool = False) -> None:
        self.generators: list[torch.Generator] = []
        self.operations: list[Operation] = []
        self._made: set[int] = set()
        self._saved: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self._replayed = False

    def register_generator_state(self, generator: torch.Generator) -> None:
        """A generator from which captured operators draw."""
        self.generators.append(generator)

    def capture_begin(self, pool: object = None, capture_error_mode: str = "global") -> None:
        """Record from now on."""
        device = self.device_state
        if device.recording is not None:
            raise RuntimeError("a graph is being captured already")
        if device.current is device.default:
            raise RuntimeError("a graph cannot be captured on the default stream")
        # The generator of the host stands for the default one of the device.
        self._drawn = [*self.generators, torch.default_generator]
        self._states = [generator.get_state() for generator in self._drawn]
        self._outside, device.order = device.order, Order()
        self._origin, self._streams = device.current, {device.current}
        device.recording = self

    def capture_end(self) -> None:
        """Record no more. Raises `RuntimeError` for a side stream that the capture did not join."""
        device = self.device_state
        end = device.order.clock(self._origin)
        open_ = [s for s in self._streams if end.get(s, 0) < device.order.clock(s).get(s, 0)]
        device.recording, device.order = None, self._outside
        for storage, before in self._saved.values():
            storage.copy_(before)
        for generator, state in zip(self._drawn, self._states, strict=True):
            generator.set_state(state)
        if open_:
            raise RuntimeError(f"the capture ends before it waits for {open_}")

    def join(self, stream: Stream, other: Stream) -> None:
        """A stream that waits for a stream of the capture belongs to the capture."""
        if other in self._streams:
            self._streams.add(stream)

    def record(self, operation: Operation, stream: Stream) -> None:
        """Add an operation, after it ran."""
        if stream not in self._streams:
            raise RuntimeError(f"{operation.name}: on {stream}, which is outside the capture")
        self.operations.append(operation)
        self._made |= {storage_of(made) for made in operation.made}

    def keep(self, tensors: Iterator[torch.Tensor]) -> None:
        """Save the memory that an operation is about to change, unless the capture itself made it."""
        for tensor in tensors:
            key = storage_of(tensor)
            if key not in self._made and key not in self._saved:
                storage = tensor.untyped_storage()
                self._saved[key] = storage, storage.clone()

    def replay(self) -> None:
        """Run what was captured again, as one launch on the current stream."""
        device = self.device_state
        if device.recording is not None:
            raise RuntimeError("a replay within a capture")
        read = frozenset().union(*(operation.read for operation in self.operations)) - self._made
        written = frozenset().union(*(operation.written for operation in self.operations)) - self._made
        # The graph's own memory is written too: a replay on another stream must wait for this one.
        again, first = (self._made, ()) if self._replayed else ((), self._made)
        now = device.order.issue(device.current, "replay", read - written, {*written, *again}, first)
        device.memory.used(read | written, device.current, now)
        self._replayed = True
        for count in device.counts:
            count.replays += 1
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction(), torch.no_grad():
            for operation in self.operations:
                _run_again(operation)


def _run_again(operation: Operation) -> None:
    """Run an operation on the memory that it used before, and put its new results where the old ones are."""
    found = operation.call()
    results = [found] if isinstance(found, torch.Tensor) else list(found or ())
    known = operation.read | operation.written
    new = [each for each in results if isinstance(each, torch.Tensor) and storage_of(each) not in known]
    for made, result in zip(operation.made, new, strict=True):
        made.copy_(result)


@contextmanager
def graph(
    cuda_graph: Graph,
    pool: object = None,
    stream: Stream | None = None,
    capture_error_mode: str = "global",
) -> Iterator[None]:
    """Stands for `torch.cuda.graph`."""
    device = cuda_graph.device_state
    device.host_waits("synchronize")
    with stream or Stream():
        cuda_graph.capture_begin(pool, capture_error_mode)
        try:
            yield
        finally:
            cuda_graph.capture_end()
