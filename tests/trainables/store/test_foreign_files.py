"""Files of strangers in a store: each costs only itself, is named with the reason, and hides or removes nothing."""

import errno
import hashlib
import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trainables.records_example import example_record
from tests.trainables.store.failing import make_old
from tests.trainables.store.foreign import hostile_row, put_compacted
from trainables.store.files import DamagedRecordError
from trainables.store.inventory import take_inventory
from trainables.store.record_file import decode_record, encode_row, record_digests
from trainables.store.records import RecordStore, StoreError
from trainables.store.schema import record_to_table

A, B, C = (letter * 16 for letter in "abc")


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    """A store with one record."""
    store = RecordStore(tmp_path / "store")
    store.put(example_record(trial_id=A, seconds_total=1.0))
    return store


def said(store: RecordStore) -> list[str]:
    return [str(damage) for damage in store.read().damaged]


def trials(store: RecordStore) -> list[str]:
    found: list[str] = store.read().table["trial_id"].to_pylist()
    return found


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)
    os.chdir(here)


KINDS: list[tuple[str, Callable[[Path], object], str]] = [
    ("pipe", os.mkfifo, "it is a pipe, must be a regular file"),
    ("folder", Path.mkdir, "it is a folder, must be a regular file"),
    ("socket", make_socket, "it is a socket, must be a regular file"),
    ("zero", lambda path: path.symlink_to("/dev/zero"), "it is a device, must be a regular file"),
    ("dangling", lambda path: path.symlink_to("nowhere"), "it is a link to a file that does not exist"),
    ("itself", lambda path: path.symlink_to(path.name), "it is a link to itself"),
]


@pytest.mark.parametrize(("make", "reason"), [each[1:] for each in KINDS], ids=[each[0] for each in KINDS])
def test_what_is_no_regular_file_is_named_and_set_aside(
    store: RecordStore, make: Callable[[Path], object], reason: str
) -> None:
    path = store.records_dir / f"{B}.0.parquet"
    make(path)
    start = time.monotonic()
    assert said(store) == [f"{path.name} ({reason})"]
    assert time.monotonic() - start < 2
    assert trials(store) == [A]
    store.compact(at_least=1, grace_seconds=0)
    (damage,) = store.read().damaged
    aside = store.set_aside(damage)
    assert os.path.lexists(aside)
    assert not os.path.lexists(path)
    assert said(store) == []


@pytest.mark.parametrize("kind", ["pipe", "folder", "zero"])
def test_what_cannot_be_a_compacted_file_does_not_stop_a_reader(store: RecordStore, kind: str) -> None:
    path = store.records_dir / f"compact-3-{'0' * 32}.parquet"
    {name: make for name, make, _ in KINDS}[kind](path)
    (line,) = said(store)
    assert line.startswith(f"{path.name} (it is a")
    assert trials(store) == [A]


def test_a_link_to_a_record_is_a_record(store: RecordStore, tmp_path: Path) -> None:
    other = RecordStore(tmp_path / "other").put(example_record(trial_id=B))
    (store.records_dir / other.name).symlink_to(other)
    assert (trials(store), said(store)) == ([A, B], [])


def test_a_pipe_among_the_leases(store: RecordStore) -> None:
    leases = store.leases("one")
    (store.path / "leases").mkdir()
    os.mkfifo(store.path / "leases" / f"{B}.0")
    (store.path / "leases" / f"{C}.{'9' * 30}").touch()
    assert leases.acquire([A, B, C]) == {A, C}
    assert leases.taken([B]) == {B}
    store.compact()


def test_an_attempt_has_one_name(store: RecordStore) -> None:
    """Another spelling of its number would hide the record."""
    content = encode_row(hostile_row(trial_id=A, seconds_total=9.0))
    for name in (f"{A}.00.parquet", f"{A}.\u0660.parquet", f"{A}.{10**30}.parquet"):
        (store.records_dir / name).write_bytes(content)
    assert store.read().table["seconds_total"].to_pylist() == [1.0]
    assert len(said(store)) == 3
    assert store.next_attempts() == {A: 1}


def test_a_record_is_checked_before_it_is_written(store: RecordStore) -> None:
    with pytest.raises(StoreError, match=r"trial '\.\./\.\./x' cannot be written: trial_id is"):
        store.put(example_record(trial_id="../../x"))
    with pytest.raises(StoreError, match="attempt is 1000000, must be from 0 to 999,999"):
        store.put(example_record(trial_id=B, attempt=1_000_000))
    assert [path.name for path in store.records_dir.iterdir()] == [f"{A}.0.parquet"]
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["store"]


def test_a_single_file_with_a_hostile_value(store: RecordStore) -> None:
    path = store.records_dir / f"{B}.0.parquet"
    path.write_bytes(encode_row(hostile_row(trial_id=B, status="owned")))
    (line,) = said(store)
    assert line.startswith(f"{path.name} (status is 'owned', must be one of ok, ")
    assert trials(store) == [A]


HOSTILE = [
    {"trial_id": "../../x"},
    {"trial_id": ""},
    {"trial_id": f"{A}\n"},
    {"trial_id": B, "status": "owned"},
    {"trial_id": B, "attempt": -5},
    {"trial_id": B, "attempt": 2**63 - 1},
    {"trial_id": B, "pretrain_id": "/etc/passwd"},
    {"trial_id": B, "config": "{"},
]


def test_a_hostile_row_of_a_compacted_file_costs_only_itself(store: RecordStore) -> None:
    rows = [hostile_row(trial_id=C), *(hostile_row(**changes) for changes in HOSTILE[:4])]
    path = put_compacted(store.path, rows)
    assert trials(store) == [A, C]
    assert said(store)[0] == (
        f"{path.name}, row 1 (trial_id is '../../x', must be 8 to 64 digits of 0-9 and a-f)"
    )
    assert [damage.row for damage in store.read().damaged] == [1, 2, 3, 4]
    assert store.next_attempts() == {A: 1, C: 1}


def test_many_hostile_rows_take_few_lines(store: RecordStore) -> None:
    path = put_compacted(store.path, [hostile_row(**changes) for changes in HOSTILE])
    assert [damage.row for damage in store.read().damaged] == [0, 1, 2, 3, 4, 5]
    assert said(store)[-1].endswith("; 2 more rows after it do not count)")
    assert path.exists()


def test_a_compacted_file_with_a_hostile_row_stays(store: RecordStore) -> None:
    path = put_compacted(store.path, [hostile_row(trial_id=C), hostile_row(trial_id=B, status="owned")])
    store.put(example_record(trial_id=B))
    for _ in range(2):
        store.compact(grace_seconds=0)
    assert path.exists()
    assert trials(store) == [A, B, C]
    assert len(said(store)) == 1


def test_the_same_attempt_twice_in_a_file(store: RecordStore) -> None:
    rows = [hostile_row(trial_id=B, seconds_total=seconds) for seconds in (1.0, 2.0)]
    path = put_compacted(store.path, rows)
    assert said(store) == [f"{path.name}, row 1 (trial_id and attempt are those of row 0)"]
    assert store.read({B}).table["seconds_total"].to_pylist() == [1.0]


def joined(store: RecordStore) -> Path:
    """The compacted file of two records, old enough to be removed."""
    store.put(example_record(trial_id=B, seconds_total=2.0))
    for _ in range(2):
        store.compact(grace_seconds=0)
    (path,) = store.records_dir.iterdir()
    make_old(path, 10_000)
    return path


def test_replaces_is_believed_only_of_files_whose_records_are_there(store: RecordStore) -> None:
    honest = joined(store)
    rows = [hostile_row(trial_id=f"{number:016x}") for number in range(5)]
    foreign = put_compacted(store.path, rows, replaces=[f"records/{honest.name}", "../../etc/passwd"])
    make_old(foreign, 10_000)
    assert {A, B} < set(trials(store))
    for _ in range(3):
        store.compact(grace_seconds=0)
    assert honest.exists()
    assert {A, B} < set(trials(store))


def test_the_same_attempt_with_other_values_removes_nothing(store: RecordStore) -> None:
    honest = joined(store)
    rows = [hostile_row(trial_id=key, seconds_total=9.0) for key in (A, B, C)]
    foreign = put_compacted(store.path, rows, replaces=[f"records/{honest.name}"])
    make_old(foreign, 10_000)
    for _ in range(3):
        assert said(store) == [
            f"{honest.name}, row {row} (attempt 0 at trial {key} has other values in {foreign.name}, which count)"
            for row, key in enumerate((A, B))
        ]
        store.put(example_record(trial_id=os.urandom(8).hex()))
        store.compact(at_least=1, grace_seconds=0)
    assert honest.exists()
    assert foreign.exists()


def test_false_digests_remove_nothing_and_stop_nothing(store: RecordStore) -> None:
    """They make the file look as if it had the records of others."""
    single = store.records_dir / f"{A}.0.parquet"
    honest = record_to_table(example_record(trial_id=A, seconds_total=1.0))
    rows = [hostile_row(trial_id=A, seconds_total=9.0), hostile_row(trial_id=B)]
    digests = [record_digests(honest)[0], record_digests(rows[1])[0]]
    foreign = put_compacted(store.path, rows, digests=digests)
    other = put_compacted(store.path, [honest])
    again = put_compacted(
        store.path,
        [*rows, hostile_row(trial_id=C)],
        digests=[*digests, "0" * 32],
        replaces=[f"records/{other.name}"],
    )
    for path in (single, foreign, other, again):
        make_old(path, 10_000)
    store.put(example_record(trial_id="d" * 16))
    store.put(example_record(trial_id="e" * 16))
    for _ in range(3):
        store.compact(grace_seconds=0)
    assert all(path.exists() for path in (single, foreign, other, again))
    assert len(take_inventory(store.files).loose) == 0  # the new records were joined


def test_a_compacted_file_that_is_not_laid_out_as_ours(store: RecordStore) -> None:
    """One long value at 2,000 places takes some kilobytes in the file and two gigabytes in memory."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array(["x" * 1_000_000]))
    path = put_bytes(store, pa.table({"error_message": text}), rows=2000, use_dictionary=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(StoreError, match=rf"{path.name} is damaged, .*not laid out as this package writes"):
        store.read()
    assert "not laid out" in str(store.read_all(skip_damaged=True).damaged[0])


def put_bytes(store: RecordStore, table: pa.Table, *, rows: int, **options: object) -> Path:
    """A compacted file with the right hash in its name, whatever its content."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, **options)
    content = sink.getvalue().to_pybytes()
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    path = store.records_dir / f"compact-{rows}-{digest}.parquet"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("claimed", [2_000_000, 10])
def test_two_million_rows(store: RecordStore, monkeypatch: pytest.MonkeyPatch, claimed: int) -> None:
    table = pa.table({name: pa.nulls(2_000_000, pa.int64()) for name in ("attempt", "seed")})
    path = put_bytes(store, table, rows=claimed, use_dictionary=False)
    start = time.monotonic()
    with pytest.raises(StoreError, match="STUDY_MAX_RECORDS, now 500000, allows more") as caught:
        store.read()
    assert time.monotonic() - start < 1
    assert path.name in str(caught.value)
    assert [damage.path for damage in store.read_all(skip_damaged=True).damaged] == [path]
    monkeypatch.setenv("STUDY_MAX_RECORDS", "3000000")
    with pytest.raises(StoreError, match="rows, its name says" if claimed == 10 else "absent"):
        store.read()
    monkeypatch.setenv("STUDY_MAX_RECORDS", "many")
    with pytest.raises(StoreError, match="STUDY_MAX_RECORDS: got 'many', must be a positive whole number"):
        store.read()


def test_the_bounds_are_those_of_each_compacted_file(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compaction makes a further file when one would be too large, so a store may have any number of rows."""
    monkeypatch.setattr("trainables.store.parquet_bounds._RECORDS", 100)
    for first in (0, 60):
        put_compacted(
            store.path, [hostile_row(trial_id=f"{n:016x}", seed=n) for n in range(first, first + 60)]
        )
    assert (len(trials(store)), said(store)) == (121, [])
    put_compacted(store.path, [hostile_row(trial_id=f"{n:016x}") for n in range(200, 301)])
    with pytest.raises(StoreError, match="it has 101 rows, at most 100 are read"):
        store.read()


def test_a_low_number_of_records_does_not_refuse_what_compaction_writes(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDY_MAX_RECORDS", "1")
    store.put(example_record(trial_id=B))
    store.compact(grace_seconds=0)
    assert [path.name[:10] for path in store.records_dir.glob("compact-*")] == ["compact-2-"]
    assert (trials(store), said(store)) == ([A, B], [])


def test_records_that_would_exceed_a_bound_are_not_joined(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "trainables.store.parquet_bounds._RECORDS", 4
    )  # 8 kB: less than the parts of any file
    store.put(example_record(trial_id=B))
    with pytest.raises(
        StoreError, match=r"records cannot be joined .*at most 8,192 are read.* left as they are"
    ):
        store.compact()
    assert sorted(path.name for path in store.records_dir.iterdir()) == [f"{A}.0.parquet", f"{B}.0.parquet"]
    assert trials(store) == [A, B]


def test_columns_of_a_file_share_no_bytes(store: RecordStore) -> None:
    """Columns that all name the same pages would take hours to decode."""
    path = store.records_dir / f"{B}.0.parquet"
    table = pa.table({name: pa.array([os.urandom(50_000)]) for name in ("a", "b", "c")})
    pq.write_table(table, path, compression="none", write_statistics=False, use_dictionary=False)
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    path.write_bytes(content[:60_000] + content[-footer:])
    assert said(store) == [f"{path.name} (its columns have more bytes than the file)"]


@pytest.mark.parametrize(
    ("codec", "reason"),
    [
        ("snappy", "bytes or more when decoded, at most 33,554,432 are read"),
        ("zstd", "compressed in another way"),
    ],
)
def test_a_record_that_inflates(store: RecordStore, codec: str, reason: str) -> None:
    table = hostile_row(trial_id=B, error_traceback="x" * 40_000_000)
    path = store.records_dir / f"{B}.0.parquet"
    pq.write_table(table, path, compression=codec, write_statistics=False, use_dictionary=False)
    assert path.stat().st_size < 8 * 2**20
    start = time.monotonic()
    (line,) = said(store)
    assert time.monotonic() - start < 1
    assert reason in line
    assert trials(store) == [A]


def test_a_record_that_is_too_large_on_disk(store: RecordStore) -> None:
    path = store.records_dir / f"{B}.0.parquet"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert said(store) == [f"{path.name} (it has 1,000,000,000,000 bytes, at most 8,388,608 are read)"]


def test_a_footer_of_anybody_never_ends_the_process(store: RecordStore) -> None:
    """Some invalid values in a footer make pyarrow abort, and a nested schema could exhaust the stack."""
    content = encode_row(record_to_table(example_record(trial_id=B)))
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    chance = random.Random(0)
    for _ in range(100):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 3, 20))):
            changed[chance.randrange(start, len(content) - 8)] = chance.randrange(256)
        with suppress(DamagedRecordError, StoreError):
            decode_record(bytes(changed), f"records/{B}.0.parquet")


def test_a_refused_store_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), source, None, target)

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "there").mkdir()
    for path in (tmp_path / "there", tmp_path / "new" / "store"):
        with pytest.raises(
            StoreError, match="has no hard links, which records need: Operation not permitted"
        ):
            RecordStore(path).prepare()
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
