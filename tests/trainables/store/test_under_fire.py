"""Changes to a store that are killed before each of their file operations: nothing is lost, and nothing is left."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from study.cli.gc import find_leftovers
from tests.trainables.records_example import example_record
from tests.trainables.store.failing import InterruptedFiles, make_old
from tests.trainables.store.kill_steps import ACTS, CHANGES, OPERATIONS, TRIALS, killer
from trainables.atomic import TEMPORARY
from trainables.store.files import LocalFiles, StoreError
from trainables.store.record_file import record_digests
from trainables.store.records import RecordStore

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    with killer() as asking:
        yield asking


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four records in a compacted file, three in single files, a damaged file, and another store to merge."""
    path = tmp_path_factory.mktemp("prepared")
    store = RecordStore(path)
    for n, trial_id in enumerate(TRIALS):
        store.put(example_record(trial_id=trial_id, seconds_total=n / 7))
        if n == 3:
            for _ in range(2):
                store.compact(grace_seconds=0)
    store.put(example_record(trial_id=TRIALS[0], attempt=1, seconds_total=0.5))
    (store.records_dir / f"{'d' * 16}.0.parquet").write_bytes(b"damaged")
    for n in range(2):
        RecordStore(path / "source").put(example_record(trial_id=f"{'c' * 15}{n}", seconds_total=n / 3))
    (path / "curves").mkdir()
    (path / "curves" / "file.txt").write_text("before")
    return path


#: What is done after a kill, and what an undisturbed run is.
_TO_THE_END = {act: (act, act) for act in ACTS} | {"merge": ("merge", "merge", "compact", "compact")}


@dataclass
class Outcome:
    """What a test found on the disk after kills at every step."""

    kills: int = 0
    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)  # the state of the compaction at a kill


def kill_at_every_step(
    ask: Ask, prepared: Path, folder: Path, act: str, operations: tuple[str, ...], **request: Any
) -> Outcome:
    """Kill the change before each operation in turn, until it finishes, and check what each kill leaves."""
    undisturbed = fresh(prepared, folder / "undisturbed")
    for each in _TO_THE_END[act]:
        ask(act=each, path=undisturbed)
    before, after = records_of(prepared), records_of(undisturbed)
    outcome = Outcome()
    for step in range(1000):
        path = fresh(prepared, folder / "killed")
        if not ask(act=act, path=path, step=step, operations=operations, **request)["killed"]:
            outcome.faults += faults_in(path, after, after, f"finished after {step} operations")
            return outcome
        outcome.kills += 1
        outcome.seen[state_of_compaction(path)] += 1
        outcome.faults += faults_in(path, before, after, f"killed before operation {step}")
        if not outcome.faults:
            sweep(path)
            for each in _TO_THE_END[act]:
                ACTS[each](path)
            if records_of(path) != after:
                outcome.faults.append(f"killed before operation {step}: does not end with all records")
            if (end := content_of(path)) != content_of(undisturbed):
                outcome.faults.append(f"killed before operation {step}: ends as {end}")
    raise AssertionError("it never finished")


def fresh(prepared: Path, path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    return Path(shutil.copytree(prepared, path))


def records_of(path: Path) -> dict[tuple[str, int], str]:
    """The digest of each record's values by its key. Raises `AssertionError` if a record is there twice."""
    found = RecordStore(path).read_all()
    columns = (found.table[name].to_pylist() for name in ("trial_id", "attempt"))
    keys, digests = list(zip(*columns, strict=True)), record_digests(found.table)
    assert len(keys) == len(set(keys))
    assert digests == list(found.digests)
    return dict(zip(keys, digests, strict=True))


def faults_in(
    path: Path, before: dict[tuple[str, int], str], after: dict[tuple[str, int], str], when: str
) -> list[str]:
    """What is wrong with the records: one of `before` is lost, or one is neither in `before` nor in `after`."""
    try:
        found = records_of(path)
    except StoreError as error:
        return [f"{when}: {error}"]
    faults = [f"{when}: lost {key}" for key, digest in before.items() if found.get(key) != digest]
    faults += [f"{when}: strange {key}" for key, digest in found.items() if after.get(key) != digest]
    damaged = [each.name for each in RecordStore(path).read_all().damaged]
    return faults + [f"{when}: {name} is damaged" for name in damaged if name != f"{'d' * 16}.0.parquet"]


def content_of(path: Path) -> list[tuple[str, str]]:
    """Every file by its name, without random parts, and a hash of its content. Folders of no content do not count.

    A compacted file names the files that it replaces, so its hash depends on the kill if a merge adds two records.
    """
    files = [file for file in path.rglob("*") if file.is_file()]
    names = [re.sub(r"^(damaged/.*)\.[0-9a-f]{8}$", r"\1", str(file.relative_to(path))) for file in files]
    hashes = [sha256(file.read_bytes()).hexdigest() for file in files]
    found = sorted(zip(names, hashes, strict=True))
    if not any(name.startswith("records/compact-10-") for name in names):
        return found
    return [
        (re.sub(r"(compact-10)-.*", r"\1", name), "" if "compact-10-" in name else each)
        for name, each in found
    ]


def state_of_compaction(path: Path) -> str:
    """How far a compaction had come, by the files on the disk."""
    names = {file.name for file in (path / "records").iterdir()}
    sources = {f"{trial}.0.parquet" for trial in TRIALS[4:]} | {f"{TRIALS[0]}.1.parquet"}
    joined = any(name.startswith("compact-8-") for name in names)
    there = len(sources & names) + sum(name.startswith("compact-4-") for name in names)
    if not joined:
        return "being written" if any(name.startswith(TEMPORARY) for name in names) else "not written"
    return "written, sources untouched" if there == 5 else "sources being removed" if there else "done"


def sweep(path: Path) -> None:
    """Remove, as `study gc` does, the temporary files and leases that a killed process left, when they are old."""
    left = [file for file in path.rglob("*") if file.name.startswith(TEMPORARY)]
    left += (path / "leases").glob("*")
    for file in left:
        for each in (*file.rglob("*"), file):
            make_old(each, 90_000)
    go = [each.path for each in find_leftovers(RecordStore(path), kept=(), older_than=0).go]
    assert set(left) <= set(go)
    for file in go:
        shutil.rmtree(file) if file.is_dir() else file.unlink()


def test_compaction_killed_before_each_change(ask: Ask, prepared: Path, tmp_path: Path) -> None:
    outcome = kill_at_every_step(ask, prepared, tmp_path, "compact", CHANGES)
    assert outcome.faults == []
    assert outcome.seen["written, sources untouched"] >= 2  # before the first removal, among others
    assert outcome.seen["sources being removed"] == 4  # of five
    assert outcome.seen["being written"] >= 2


@pytest.mark.parametrize(
    ("plant", "fault"), [("sources removed first", "lost"), ("written in place", "is damaged, which affects")]
)
def test_the_check_detects_a_compaction_that_loses_records(
    ask: Ask, prepared: Path, tmp_path: Path, plant: str, fault: str
) -> None:
    outcome = kill_at_every_step(ask, prepared, tmp_path, "compact", ("write", "link"), plant=plant)
    assert outcome.kills >= 2
    assert any(fault in each for each in outcome.faults)


@pytest.mark.slow
@pytest.mark.parametrize("act", ["put", "compact", "merge", "set_aside", "replace"])
def test_killed_before_each_operation(ask: Ask, prepared: Path, tmp_path: Path, act: str) -> None:
    operations = CHANGES if act == "merge" else OPERATIONS  # a merge has some hundred operations
    outcome = kill_at_every_step(ask, prepared, tmp_path, act, operations)
    assert outcome.faults == []
    assert outcome.kills >= 2
    curves = tmp_path / "killed" / "curves"
    assert (curves / "file.txt").read_text() == ("after" if act == "replace" else "before")


def test_leases_of_an_owner_killed_before_each_change_are_free(
    ask: Ask, prepared: Path, tmp_path: Path
) -> None:
    """The owner acquires two leases, renews them three times and releases them. Another one need not wait."""
    ask(act="lease", path=fresh(prepared, tmp_path / "undisturbed"))
    kills = 0
    while True:
        path = fresh(prepared, tmp_path / "killed")
        if not ask(act="lease", path=path, step=kills, operations=CHANGES)["killed"]:
            break
        kills += 1
        leases = RecordStore(path).leases("next")
        assert leases.acquire(TRIALS[:2]) == set(TRIALS[:2]), kills
        leases.release()
        sweep(path)
        assert list((path / "leases").iterdir()) == []
    assert list((path / "leases").iterdir()) == []
    assert kills > 20


@pytest.mark.slow
@pytest.mark.parametrize("continues", [False, True])
def test_two_compactions_at_once_of_which_one_or_both_are_killed(
    ask: Ask, prepared: Path, tmp_path: Path, continues: bool
) -> None:
    """The first stops at each change in turn, the second is killed meanwhile, then the first goes on or is killed."""
    ask(act="compact", path=fresh(prepared, tmp_path / "undisturbed"))
    expected, ends = records_of(prepared), Counter[int]()
    for step in range(1000):
        path = fresh(prepared, tmp_path / "killed")
        request = {"act": "compact", "operations": CHANGES, "other": 7 * step % 20, "continues": continues}
        answer = ask(path=path, step=step, **request)
        if not answer["killed"]:
            break
        ends.update(answer["ends"])
        assert faults_in(path, expected, expected, f"step {step}") == []
        sweep(path)
        for _ in range(3):
            ACTS["compact"](path)
        assert faults_in(path, expected, expected, f"step {step}, after the next compaction") == []
        assert sum(file.name.startswith("compact-") for file in (path / "records").iterdir()) == 1
    assert ends[signal.SIGKILL] > 3
    assert (ends[0] > 10) == continues


def test_a_put_killed_in_the_middle_of_a_write(tmp_path: Path) -> None:
    """The kernel kills the process at a byte of the file. What is left is a temporary file, and no record."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.trainables.store.kill_steps import put\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))\n"
        "put(Path(sys.argv[1]))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGXFSZ
    (left,) = (tmp_path / "records").iterdir()
    assert (left.name[:5], left.stat().st_size) == (TEMPORARY, 9999)
    found = RecordStore(tmp_path).read_all()
    assert (found.table.num_rows, found.damaged) == (0, ())
    sweep(tmp_path)
    assert os.listdir(tmp_path / "records") == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 9999


def test_the_wait_before_removal_must_be_longer_than_a_listing(prepared: Path, tmp_path: Path) -> None:
    """A listing is no snapshot: it may miss a file that goes and the one that came for it.

    A removal waits until the new file is older than any listing takes. Without this wait, a reader that lists while
    a compaction runs may miss records, and with it, the same reader sees all.
    """
    for grace, complete in ((0.0, False), (600.0, True)):
        path = fresh(prepared, tmp_path / f"grace{grace}")
        reader = RecordStore(path)
        compacting = RecordStore(path).compact
        reader.__dict__["files"] = InterruptedFiles(
            path, in_listing=[lambda compact=compacting, wait=grace: compact(grace_seconds=wait)]
        )
        found = reader.read_all().table.num_rows
        assert (found == 8) == complete
        assert RecordStore(path).read_all().table.num_rows == 8


@dataclass(frozen=True)
class SlowListing(LocalFiles):
    """Lists a half of the names, waits, and lists the other half, as a slow file system may do."""

    def names(self, folder: str) -> list[str]:
        halves = []
        for half in (0, 1):
            halves += [name for name in super().names(folder) if sum(name.encode()) % 2 == half]
            time.sleep(0.1)
        return sorted(halves)


_COMPACTING = """
import sys
from pathlib import Path
from tests.trainables.records_example import example_record
from trainables.store.records import RecordStore

store = RecordStore(Path(sys.argv[1]))
for n in range(10**6):
    store.put(example_record(trial_id=f"{n:016x}"))
    print(n + 1, flush=True)
    store.compact(grace_seconds=1.0)
"""


@pytest.mark.slow
def test_readers_with_slow_listings_see_every_record_while_compactions_run(tmp_path: Path) -> None:
    """A listing takes 0.2 s, and files are removed after a second."""
    command = [sys.executable, "-c", _COMPACTING, str(tmp_path)]
    reader, seen, until = RecordStore(tmp_path), 0, time.monotonic() + 12
    reader.__dict__["files"] = SlowListing(tmp_path)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "1\n"
        while time.monotonic() < until:
            found = reader.read_all()
            assert found.damaged == ()
            assert found.table.num_rows >= max(seen, 1)
            seen = found.table.num_rows
        writer.kill()
        said = writer.stdout.read().split("\n")[:-1]
    assert seen > 5
    assert RecordStore(tmp_path).read_all().table.num_rows >= int(said[-1])
