"""The memory of the pretended device, as torch's allocator hands it out: freed memory goes back to its own stream."""

import weakref
from collections.abc import Iterable

import torch

from tests.trainables.device.streams import Clock, Order, Stream


class Memory:
    """Finds memory that is freed while another stream than its own may still use it.

    The allocator then gives it to the next operation of its own stream. `Tensor.record_stream` would prevent this, or
    a wait of the own stream before the memory is freed.
    """

    def __init__(self, order: Order) -> None:
        self.hazards: list[str] = []
        self._order = order
        self._owners: dict[int, Stream] = {}
        self._uses: dict[int, Clock] = {}  # by other streams

    def made(self, tensors: Iterable[torch.Tensor], stream: Stream) -> None:
        """New memory of a stream."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage._cdata not in self._owners:
                self._owners[storage._cdata] = stream
                weakref.finalize(storage, self._freed, storage._cdata)

    def used(self, storages: Iterable[int], stream: Stream, now: int) -> None:
        """Operation number `now` of a stream uses the memory."""
        for storage in storages:
            if self._owners.get(storage, stream) is not stream:
                self._uses.setdefault(storage, {})[stream] = now

    def recorded(self, tensor: torch.Tensor, stream: Stream) -> None:
        """The memory is kept until what the stream has now is done."""
        self._uses.get(tensor.untyped_storage()._cdata, {}).pop(stream, None)

    def _freed(self, storage: int) -> None:
        owner, uses = self._owners.pop(storage), self._uses.pop(storage, {})
        for stream, count in uses.items():
            if not self._order.has_seen(owner, stream, count):
                self.hazards.append(f"memory of {owner} is freed while {stream} may use it")
