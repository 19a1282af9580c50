"""A journal of the runs that were sent to each tracker, so that no run is sent twice and none is forgotten.

It is one text file per study with one line per event: `+` for a run that a launch starts to send, and `-` for a run
that could not be sent. Several launches may share the file: each adds lines under a lock, after it has read the lines
of the others. If a launch is killed while it sends a run, the tracker may lack this run, but never has it twice.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


class Journal:
    """The journal at `path`, which need not exist. All methods raise `OSError` if it cannot be written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._read, self._taken = path, 0, set[str]()

    def claim(self, tracker: str, run: str) -> bool:
        """Claim a run in order to send it. False if it was claimed before."""
        key = f"{tracker} {run}"
        with self._locked() as file:
            if key in self._taken:
                return False
            _add(file, f"+{key}")
            return True

    def release(self, tracker: str, run: str) -> None:
        """Give up the claim to a run that could not be sent, so that the next launch can send it."""
        with self._locked() as file:
            _add(file, f"-{tracker} {run}")

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """Open the file under a lock, and read the lines of other launches first."""
        with self._path.open("ab+") as file:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(self._read)
            added = file.read()
            self._read += len(added)
            self._learn(added.decode(errors="replace").splitlines())
            yield file

    def _learn(self, lines: list[str]) -> None:
        for line in lines:
            if line.startswith("+"):
                self._taken.add(line[1:])
            else:
                self._taken.discard(line[1:])


def _add(file: BinaryIO, line: str) -> None:
    """Add a line. The line break before it separates it from an incomplete line of a killed process."""
    file.write(f"\n{line}\n".encode())
