"""Writers and compactions that are killed for real, at random moments, while others read."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.trainables.records_example import example_record
from trainables.store.records import RecordStore

#: Puts records of its own number for ever, says each when it is put, and compacts in between.
_WORKER = """
import sys, time
from pathlib import Path
from tests.trainables.records_example import example_record
from trainables.store.records import RecordStore

store, number, compacting = RecordStore(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3] == "compacting"
for n in range(10**9):
    time.sleep(0.01)
    if compacting:
        store.compact(at_least=3, grace_seconds=0.3)
        print("compacted", flush=True)
    else:
        trial_id = f"{number * 10**6 + n:016x}"
        store.put(example_record(trial_id=trial_id, seconds_total=float(n)))
        print(trial_id, flush=True)
"""


def start(store: Path, number: int, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WORKER, str(store), str(number), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kill(process: subprocess.Popen[str]) -> list[str]:
    """What it said until it was killed; a last line that is cut short was not said."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    return said.split("\n")[:-1]


@pytest.mark.chaos
def test_no_record_is_lost_or_counted_twice_whoever_is_killed(tmp_path: Path) -> None:
    """Two writers and two compactions killed again and again; readers see a number of records that only grows."""
    store, chance, said, seen = RecordStore(tmp_path), random.Random(0), set(), 0
    for round_ in range(3):
        roles = ["writing", "writing", "compacting", "compacting"]
        workers = [start(tmp_path, 10 * round_ + n, role) for n, role in enumerate(roles)]
        for worker in workers:
            assert worker.stdout.readline()  # it is at work
        for worker in workers:
            until = time.monotonic() + chance.uniform(0.05, 0.8)
            while time.monotonic() < until:
                ids = store.read().table["trial_id"].to_pylist()
                assert len(ids) == len(set(ids))
                assert len(ids) >= seen
                seen = len(ids)
            said.update(line for line in kill(worker) if line != "compacted")
        found = store.read()
        assert found.damaged == ()
        assert said <= set(found.statuses())
    assert any(path.name.startswith("compact") for path in store.records_dir.iterdir())
    for _ in range(2):
        store.compact(at_least=1, grace_seconds=0)
    assert said <= set(store.read().statuses())
    assert len(said) > 50


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """The kernel refuses what goes beyond the process's limit on file sizes, as a full disk does."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.trainables.records_example import example_record\n"
        "from trainables.store.records import RecordStore\n"
        "store = RecordStore(Path(sys.argv[1]))\n"
        "store.put(example_record(trial_id='aaaaaaaa'))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: store.put(example_record(trial_id='bbbbbbbb'))\n"
        "except OSError as error: print(error.strerror)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], text=True)
    assert said.strip() == "File too large"
    assert os.listdir(tmp_path / "records") == ["aaaaaaaa.0.parquet"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


@pytest.mark.chaos
def test_a_store_whose_disk_is_full(tmp_path: Path) -> None:
    """On a real file system of 256 kB: every record that was put stays whole, compaction included."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("mounting needs privileges")
    try:
        store = RecordStore(tmp_path)
        put = _put_until_full(store)
        (tmp_path / "filler").write_bytes(b"0" * 4096)
        with pytest.raises(OSError, match="No space left"):
            store.compact(grace_seconds=0)
        assert store.read().damaged == ()
        assert len(store.read().statuses()) == put > 3
        assert not list(store.records_dir.glob(".tmp-*"))
        (tmp_path / "filler").unlink()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def _put_until_full(store: RecordStore) -> int:
    for n in range(100):
        try:
            store.put(example_record(trial_id=f"{n:016x}"))
        except OSError:
            return n
    raise AssertionError("the disk never filled")
