"""Keeps the store of a running launch fast to read: joins small record files into larger ones now and then."""

import logging
import time
from types import TracebackType
from typing import Self

from study.errors import LaunchError
from study.events import Listener
from trainables.store.records import RecordStore, StoreError

_log = logging.getLogger(__name__)

#: Seconds from one look to the next, and the single records from which on joining them pays.
_EVERY_SECONDS, _AT_LEAST = 60.0, 256


class Compacting(Listener):
    """Compacts the store when its block begins, now and then, and when the block ends.

    Records are as safe without it, so no error of it ends a launch.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._last = 0.0

    def __enter__(self) -> Self:
        self._compact(_AT_LEAST)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, LaunchError):  # a store that refuses would refuse this too
            self._compact(2)

    def tick(self) -> None:
        """Compact, unless the last time is not long ago."""
        if time.monotonic() - self._last > _EVERY_SECONDS:
            self._compact(_AT_LEAST)

    def _compact(self, at_least: int) -> None:
        self._last = time.monotonic()
        try:
            self._store.compact(at_least=at_least)
        except (StoreError, OSError) as error:
            _log.warning("records were not compacted: %s", error)
