"""Lets the operations of a command on files fail, one after another, as a full disk or a lack of memory does.

`sweep` runs a command once. Before each operation on a file below a folder, it forks. In the fork, the operation
raises, and the command goes on to its end. Then the folder is restored, and the command itself continues with the
next operation. So each fault costs only the rest of a command, and not a whole one.

The faults are raised in place of the functions of `os` and of `open` that reach the system, below all code of the
project and of the libraries. Files that are written hold their content until they are closed, so that no fork shares
an open file with the command.
"""

import errno
import hashlib
import io
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.cli.main import main
from tests.file_operations import CHANGING, LOOKING, place_of, replaced_operations

#: Operations that need room on the disk, and operations that need a descriptor.
_NEED_ROOM = {"create", "write", "mkdir", "link", "fsync"}
_NEED_DESCRIPTOR = {"create", "open", "listdir", "scandir"}


@dataclass(frozen=True)
class Kind:
    """A fault: its error number (None: `MemoryError`), the operations that it hits, and whether it lasts."""

    number: int | None
    hits: frozenset[str] | None = None  # None: every operation
    lasts: bool = False

    def error(self, path: str, operation: str) -> BaseException:
        """The error as the system raises it: reads and writes of an open file do not name the file."""
        if self.number is None:
            return MemoryError()
        if operation in ("read", "write", "fsync"):
            return OSError(self.number, os.strerror(self.number))
        return OSError(self.number, os.strerror(self.number), path)


_WRITES = frozenset({*CHANGING, "create", "write"})

KINDS = {
    "disk full": Kind(errno.ENOSPC, frozenset(_NEED_ROOM), lasts=True),
    "quota": Kind(errno.EDQUOT, frozenset(_NEED_ROOM), lasts=True),
    "read-only": Kind(errno.EROFS, _WRITES, lasts=True),
    "permission": Kind(errno.EACCES, _WRITES | {"open", "listdir", "scandir", "stat"} - {"write", "fsync"}),
    "descriptors": Kind(errno.EMFILE, frozenset(_NEED_DESCRIPTOR)),
    "disk fault": Kind(errno.EIO),
    "memory": Kind(None),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a command after one fault."""

    kind: str
    number: int  # of the operation
    operation: str
    path: str
    code: int | None  # None: the command did not end
    output: str = ""
    errors: str = ""
    exception: str = ""  # that left the command
    files: dict[str, str] = field(default_factory=dict)  # digests by path, where files are compared
    complaint: str = ""  # of the check after the command
    seconds: float = 0.0

    @property
    def has_traceback(self) -> bool:
        return bool(self.exception) or "Traceback (most recent call last)" in self.output + self.errors

    @property
    def lines(self) -> list[str]:
        """The lines on standard error."""
        return self.errors.splitlines()

    def __str__(self) -> str:
        said = " | ".join(self.lines[-3:]) or self.exception
        return (
            f"{self.kind} at {self.number} {self.operation} {self.path}: {self.code} {said} {self.complaint}"
        )


@dataclass
class _Sweep:
    folder: str
    scratch: Path
    kinds: Sequence[str]
    wanted: Callable[[int, str], bool]
    main_thread: int = field(default_factory=threading.get_ident)
    operations: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    failing: tuple[Kind, str] | None = None  # in a fork: the fault that lasts
    fault: tuple[str, int, str, str] | None = None  # in a fork: kind, number, operation, path
    on: bool = False

    def at(self, operation: str, path: Any) -> None:
        """Called before each operation. Raises in forks only."""
        if not self.on or threading.get_ident() != self.main_thread:
            return
        place = place_of(path)
        if place is None or not (place + "/").startswith(self.folder + "/"):
            return
        if place == self.folder and operation in LOOKING:  # Python looks for modules in the working directory
            return
        if self.fault is not None:
            if self.failing and (hits := self.failing[0].hits) is not None and operation in hits:
                raise self.failing[0].error(place, operation)
            return
        number = len(self.operations)
        self.operations.append(f"{operation} {os.path.relpath(place, self.folder)}")
        self.on = False
        try:
            kinds = [
                name
                for name in self.kinds
                if KINDS[name].hits is None or operation in (KINDS[name].hits or ())
            ]
            chosen = [name for name in kinds if self.wanted(number, name)]
            if chosen:
                self._fork_each(chosen, number, operation, place)
        finally:
            self.on = True

    def _fork_each(self, kinds: Sequence[str], number: int, operation: str, place: str) -> None:
        kept = self.scratch / "kept"
        shutil.copytree(self.folder, kept, symlinks=True)
        for name in kinds:
            start = time.monotonic()
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                self.fault, kind = (name, number, operation, place), KINDS[name]
                self.failing = (kind, name) if kind.lasts else None
                self.on = True
                raise kind.error(place, operation)
            seen = _wait(pid)
            self.outcomes.append(self._read(name, number, operation, place, seen, time.monotonic() - start))
            _restore(kept, Path(self.folder))
        shutil.rmtree(kept)

    def _read(
        self, name: str, number: int, operation: str, place: str, seen: int | None, seconds: float
    ) -> Outcome:
        path = self.scratch / "outcome.json"
        try:
            found = json.loads(path.read_text())
            path.unlink()
        except FileNotFoundError:
            found = {"code": None, "exception": f"the process ended with {seen}"}
        where = os.path.relpath(place, self.folder)
        return Outcome(kind=name, number=number, operation=operation, path=where, seconds=seconds, **found)


def sweep(
    words: Sequence[object],
    folder: Path,
    scratch: Path,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    wanted: Callable[[int, str], bool] = lambda number, kind: True,
    check: Callable[[str, str], str] = lambda kind, operation: "",
    again: Callable[[int], bool] = lambda number: False,
    ends: int = 0,
) -> tuple[list[str], list[Outcome]]:
    """Run `study` with `words`, with each fault of `kinds` at each operation below `folder` that is `wanted`.

    `check(kind, operation)` runs after each command that a fault hit, and returns a complaint. Then the command runs
    again without a fault if `again` says so for the number of the operation, and must end well. Without a fault, the
    command ends with the exit code `ends`. `scratch` must be outside of `folder`. Returns the operations of the
    command without faults, and the outcomes.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    one = _Sweep(folder=os.path.realpath(folder), scratch=scratch, kinds=kinds, wanted=wanted)
    output, errors, code, exception = io.StringIO(), io.StringIO(), None, ""
    with replaced_operations(one):
        one.on = True
        try:
            with redirect_stdout(output), redirect_stderr(errors):
                main([str(word) for word in words])
            code = 0
        except SystemExit as error:
            code = 0 if error.code is None else error.code if isinstance(error.code, int) else 1
        except BaseException as error:
            code, exception = 1, f"{type(error).__name__}: {error}"
            if one.fault is None:
                raise
        finally:
            one.on = False
            if one.fault is not None:
                found = {"code": code, "output": output.getvalue(), "errors": errors.getvalue()}
                name, number, operation, _ = one.fault

                def checks() -> str:
                    return check(name, operation) or (_again(words, ends) if again(number) else "")

                _end_fork(one, checks, found | {"exception": exception})
    assert code == ends, (words, code, output.getvalue(), errors.getvalue())
    return one.operations, one.outcomes


def _end_fork(one: _Sweep, check: Callable[[], str], found: dict[str, Any]) -> None:
    """Leave the outcome for the command's process, and end this one."""
    try:
        found["files"] = digests(Path(one.folder))
        found["complaint"] = check()
    except BaseException as error:
        found["complaint"] = f"check: {type(error).__name__}: {error}"
    try:
        temporary = one.scratch / "outcome"
        temporary.write_text(json.dumps(found))
        os.replace(temporary, one.scratch / "outcome.json")
    finally:
        os._exit(0)


def _again(words: Sequence[object], ends: int) -> str:
    """Run the command without a fault. A complaint if it does not end well."""
    output = io.StringIO()
    try:
        with redirect_stdout(output), redirect_stderr(output):
            main([str(word) for word in words])
        code: object = 0
    except SystemExit as error:
        code = error.code or 0
    return "" if code == ends else f"the same command ends with {code}: {output.getvalue()[-300:]}"


def digests(folder: Path) -> dict[str, str]:
    """A digest of the content of every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _wait(pid: int, seconds: float = 120.0) -> int | None:
    """Wait for a process, and end it after a time. Its exit code; None if it did not end by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return None


def _restore(kept: Path, folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
