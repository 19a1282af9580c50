"""Keeps the store of a running launch fast to read: joins its small record files now and then."""

import logging
import time
from types import TracebackType
from typing import Self

from study.errors import LaunchError
from study.events import Finished, Listener
from trainables.store.records import RecordStore, StoreError
from trainables.work import WorkUnit

_log = logging.getLogger(__name__)

#: Seconds from one look to the next, and the single records from which on joining them pays.
_EVERY_SECONDS, _AT_LEAST = 60.0, 256


class Compacting:
    """A listener that passes everything on and compacts the store: from `with` on, now and then, and in the end.

    Records are as safe without it, so that no error of it ends a launch.
    """

    def __init__(self, store: RecordStore, listener: Listener) -> None:
        self._store, self._listener = store, listener
        self._last = 0.0

    def __enter__(self) -> Self:
        self._compact(_AT_LEAST)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, LaunchError):  # a store that refuses would refuse this too
            self._compact(2)

    def started(self, unit: WorkUnit) -> None:
        """Of no interest here."""
        self._listener.started(unit)

    def finished(self, event: Finished) -> None:
        """Of no interest here."""
        self._listener.finished(event)

    def tick(self) -> None:
        """Time passes."""
        self._listener.tick()
        if time.monotonic() - self._last > _EVERY_SECONDS:
            self._compact(_AT_LEAST)

    def _compact(self, at_least: int) -> None:
        self._last = time.monotonic()
        try:
            self._store.compact(at_least=at_least)
        except (StoreError, OSError) as error:
            _log.warning("records were not compacted: %s", error)
