"""Whether a process that holds something has ended, as far as this machine can tell.

A process is named by the boot of its machine's kernel, its namespace of process ids (one a container), its id and
the time of its start: so no other process, here or elsewhere, now or later, has its name.
"""

import os
from pathlib import Path


def this_process() -> str:
    """The name of this process; "" where the system does not tell (it has no /proc)."""
    status, pid = _status(os.getpid()), os.getpid()
    return f"{place}/{pid}/{status[1]}" if (place := _place()) and status else ""


def has_ended(process: str) -> bool:
    """Whether a process ran on this machine and is gone. False wherever that is unknown, as of another machine."""
    place, pid, start = process.rsplit("/", 2) if process.count("/") == 3 else ("", "", "")
    if not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, which /proc may hide
        pass
    status = _status(int(pid))
    return status is not None and (status[0] in "ZX" or status[1] != start)


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _status(pid: int) -> tuple[str, str] | None:
    """State and start time, from /proc/<pid>/stat; the name before them may hold blanks and brackets."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]
