"""A listener that joins small record files into larger ones during a launch, so that the store is fast to read."""

import logging
import time
from types import TracebackType
from typing import Self

from study.errors import LaunchError
from study.events import Listener
from trainables.store.records import RecordStore, StoreError

_log = logging.getLogger(__name__)

#: Seconds between two compactions, and the number of single record files from which a compaction is worthwhile.
_EVERY_SECONDS, _AT_LEAST = 60.0, 256


class Compacting(Listener):
    """Compacts the store at the start of its block, at intervals, and at the end of the block.

    The records are equally safe without compaction, so its errors are logged and do not end the launch.
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
        if kind is None or not issubclass(kind, LaunchError):  # a store that cannot be written fails here too
            self._compact(2)

    def tick(self) -> None:
        """Compact if the last compaction was more than `_EVERY_SECONDS` ago."""
        if time.monotonic() - self._last > _EVERY_SECONDS:
            self._compact(_AT_LEAST)

    def _compact(self, at_least: int) -> None:
        self._last = time.monotonic()
        try:
            self._store.compact(at_least=at_least)
        except (StoreError, OSError, MemoryError) as error:
            _log.warning("records were not compacted: %s", str(error) or type(error).__name__)
