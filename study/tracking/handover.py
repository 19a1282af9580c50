"""A listener that sends finished trials to trackers while a study runs.

A tracker's run is made from the trial's record, in a thread of the launching process. So workers need no tracker's
library or network, no trial waits for a tracker, and none can fail because of it. At the end of a launch, the study's
other records are sent: records of an earlier launch that was killed, or that had no tracker.
"""

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from study.console import CONSOLE, say_error
from study.events import Expected, Finished, Listener
from study.plan import Plan, searches_of
from study.tracking.journal import Journal
from study.tracking.tracked_run import TrackedRun, tracked_run
from study.tracking.trackers import Destination, Tracker
from trainables.store.artefacts import losses_path
from trainables.store.attempts import read_records
from trainables.store.records import RecordStore
from trainables.suggestion import named_line

#: Trials that end within so many seconds are read together.
_GATHER_SECONDS = 1.0

#: At the end of a launch, a tracker that takes longer than this for one run is abandoned.
_PATIENCE_SECONDS = 120.0

#: The end of a launch waits so long before it prints a message. After Ctrl-C, it does not wait longer.
_SILENT_SECONDS = 5.0

#: Number of rows that are converted together, since rows as Python objects need much memory.
_ROWS = 256


class Handover(Listener):
    """Sends the runs of finished trials during its block. The end of the block waits for the remaining runs.

    After a tracker fails, the launch prints one line and does not use it again. The next launch sends the missing
    runs.
    """

    def __init__(self, plan: Plan, store: RecordStore, destinations: Iterable[Destination]) -> None:
        self._study, self._store = plan.spec.name, store
        self._searches = searches_of(plan.spec, plan.trial_set)
        self._destinations = list(destinations)
        self._trials = {trial.keys.trial_id: trial for trial in plan.trials}
        self._trackers: dict[str, Tracker] = {}
        self._failed = False
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing, self._quit = threading.Event(), threading.Event()
        self._last_sign = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        if self._destinations:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the remaining runs. After Ctrl-C or a failure, wait only a short time for the current run."""
        if kind is not None:
            self._quit.set()
        self._last_sign = time.monotonic()
        self._closing.set()
        try:
            self._wait()
        except KeyboardInterrupt:
            self._quit.set()
            raise

    def expected(self, event: Expected) -> None:
        """Remember further trials, such as trials that a search has decided."""
        self._trials = self._trials | {trial.keys.trial_id: trial for trial in event.trials}

    def finished(self, event: Finished) -> None:
        """Queue a trial that has its record."""
        if self._destinations:
            self._ended.put(event.trial_id)

    def _wait(self) -> None:
        if self._is_busy(_SILENT_SECONDS):
            if self._quit.is_set():
                return
            CONSOLE.print("Sending runs to trackers; after Ctrl-C, the next launch sends the rest.")
        while self._is_busy(1.0):
            if time.monotonic() - self._last_sign > _PATIENCE_SECONDS:
                self._quit.set()
                say_error("tracking: a tracker does not answer; the next launch sends the missing runs")
                return

    def _is_busy(self, seconds: float) -> bool:
        """Whether runs are still being sent after so many seconds."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return self._thread.is_alive()

    def _work(self) -> None:
        folder = self._store.path / "studies" / self._study
        try:
            journal = Journal(folder / "tracked.txt")
            while not self._closing.wait(_GATHER_SECONDS):
                self._hand_over(self._gathered(), journal)
            self._hand_over(set(self._trials), journal)
        except Exception as error:  # the store fails; the launch reports this itself if it matters
            say_error(f"tracking: {named_line(error)}; the next launch sends the missing runs")

    def _gathered(self) -> set[str]:
        ended: set[str] = set()
        with suppress(queue.Empty):
            while True:
                ended.add(self._ended.get_nowait())
        return ended

    def _hand_over(self, trial_ids: set[str], journal: Journal) -> None:
        for row in self._rows(trial_ids):
            if not self._destinations or self._quit.is_set():
                return
            name = f"{row['trial_id']}.{row['attempt']}"
            claimed = [each for each in self._destinations if journal.claim(each.key, name)]
            if claimed:
                run = tracked_run(self._study, self._trials[row["trial_id"]], row, self._store.path)
            for destination in claimed:
                if not self._write(destination, run):
                    journal.release(destination.key, name)
            if not self._failed:
                _drop_losses(self._store.path, row)

    def _rows(self, trial_ids: set[str]) -> Iterator[Mapping[str, Any]]:
        """The records of those trials that this listener knows."""
        known = trial_ids & set(self._trials)
        if known and self._destinations and not self._quit.is_set():
            table = read_records(self._store, known, self._searches).table
            for batch in table.to_batches(max_chunksize=_ROWS):
                yield from batch.to_pylist()

    def _write(self, destination: Destination, run: TrackedRun) -> bool:
        """Send a run. Returns whether the tracker accepted it; a tracker that fails is not used again."""
        self._last_sign, key = time.monotonic(), destination.key
        try:
            if key not in self._trackers:
                self._trackers[key] = destination.open(self._study, self._store.path)
            self._trackers[key].write(run)
        except Exception as error:  # any error of a library: tracking must not end a launch
            self._failed = True
            self._destinations.remove(destination)
            say_error(
                f"tracking: {destination.kind.name} failed ({named_line(error)}); the study goes on without it, "
                "and the next launch sends the missing runs"
            )
            return False
        return True


def _drop_losses(artefacts: Path, row: Mapping[str, Any]) -> None:
    """Remove the file of a trial's training losses, which have been sent."""
    with suppress(OSError):
        losses_path(artefacts, row["trial_id"], row["attempt"]).unlink(missing_ok=True)
