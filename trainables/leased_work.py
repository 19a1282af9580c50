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
from trainables.work import Pack, Workshop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Packs to run, each trial under a lease that is renewed in the background."""

    packs: tuple[Pack, ...]
    leases: Leases

    def held(self, pack: Pack) -> Pack:
        """Of a pack, the trials that nobody has taken over, as happens where a machine sleeps or loses its store."""
        held = self.leases.held()
        return tuple(unit for unit in pack if unit.trial_id in held)

    def release(self, packs: Sequence[Pack]) -> None:
        """Give the leases of packs back whose records are put."""
        try:
            self.leases.release(unit.trial_id for pack in packs for unit in pack)
        except OSError as error:  # they expire
            _log.warning("leases were not released: %s", error)


@contextmanager
def claim(packs: Sequence[Pack], workshop: Workshop) -> Iterator[Claim]:
    """Take what is free of a list, and give back in the end what is held still.

    Whoever runs a trial puts its record before it lets go of the lease, so records are looked for after the leases
    were taken. Raises `StoreError` when the store refuses.
    """
    store = workshop.store
    leases = store.leases(f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}", workshop.lease_seconds)
    with leases.renewed():
        with store.writing():
            mine = leases.acquire(unit.trial_id for pack in packs for unit in pack)
        recorded = store.next_attempts()
        to_run = [
            tuple(u for u in pack if u.trial_id in mine and recorded.get(u.trial_id, 0) <= u.attempt)
            for pack in packs
        ]
        yield Claim(packs=tuple(filter(None, to_run)), leases=leases)
