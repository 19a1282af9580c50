"""What the pretended device remembers: waits, copies, streams, operators, and the graph that is being captured."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from tests.trainables.device.memory import Memory
from tests.trainables.device.streams import Clock, Order, Stream


class WaitError(RuntimeError):
    """The host waits for the device, or copies, where it must not."""


@dataclass(kw_only=True)
class Count:
    """The operators that were dispatched to the device: kernels, not views. A replay of a graph is one launch."""

    by_name: Counter[str] = field(default_factory=Counter)
    by_stream: Counter[Stream] = field(default_factory=Counter)
    replays: int = 0

    @property
    def total(self) -> int:
        return self.by_name.total()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of an operator on tensors of the host: what a graph replays."""

    name: str
    call: Callable[[], Any]
    made: Sequence[torch.Tensor]  # its results that are new memory
    read: frozenset[int]  # storages
    written: frozenset[int]
    launches: bool = True  # not for views


class Device:
    """The state of one pretended device."""

    def __init__(self) -> None:
        self.order = Order()
        self.memory = Memory(self.order)
        self.default = Stream(number=0)
        self.current = self.default
        self.streams: set[Stream] = {self.default}
        self.notes: list[str] = []  # waits of the host, and copies between host and device
        self.unordered: list[str] = []  # operators that would add in no fixed order
        self.precisions: set[tuple[str, str, torch.dtype]] = set()  # of products: name, setting of TF32, type
        self.failure: Exception | None = None  # what every later use of the device raises
        self.recording: Any = None  # the graph that is being captured
        self.counts: list[Count] = []
        self._strict = False

    def note(self, what: str) -> None:
        """A wait or a copy. Raises `WaitError` within a capture and within `asynchronous`."""
        self.check()
        self.notes.append(what)
        if self.recording is not None:
            raise WaitError(f"{what}: not allowed while a graph is captured")
        if self._strict:
            raise WaitError(f"{what}: a wait or a copy between host and device")

    def check(self) -> None:
        """Raise the failure of the device, if it has one."""
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def asynchronous(self) -> Iterator[None]:
        """Within it, the first wait or copy between host and device raises `WaitError` where it happens."""
        before, self._strict = self._strict, True
        try:
            yield
        finally:
            self._strict = before

    def host_waits(self, what: str, streams: Iterable[Stream] | None = None) -> None:
        """The host waits for these streams, or for all."""
        self.note(what)
        self.order.host_waits(self.streams if streams is None else streams)

    def stream_waits(self, stream: Stream, other: Stream, clock: Clock) -> None:
        """`stream` waits for `other` as it was at `clock`."""
        self.streams |= {stream, other}
        if self.recording is not None:
            self.recording.join(stream, other)
        self.order.wait(stream, clock)

    def issue(self, operation: Operation) -> None:
        """Count an operation, check its order, and record it if a graph is being captured."""
        self.check()
        self.streams.add(self.current)
        if operation.launches:
            for count in self.counts:
                count.by_name[operation.name] += 1
                count.by_stream[self.current] += 1
            now = self.order.issue(
                self.current,
                operation.name,
                operation.read,
                operation.written,
                {storage_of(each) for each in operation.made},
            )
            if self.recording is None:  # a graph has its own memory
                self.memory.used(operation.read | operation.written, self.current, now)
        else:
            self.order.forget(storage_of(each) for each in operation.made)
        if self.recording is not None:
            self.recording.record(operation, self.current)
        else:
            self.memory.made(operation.made, self.current)

    @contextmanager
    def counted(self) -> Iterator[Count]:
        """Count the operators within it."""
        count = Count()
        self.counts.append(count)
        try:
            yield count
        finally:
            self.counts.remove(count)


def storage_of(tensor: torch.Tensor) -> int:
    """A number for the storage of a tensor on the host."""
    return tensor.untyped_storage()._cdata
