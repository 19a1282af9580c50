"""One launch at a time reads a study's searches and adds to them, so that no budget is overspent."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from trainables.store.records import RecordStore

_LOOK_SECONDS = 0.05


@contextmanager
def turn(store: RecordStore, study: str) -> Iterator[None]:
    """Wait until no other launch is within such a block, or its process has ended. Raises `StoreError`."""
    leases = store.leases(uuid.uuid4().hex)
    name = f"search-{hashlib.sha256(study.encode()).hexdigest()[:16]}"  # as a trial's lease, without a dot
    with leases.renewed():
        with store.writing():
            while not leases.acquire([name]):
                time.sleep(_LOOK_SECONDS)
        yield
