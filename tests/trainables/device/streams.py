"""Streams and events of the pretended device, and the order of the operations on them.

Operations run one after the other on the host, so values are always those of the program's order. On a card, two
streams have no order of their own. `Order` therefore checks that a stream waits before it uses what another wrote.
"""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

#: Operations that are done, by stream: a vector clock (Mattern 1989).
Clock = dict["Stream", int]


class RaceError(RuntimeError):
    """A stream uses memory that another stream writes, without a wait between them."""


class Order:
    """Which operations come before which, by the waits between streams, and who used each storage last."""

    def __init__(self) -> None:
        self._clocks: dict[Stream, Clock] = {}
        self._host: Clock = {}  # what the host has waited for
        self._writes: dict[int, tuple[Stream, int]] = {}
        self._reads: dict[int, Clock] = {}

    def clock(self, stream: "Stream") -> Clock:
        """What comes before the next operation of `stream`."""
        return self._clocks.setdefault(stream, {})

    def wait(self, stream: "Stream", other: Clock) -> None:
        """The next operation of `stream` comes after those of `other`."""
        _merge(self.clock(stream), other)

    def host_waits(self, streams: Iterable["Stream"]) -> None:
        """The host waits for the streams: whatever it starts later comes after them."""
        for stream in streams:
            _merge(self._host, self.clock(stream))

    def issue(
        self, stream: "Stream", name: str, read: Iterable[int], written: Iterable[int], made: Iterable[int]
    ) -> int:
        """Add an operation that reads, writes and makes these storages. Returns its number. Raises `RaceError`."""
        clock = self.clock(stream)
        _merge(clock, self._host)
        now = clock[stream] = clock.get(stream, 0) + 1
        for storage in read:
            self._check(clock, storage, name, self._writes.get(storage))
            self._reads.setdefault(storage, {})[stream] = now
        for storage in written:
            self._check(clock, storage, name, self._writes.get(storage))
            for reader in self._reads.pop(storage, {}).items():
                self._check(clock, storage, name, reader)
            self._writes[storage] = stream, now
        for storage in made:  # memory that was freed comes back under the same address
            self._reads.pop(storage, None)
            self._writes[storage] = stream, now
        return now

    def has_seen(self, stream: "Stream", other: "Stream", count: int) -> bool:
        """Whether operation `count` of the other stream comes before the next one of this stream."""
        return max(self.clock(stream).get(other, 0), self._host.get(other, 0)) >= count

    def forget(self, storages: Iterable[int]) -> None:
        """These storages are new memory that nothing has used: memory that was freed comes back at its address."""
        for storage in storages:
            self._reads.pop(storage, None)
            self._writes.pop(storage, None)

    def _check(self, clock: Clock, storage: int, name: str, use: tuple["Stream", int] | None) -> None:
        if use is not None and clock.get(use[0], 0) < use[1]:
            raise RaceError(f"{name}: uses what {use[0]} uses, without a wait between the streams")


def _merge(clock: Clock, other: Clock) -> None:
    for stream, count in other.items():
        if clock.get(stream, 0) < count:
            clock[stream] = count


class Stream:
    """Stands for `torch.cuda.Stream`. Stream 0 is the default stream."""

    _numbers = itertools.count(1)
    #: The device that has these streams. `fake_cuda.pretended_cuda` sets it.
    device_state: Any = None

    def __init__(self, device: object = None, priority: int = 0, *, number: int | None = None) -> None:
        self.number = next(self._numbers) if number is None else number
        self.priority = priority
        self.cuda_stream = self.stream_id = self.number

    def __repr__(self) -> str:
        return f"stream {self.number}"

    def wait_stream(self, stream: "Stream") -> None:
        """What comes next on this stream waits for what is on the other."""
        self.device_state.stream_waits(self, stream, dict(self.device_state.order.clock(stream)))

    def wait_event(self, event: "Event") -> None:
        """What comes next on this stream waits for the event. An event that was never recorded is no wait."""
        if event.recorded is not None:
            self.device_state.stream_waits(self, *event.recorded)

    def record_event(self, event: "Event | None" = None) -> "Event":
        """Record an event on this stream."""
        event = event or Event()
        event.record(self)
        return event

    def synchronize(self) -> None:
        """The host waits for the stream."""
        self.device_state.host_waits("Stream.synchronize", [self])

    def query(self) -> bool:
        """Whether all work is done. The pretended device is never behind. Raises its failure."""
        self.device_state.check()
        return True

    def __enter__(self) -> "Stream":
        self._before = self.device_state.current
        self.device_state.current = self
        return self

    def __exit__(self, *error: object) -> None:
        self.device_state.current = self._before


class Event:
    """Stands for `torch.cuda.Event`."""

    def __init__(self, enable_timing: bool = False, **options: object) -> None:
        self.recorded: tuple[Stream, Clock] | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Mark the current end of a stream."""
        stream = stream or Stream.device_state.current
        self.recorded = stream, dict(Stream.device_state.order.clock(stream))

    def synchronize(self) -> None:
        """The host waits for the event."""
        Stream.device_state.host_waits("Event.synchronize", [self.recorded[0]] if self.recorded else [])

    def query(self) -> bool:
        """Whether the event is past. The pretended device is never behind. Raises its failure."""
        Stream.device_state.check()
        return True

    def elapsed_time(self, end: "Event") -> float:
        """Milliseconds; the pretended device has no time of its own."""
        return 1.0


@contextmanager
def stream(given: Stream | None) -> Iterator[None]:
    """Stands for `torch.cuda.stream`."""
    if given is None:
        yield
        return
    before, Stream.device_state.current = Stream.device_state.current, given
    try:
        yield
    finally:
        Stream.device_state.current = before
