"""A process that changes a store on request, and kills itself just before one of its file operations.

The process forks for each request, so that a test can try every operation. It reads requests from standard input and
answers each on standard output, one line of JSON each. A request has the name of a change, a path, and:

- `step`: the number of the operation before which the child stops; without it, nothing stops.
- `operations`: the names of the C functions that count, `CHANGES` or `OPERATIONS`.
- `plant`: the name of a fault that the child has.
- `other`: the step at which a second child, which makes the same change meanwhile, is killed. The first child stops
  and waits for this, and then is killed, or continues if `continues`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.trainables.records_example import example_record
from trainables.atomic import replace_file, replacing
from trainables.store import files as store_files
from trainables.store.merge import merge_stores
from trainables.store.records import RecordStore

#: Functions that change what is on the disk, and those that read it too.
CHANGES = ("write", "fsync", "link", "unlink", "rename", "replace", "rmdir")
OPERATIONS = (*CHANGES, "open", "mkdir", "listdir", "scandir", "read")

TRIALS = [f"{n:016x}" for n in range(7)]


def put(path: Path) -> None:
    RecordStore(path).put(example_record(trial_id="e" * 16, seconds_total=0.1))


def compact(path: Path) -> None:
    RecordStore(path).compact(grace_seconds=0)


def merge(path: Path) -> None:
    merge_stores([RecordStore(path / "source")], RecordStore(path), ["seconds_total"])


def set_aside(path: Path) -> None:
    store = RecordStore(path)
    for damage in store.read().damaged:
        store.set_aside(damage)


def lease(path: Path) -> None:
    leases = RecordStore(path).leases("killed")
    leases.acquire(TRIALS[:2])
    for _ in range(3):
        leases.renew()
    leases.release()


def replace(path: Path) -> None:
    replace_file(path / "curves" / "file.txt", "after")
    if (path / "curves" / "folder").exists():  # a folder with content cannot be replaced
        return
    with replacing(path / "curves" / "folder") as temporary:
        temporary.mkdir()
        (temporary / "content").write_text("after")


ACTS: dict[str, Callable[[Path], None]] = {
    act.__name__: act for act in (put, compact, merge, set_aside, lease, replace)
}


def _sources_removed_first() -> None:
    put_whole = store_files.LocalFiles.put

    def put_after_removal(self: store_files.LocalFiles, name: str, content: bytes, **options: Any) -> bool:
        if name.startswith("records/compact-"):
            for each in self.names("records"):
                self.delete(each)
        return put_whole(self, name, content, **options)

    store_files.LocalFiles.put = put_after_removal  # type: ignore[method-assign]


def _written_in_place() -> None:
    def create(path: Path, content: bytes, **_: Any) -> bool:
        with path.open("xb", buffering=0) as file:
            for start in range(0, len(content), 4096):
                file.write(content[start : start + 4096])
        return True

    store_files.create_file = create


PLANTS = {"sources removed first": _sources_removed_first, "written in place": _written_in_place}


def main() -> None:
    """Answer requests until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("step") is None:
        ACTS[request["act"]](Path(request["path"]))  # in this process, which then has imported everything
        return {"killed": False}
    if request.get("other") is None:
        return {"killed": _ended(_start(request, request["step"], signal.SIGKILL)) == signal.SIGKILL}
    first = _start(request, request["step"], signal.SIGSTOP)
    _, status = os.waitpid(first, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return {"killed": False}
    other = _ended(_start(request, request["other"], signal.SIGKILL))
    os.kill(first, signal.SIGCONT if request["continues"] else signal.SIGKILL)
    return {"killed": True, "ends": [_ended(first), other]}


def _start(request: dict[str, Any], step: int, how: signal.Signals) -> int:
    child = os.fork()
    if child:
        return child
    if plant := request.get("plant"):
        PLANTS[plant]()
    act, path = ACTS[request["act"]], Path(request["path"])
    _stop_before(step, request["operations"], how)
    act(path)
    sys.setprofile(None)
    os._exit(0)


def _stop_before(step: int, operations: list[str], how: signal.Signals) -> None:
    """Send this process a signal just before the C function that is number `step` of those that count."""
    counted = 0

    def count(_: object, event: str, function: Any) -> None:
        nonlocal counted
        if event == "c_call" and function.__name__ in operations:
            if counted == step:
                os.kill(os.getpid(), how)
            counted += 1

    sys.setprofile(count)


def _ended(child: int) -> int:
    """The signal that ended a child; 0 if it finished. Raises `RuntimeError` if it failed."""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code > 0:
        raise RuntimeError("the child raised an error, see above")
    return -code


@contextlib.contextmanager
def killer() -> Iterator[Callable[..., dict[str, Any]]]:
    """A function that sends a request, as keywords, to a new process of this module and returns its answer."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(**request: Any) -> dict[str, Any]:
            assert process.stdin
            assert process.stdout
            print(json.dumps(request, default=str), file=process.stdin, flush=True)
            return dict(json.loads(process.stdout.readline()))

        yield ask
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0


if __name__ == "__main__":
    main()
