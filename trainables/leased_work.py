"""Leases on the trials of a list of stacks, so that only one worker runs each trial. Every runner uses them.

Launches that share a store hand out the same trials, and each worker takes the trials whose leases are free.
"""

import logging
import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from trainables.store.leases import Leases
from trainables.work import LaunchContext, Stack

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
