"""Leases on the trials of a list of stacks, so that only one worker runs each trial. Every runner uses them.

Launches that share a store hand out the same trials, and each worker takes the trials whose leases are free.
"""

import logging
import os
import socket
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from trainables.store.leases import Leases
from trainables.work import LaunchContext, Stack, WorkUnit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LeasedStacks:
    """Stacks to run. Each trial has a lease that is renewed in the background."""

    stacks: tuple[Stack, ...]
    leases: Leases

    def held(self, stack: Stack) -> Stack:
        """The trials of a stack whose lease is still held.

        A lease is lost if it cannot be renewed in time, because the machine sleeps or cannot reach the store.
        """
        held = self.leases.held()
        return tuple(unit for unit in stack if unit.trial_id in held)

    def release(self, stacks: Sequence[Stack]) -> None:
        """Release the leases of stacks whose records are written."""
        try:
            self.leases.release(unit.trial_id for stack in stacks for unit in stack)
        except OSError as error:  # the leases will expire
            _log.warning("leases were not released: %s", error)


@contextmanager
def lease_stacks(stacks: Sequence[Stack], context: LaunchContext) -> Iterator[LeasedStacks]:
    """Lease the trials of these stacks that no other worker runs or has run, and release the leases at the end.

    A worker writes a trial's record before it releases the lease, so this reads the records after it has the leases.
    Raises `StoreError` if the store cannot be read or written.
    """
    store = context.store
    leases = store.leases(f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}", context.lease_seconds)
    with leases.renewed():
        with store.writing():
            mine = leases.acquire(unit.trial_id for stack in stacks for unit in stack)
        recorded = store.next_attempts()
        to_run = [
            tuple(u for u in stack if u.trial_id in mine and recorded.get(u.trial_id, 0) <= u.attempt)
            for stack in stacks
        ]
        yield LeasedStacks(stacks=tuple(filter(None, to_run)), leases=leases)


class LeasedLists:
    """Lists of trials that a worker runs at the same time. The leases of a list end with its last trial."""

    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self._waiting: deque[tuple[int, WorkUnit]] = deque()
        self._open: dict[int, tuple[ExitStack, LeasedStacks]] = {}  # by the number of the list
        self._left: dict[int, dict[str, WorkUnit]] = {}  # the trials of each open list that have not ended

    def take(self, number: int, stacks: Sequence[Stack]) -> None:
        """Lease the free trials of a list. Raises `StoreError` if the store cannot be used."""
        leases = ExitStack()
        leased = leases.enter_context(lease_stacks(stacks, self._context))
        units = [unit for stack in leased.stacks for unit in stack]
        self._open[number], self._left[number] = (leases, leased), {unit.trial_id: unit for unit in units}
        self._waiting.extend((number, unit) for unit in units)

    def look(self) -> WorkUnit | None:
        """The next trial whose lease is still held; None if no trial waits."""
        while self._waiting:
            number, unit = self._waiting[0]
            if self._open[number][1].held((unit,)):
                return unit
            self._waiting.popleft()
            del self._left[number][unit.trial_id]
        return None

    def next(self) -> None:
        """Remove the trial that `look` returns, because it starts."""
        self._waiting.popleft()

    def release(self, trial_id: str) -> None:
        """Release the lease of a trial whose record is written."""
        for number, left in self._left.items():
            if (unit := left.pop(trial_id, None)) is not None:
                self._open[number][1].release([(unit,)])

    def ended(self) -> list[int]:
        """The numbers of the lists that have ended since the last call."""
        numbers = [number for number, left in self._left.items() if not left]
        for number in numbers:
            self._open.pop(number)[0].close()
            del self._left[number]
        return numbers

    def close(self) -> None:
        """Release all leases. Trials that have no record yet wait for another worker."""
        for leases, _ in self._open.values():
            leases.close()
        self._open.clear()
        self._left.clear()
        self._waiting.clear()
