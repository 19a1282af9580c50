"""Which trials of a list a worker runs: those that no other worker runs, under leases.

Launches that share a store give the same lists to their workers, and each worker takes the trials that are free.
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
class Claim:
    """Stacks to run, each trial under a lease that is renewed in the background."""

    stacks: tuple[Stack, ...]
    leases: Leases

    def held(self, stack: Stack) -> Stack:
        """The trials of a stack whose leases still hold; those of a machine that slept are lost."""
        held = self.leases.held()
        return tuple(unit for unit in stack if unit.trial_id in held)

    def release(self, stacks: Sequence[Stack]) -> None:
        """Release the leases of stacks whose records are put."""
        try:
            self.leases.release(unit.trial_id for stack in stacks for unit in stack)
        except OSError as error:  # they expire
            _log.warning("leases were not released: %s", error)


@contextmanager
def claim(stacks: Sequence[Stack], context: LaunchContext) -> Iterator[Claim]:
    """Take the free trials of a list, and release at the end of the block the leases that are still held.

    A worker puts a trial's record before it releases the lease, so this looks for records after it has the leases.
    Raises `StoreError` when the store refuses.
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
        yield Claim(stacks=tuple(filter(None, to_run)), leases=leases)
