"""A listener that keeps the manifest of a launch up to date, and stops the launch after `study cancel`."""

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from study.console import say_error
from study.errors import writing
from study.events import Expected, Finished, Listener
from study.launch.listeners.time_left import TimeLeft, time_left_text
from study.launch.manifest import RENEWAL_SECONDS, Manifest, cancel_path, write_manifest
from trainables.machine_faults import reason_of

#: Seconds between two checks for the file by which `study cancel` stops the launch.
_LOOK_SECONDS = 1.0

#: The least seconds between two writes of the manifest while the launch runs.
_RENEWED_SECONDS = 3.0


class LaunchLog(Listener):
    """Writes the manifest, with the trials that ended, at the start of its block, during it and at its end.

    A thread renews the manifest and looks for the file that `study cancel` creates. When it finds the file, it sends
    SIGINT to this process, as Ctrl-C does. So both ways of stopping have the same effect, whatever the runner is
    doing. The manifest has the time left, for the page of `study watch`; it is written again when its text changes.
    """

    def __init__(self, folder: Path, manifest: Manifest, time_left: TimeLeft) -> None:
        self._folder, self._manifest, self._time_left = folder, manifest, time_left
        self._began = time.monotonic()
        self._titles: dict[str, str] = {}
        self._trials: list[dict[str, Any]] = []
        self._said = False  # whether the user has been informed that the manifest cannot be written
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def launch(self) -> str:
        """The id of this launch, unique among the launches of the study."""
        return self._manifest.launch

    def __enter__(self) -> Self:
        with writing("store", self._folder, "choose another with --store"):
            write_manifest(self._folder, self._manifest)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        outcome = (
            "finished" if kind is None else "stopped" if issubclass(kind, KeyboardInterrupt) else "failed"
        )
        started = datetime.fromisoformat(self._manifest.started_at)
        ended = started + timedelta(seconds=time.monotonic() - self._began)
        self._write(aloud=outcome != "failed", outcome=outcome, ended_at=ended.isoformat(timespec="seconds"))
        with suppress(OSError):  # the error of the block matters more; `study cancel` removes the file too
            cancel_path(self._folder, self._manifest).unlink(missing_ok=True)

    def expected(self, event: Expected) -> None:
        """Remember the titles of trials."""
        self._titles |= {trial.keys.trial_id: trial.title for trial in event.trials}

    def finished(self, event: Finished) -> None:
        """Add a trial that has its record to the manifest's list."""
        self._trials.append(
            {
                "trial_id": event.trial_id,
                "title": self._titles.get(event.trial_id),
                "status": str(event.status),
                "seconds": event.seconds,
                "found": event.found,
            }
        )

    def _watch(self) -> None:
        asked, renewed, said = False, time.monotonic(), ""
        while not self._done.wait(_LOOK_SECONDS):
            left = self._time_left.seconds()
            text, age = "" if left is None else time_left_text(left), time.monotonic() - renewed
            if age >= RENEWAL_SECONDS or (text != said and age >= _RENEWED_SECONDS):
                self._write(seconds_left=left)
                renewed, said = time.monotonic(), text
            with suppress(OSError, MemoryError):  # the next look tries again
                if not asked and cancel_path(self._folder, self._manifest).exists():
                    asked = True
                    os.kill(os.getpid(), signal.SIGINT)

    def _write(self, *, aloud: bool = True, **changes: Any) -> None:
        """Write the manifest with some fields changed. A failed write does not stop the launch.

        The first failed write prints a message, and only if `aloud`: after a failed launch, the user sees the
        launch's own error alone.
        """
        try:
            seconds = time.monotonic() - self._began
            written = replace(self._manifest, trials=list(self._trials), seconds=seconds, **changes)
            write_manifest(self._folder, written)
        except (OSError, MemoryError) as error:
            if aloud and not self._said:
                say_error(f"the launch's manifest could not be written ({reason_of(error)})")
            self._said = True
