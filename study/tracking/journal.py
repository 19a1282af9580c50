"""Which runs have been handed to which tracker, so that none is there twice and none is forgotten.

One text file a study, a line an event: `+` for a run that somebody has taken in hand, `-` for one that was not
handed over after all. Several launches may share it: a line is added under a lock, after reading what others added.
Who is killed with a run in hand leaves it out of the tracker: once too few rather than twice.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


class Journal:
    """The file at `path`, which need not exist. Everything raises `OSError` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._read, self._taken = path, 0, set[str]()

    def claim(self, tracker: str, run: str) -> bool:
        """Take a run in hand; False when it was taken before."""
        key = f"{tracker} {run}"
        with self._locked() as file:
            if key in self._taken:
                return False
            _add(file, f"+{key}")
            return True

    def release(self, tracker: str, run: str) -> None:
        """It was not handed over: the next launch may."""
        with self._locked() as file:
            _add(file, f"-{tracker} {run}")

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, alone until it is closed, once what others wrote is known."""
        with self._path.open("ab+") as file:
            with suppress(OSError):  # a file system without locks does without
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
    """On a line of its own, even after the half line of a process that was killed."""
    file.write(f"\n{line}\n".encode())
