"""What a worker runs of a list that it was handed: the trials that nobody else runs, under leases.

Launches that share a store hand out the same lists, and each of their workers takes what is free.
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
    """Packs to run, each trial under a lease that is renewed in the background."""

    stacks: tuple[Stack, ...]
    leases: Leases

    def held(self, stack: Stack) -> Stack:
        """Of a stack, the trials that nobody has taken over, as happens where a machine sleeps or loses its store."""
        held = self.leases.held()
        return tuple(unit for unit in stack if unit.trial_id in held)

    def release(self, stacks: Sequence[Stack]) -> None:
        """Give the leases of stacks back whose records are put."""
        try:
            self.leases.release(unit.trial_id for stack in stacks for unit in stack)
        except OSError as error:  # they expire
            _log.warning("leases were not released: %s", error)


@contextmanager
def claim(stacks: Sequence[Stack], context: LaunchContext) -> Iterator[Claim]:
    """Take what is free of a list, and give back in the end what is held still.

    Whoever runs a trial puts its record before it lets go of the lease, so records are looked for after the leases
    were taken. Raises `StoreError` when the store refuses.
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
