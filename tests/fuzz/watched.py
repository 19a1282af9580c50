"""Runs a command in this process and watches what it does: time, what it writes, and which code it loads."""

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from study.cli.main import main

#: Seconds of processor time that a command may take if it draws nothing. They tell a command that reads without end
#: from one on a slow machine. Another process on the machine must not make the test fail.
MOST_SECONDS = 5.0

#: Bytes of address space that a command may add to those of this process. What asks for more must be refused before.
_MOST_MEMORY = 2 << 30

#: Seconds after which a command counts as hanging: it waits for something that never comes.
_HANGS = 60

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

#: For each event of the interpreter that changes the file system: the arguments that are paths.
_CHANGES = {
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "shutil.rmtree": (0,),
}
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")


class Hangs(BaseException):
    """The command did not end."""


@dataclass
class _Watch:
    allowed: tuple[str, ...] = ()
    hostile: str = ""
    seen: list[str] = field(default_factory=list)
    active: bool = False


_watch = _Watch()
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watch.active:
        return
    if event == "open":
        path, _, flags = arguments
        if flags & _WRITES and isinstance(path, str | bytes):
            _check("writes", path)
        elif isinstance(path, str) and path.endswith((".py", ".pyc")) and path.startswith(_watch.hostile):
            _watch.seen.append(f"loads {path}")
    elif event in _CHANGES:
        for place in _CHANGES[event]:
            _check(event, arguments[place])
    elif event in _STARTS:
        _watch.seen.append(f"starts {arguments}")


def _check(event: str, path: object) -> None:
    if isinstance(path, str | bytes | os.PathLike):
        place = os.path.realpath(os.path.dirname(os.path.abspath(os.fsdecode(path)))) + "/"
        changes = event != "os.mkdir" or not os.path.isdir(path)  # `exist_ok` asks for what exists
        if changes and not place.startswith(_watch.allowed):
            _watch.seen.append(f"{event} {os.fsdecode(path)}")


@contextmanager
def _watching(allowed: tuple[Path, ...], hostile: Path) -> Iterator[list[str]]:
    """Records writes outside the `allowed` folders, modules loaded from `hostile`, and processes started."""
    if not _installed:  # the interpreter never removes a hook
        sys.addaudithook(_hook)
        _installed.append(True)
    cache = Path(os.environ["STUDY_CACHE_ROOT"])
    _watch.allowed = tuple(f"{path.resolve()}/" for path in (*allowed, cache, Path("/dev")))
    _watch.hostile, _watch.seen, _watch.active = str(hostile), [], True
    try:
        yield _watch.seen
    finally:
        _watch.active = False


@contextmanager
def _little_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _MOST_MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str
    fault: str  # the exception that ended it, unless it is an exit; "" without
    seconds: float  # of processor time
    most_seconds: float
    seen: tuple[str, ...]  # what it must not do

    def faults(self) -> list[str]:
        """What is wrong with the outcome of a command whose input was hostile; none if it is as it must be."""
        lines = self.err.splitlines()
        found = [*self.seen, *([f"ends by {self.fault}"] if self.fault else [])]
        if self.code not in (0, 1, 2, 75):
            found.append(f"exit code {self.code}")
        if self.seconds > self.most_seconds:
            found.append(f"takes {self.seconds:.1f} s")
        if "Traceback" in self.err:
            found.append("shows a traceback")
        if self.code == 2 and sum(line.startswith("study: ") for line in lines[-1:]) != 1:
            found.append(f"exit code 2 without a line: {self.err[-300:]!r}")
        found += [f"a line of {len(line)} characters" for line in lines if len(line) > 2000]
        found += [
            f"control characters in {text[max(0, hit.start() - 40) : hit.end() + 40]!r}"
            for text in (self.out, self.err)
            if (hit := _CONTROL.search(text))
        ]
        return found


def run(
    *words: object, allowed: tuple[Path, ...], hostile: Path, most_seconds: float = MOST_SECONDS
) -> Outcome:
    """`study` with these words. It may write in the `allowed` folders; nothing from `hostile` may run."""
    before = signal.signal(signal.SIGALRM, _hangs)
    start = time.process_time()
    try:
        with _watching(allowed, hostile) as seen, _little_memory():
            signal.alarm(_HANGS)
            try:
                result = CliRunner().invoke(main, [str(word) for word in words])
            finally:
                signal.alarm(0)
    except Hangs:
        return Outcome(
            code=-1,
            out="",
            err="",
            fault="hangs",
            seconds=_HANGS,
            most_seconds=most_seconds,
            seen=tuple(seen),
        )
    finally:
        signal.signal(signal.SIGALRM, before)
    fault = result.exception
    return Outcome(
        code=result.exit_code,
        out=result.stdout,
        err=result.stderr,
        fault="" if fault is None or isinstance(fault, SystemExit) else repr(fault)[:500],
        seconds=time.process_time() - start,
        most_seconds=most_seconds,
        seen=tuple(seen),
    )


def _hangs(*_: object) -> None:
    raise Hangs
