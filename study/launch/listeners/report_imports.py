"""A listener that imports what the report needs while the last trials run."""

import importlib
import threading
from types import TracebackType
from typing import Self

from study.events import Expected, Finished, Listener

#: The share of the trials that are left when the imports begin. They take about three seconds of a processor.
_LEFT = 0.1

#: The modules of the report. They import pandas, scipy and matplotlib.
_MODULES = ("analysis.report.write", "study.report.study_table", "study.report.summary")


class ReportImports(Listener):
    """Imports the modules of the report in a thread, which ends before the block does.

    While trials run, the imports share the processors with them. Afterwards, all processors but one are idle.
    """

    def __init__(self) -> None:
        self._left: set[str] = set()
        self._few = 0.0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.join()

    def expected(self, event: Expected) -> None:
        """Add trials to the count. While a search may still add trials, it is unknown how many are left."""
        self._left |= {trial.keys.trial_id for trial in event.trials}
        self._few = 0.0 if event.undecided else max(1.0, _LEFT * len(self._left))

    def finished(self, event: Finished) -> None:
        """Begin when few trials are left."""
        self._left.discard(event.trial_id)
        if self._thread is None and len(self._left) <= self._few:
            self._thread = threading.Thread(target=_import_all, daemon=True)
            self._thread.start()


def _import_all() -> None:
    for name in _MODULES:
        importlib.import_module(name)
