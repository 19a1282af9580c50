"""A process that has ended is recognised, and no other process is taken for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainables.store.files import LocalFiles
from trainables.store.leases import Leases, has_ended, this_process

_HOLDER = """
import sys, time
from trainables.store.leases import Leases
from trainables.store.files import LocalFiles
from pathlib import Path
assert Leases(LocalFiles(Path(sys.argv[1])), owner="holder").acquire(["aaaaaaaa"])
print("held", flush=True)
time.sleep(60)
"""


def test_this_process_is_alive() -> None:
    assert this_process()
    assert not has_ended(this_process())


def test_another_process_of_the_same_id_is_not_this_one() -> None:
    assert has_ended(f"{this_process()}0")  # started at another time


@pytest.mark.parametrize(
    "name", ["", "nonsense", "other-boot/1/1/1", f"other-boot/1/{2**22 + 1}/1", "a/b/c/d/e"]
)
def test_what_is_unknown_is_alive(name: str) -> None:
    assert not has_ended(name)


def test_the_lease_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    other = Leases(LocalFiles(tmp_path), owner="other")
    assert other.taken(["aaaaaaaa", "bbbbbbbb"]) == {"aaaaaaaa"}
    assert other.acquire(["aaaaaaaa"]) == frozenset()
    os.kill(holder.pid, signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    assert other.taken(["aaaaaaaa"]) == frozenset()  # not reaped yet: its id is not free
    assert other.acquire(["aaaaaaaa"]) == {"aaaaaaaa"}
    holder.communicate()
    assert other.taken(["aaaaaaaa"]) == frozenset()  # one's own


def test_a_process_may_have_a_name_of_any_bytes() -> None:
    code = (
        "from pathlib import Path; from trainables.store.leases import this_process; "
        r"Path('/proc/self/comm').write_bytes(b'a) \xff (b'); print(this_process())"
    )
    name = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    assert name.count("/") == 3
    assert name.rpartition("/")[2].isdecimal()
    assert has_ended(name)
