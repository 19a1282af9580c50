"""Compaction: every record once, before, during and after, and whoever stops in the middle."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.trainables.records_example import example_record
from tests.trainables.store.failing import InterruptedFiles, Stopped, StoppingFiles, make_old
from trainables.atomic import temporary_path
from trainables.store.compacted_file import encode_compacted
from trainables.store.compaction import compact_files
from trainables.store.files import LocalFiles
from trainables.store.inventory import take_inventory
from trainables.store.record_file import encode_row, record_digests
from trainables.store.records import RecordStore, StoreError
from trainables.store.schema import SCHEMA_VERSION, Status, record_schema, record_to_table


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def fill(store: RecordStore, first: int, last: int, **changes: object) -> None:
    for n in range(first, last):
        store.put(example_record(trial_id=f"{n:016x}", seconds_total=n / 7, **changes))


def names(store: RecordStore) -> list[str]:
    return sorted(path.name for path in store.records_dir.iterdir())


def singles(store: RecordStore) -> list[str]:
    return [name for name in names(store) if not name.startswith("compact")]


def seconds(store: RecordStore) -> list[float]:
    return store.read().table["seconds_total"].to_pylist()


def test_compaction_changes_no_record(store: RecordStore) -> None:
    fill(store, 0, 5)
    store.put(
        example_record(trial_id=f"{3:016x}", attempt=1, status=Status.CRASHED, hp_temperature=float("nan"))
    )
    before, attempts, every = store.read(), store.next_attempts(), store.read_all().table.num_rows
    for grace in (600, 0):  # once with the single files still there, once without
        store.compact(grace_seconds=grace)
        assert repr(store.read().table.to_pylist()) == repr(before.table.to_pylist())
        assert store.read().table.schema.equals(before.table.schema, check_metadata=True)
        assert (store.next_attempts(), store.read_all().table.num_rows) == (attempts, every) == (attempts, 6)
    assert len(names(store)) == 1
    assert store.read({f"{3:016x}"}).statuses() == {f"{3:016x}": Status.CRASHED}


def test_files_stay_until_every_listing_has_seen_the_new_one(store: RecordStore) -> None:
    fill(store, 0, 3)
    store.compact()
    store.compact()
    assert len(singles(store)) == 3
    (compacted,) = store.records_dir.glob("compact*")
    make_old(compacted, 601)
    store.compact()
    assert singles(store) == []


def test_a_listing_that_misses_what_comes_and_goes(store: RecordStore) -> None:
    """Compaction in the middle of a reader's listing: it may see neither the old files nor the new one."""
    fill(store, 0, 3)
    reader = RecordStore(store.path)
    reader.__dict__["files"] = InterruptedFiles(store.path, in_listing=[store.compact])
    assert seconds(reader) == [0, 1 / 7, 2 / 7]
    make_old(next(store.records_dir.glob("compact*")), 601)
    reader.files.in_listing.append(store.compact)
    assert seconds(reader) == [0, 1 / 7, 2 / 7]
    assert singles(store) == []


def test_a_reader_whose_files_go_reads_again(store: RecordStore) -> None:
    fill(store, 0, 3)
    reader = RecordStore(store.path)
    listing = store.files.names("records")
    store.compact(grace_seconds=0)
    found = iter([listing])
    reader.__dict__["files"] = Late(store.path, found)
    assert seconds(reader) == [0, 1 / 7, 2 / 7]
    assert next(found, None) is None


class Late(LocalFiles):
    """Its first listing is an old one."""

    def __init__(self, root: Path, listings: Iterator[list[str]]) -> None:
        super().__init__(root)
        object.__setattr__(self, "listings", listings)

    def names(self, folder: str) -> list[str]:
        return next(self.__dict__["listings"], None) or super().names(folder)


def test_few_files_are_left_alone(store: RecordStore) -> None:
    fill(store, 0, 3)
    store.compact(at_least=4)
    assert len(names(store)) == 3


def test_compacted_files_stay_few(store: RecordStore) -> None:
    for first in range(0, 40, 2):
        fill(store, first, first + 2)
        store.compact(grace_seconds=0)
    store.compact(grace_seconds=0)
    assert len(names(store)) <= 5
    assert seconds(store) == [n / 7 for n in range(40)]


def test_replaced_files_are_not_read_while_they_wait(store: RecordStore) -> None:
    for first in range(0, 12, 4):
        fill(store, first, first + 4)
        store.compact()
    found = take_inventory(store.files)
    assert [file.table.num_rows for file in found.compacted] == [12]
    assert len(found.replaced) == 2
    store.compact(grace_seconds=0)
    assert len(names(store)) == 1


@pytest.mark.parametrize("grace", [0, 600])
def test_stopped_after_any_step_every_record_is_there_once(tmp_path: Path, grace: float) -> None:
    steps = 0
    while True:
        store = RecordStore(tmp_path / f"{grace}-{steps}")
        fill(store, 0, 4)
        store.compact(grace_seconds=grace)
        fill(store, 4, 7)
        try:
            compact_files(StoppingFiles(store.path, steps), grace_seconds=grace)
            break
        except Stopped:
            steps += 1
        assert seconds(store) == [n / 7 for n in range(7)]
        store.compact(grace_seconds=grace)  # the next one goes on from there
        assert seconds(store) == [n / 7 for n in range(7)]
    assert steps == (5 if grace == 0 else 1)  # one put; grace 0 also removes the four single files


def test_two_compactions_at_once_overlap_harmlessly(store: RecordStore) -> None:
    """The slower one has read three records when the other joins five."""
    fill(store, 0, 3)

    def other() -> None:
        fill(store, 3, 5)
        store.compact(grace_seconds=0)

    compact_files(InterruptedFiles(store.path, [other]), grace_seconds=0)
    assert len(names(store)) == 2
    assert seconds(store) == [n / 7 for n in range(5)]
    fill(store, 5, 8)
    store.compact(grace_seconds=0)
    assert len(names(store)) == 1
    assert seconds(store) == [n / 7 for n in range(8)]


def test_equal_compactions_write_one_file(store: RecordStore) -> None:
    fill(store, 0, 3)
    compact_files(InterruptedFiles(store.path, [store.compact]))
    assert len(names(store)) == 4


def test_a_second_record_of_a_joined_attempt_does_not_count_and_stays(store: RecordStore) -> None:
    fill(store, 0, 2)
    store.compact(grace_seconds=0)
    store.compact(grace_seconds=0)
    late = store.put(example_record(trial_id=f"{0:016x}", seconds_total=99.0))
    store.compact(grace_seconds=0)
    assert seconds(store) == [0.0, 1 / 7]
    assert late.exists()


def test_a_damaged_single_file_is_not_joined(store: RecordStore) -> None:
    fill(store, 0, 3)
    damaged = store.records_dir / f"{1:016x}.0.parquet"
    damaged.write_bytes(damaged.read_bytes()[:100])
    for _ in range(2):
        store.compact(grace_seconds=0)
        assert [each.path for each in store.read().damaged] == [damaged]
        assert len(seconds(store)) == 2
    assert store.next_attempts()[f"{1:016x}"] == 1


def test_an_earlier_joined_attempt_stands_in_for_a_damaged_one(store: RecordStore) -> None:
    fill(store, 0, 2)
    store.compact()
    damaged = store.put(example_record(trial_id=f"{0:016x}", attempt=1, status=Status.CRASHED))
    assert store.read().statuses()[f"{0:016x}"] == Status.CRASHED
    damaged.write_bytes(b"")
    assert store.read().statuses()[f"{0:016x}"] == Status.OK
    assert [each.path for each in store.read().damaged] == [damaged]


def test_damage_to_a_compacted_file_is_never_silent(store: RecordStore) -> None:
    fill(store, 0, 4)
    store.compact()
    (path,) = store.records_dir.glob("compact*")
    whole = path.read_bytes()
    flipped = [_flipped(whole, position) for position in range(0, len(whole), len(whole) // 50)]
    for content in (b"", whole[:-1], whole[: len(whole) // 2], whole + b"0", *flipped):
        path.write_bytes(content)
        for call in (store.read, store.next_attempts, store.compact):
            with pytest.raises(StoreError, match=rf"{path.name} is damaged, which affects up to 4 records"):
                call()
    path.rename(store.path / path.name)
    assert len(seconds(store)) == 4  # the single files were still there


def _flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def test_rows_keep_the_digest_that_they_were_written_with(store: RecordStore) -> None:
    fill(store, 0, 3)
    written = record_digests(store.read().table)
    store.compact()
    (compacted,) = take_inventory(store.files).compacted
    assert list(compacted.digests) == written
    assert compacted.rows_as_written()


def test_a_column_that_this_version_does_not_know_is_not_lost(store: RecordStore) -> None:
    """Written by a newer package with the same schema version: the record is read, and its file left alone."""
    fill(store, 0, 3)
    newer = record_to_table(example_record(trial_id="f" * 16)).append_column("new", pa.array([1.0]))
    path = store.records_dir / f"{'f' * 16}.0.parquet"
    path.write_bytes(encode_row(newer))
    store.compact(grace_seconds=0)
    store.compact(grace_seconds=0)
    assert singles(store) == [path.name]
    assert len(seconds(store)) == 4


def test_a_compacted_file_of_a_newer_schema_is_refused(store: RecordStore) -> None:
    fill(store, 0, 1)
    table = store.read().table.replace_schema_metadata({"schema_version": str(SCHEMA_VERSION + 1)})
    name, content = encode_compacted(table, ["0"], [])
    store.files.put(name, content)
    with pytest.raises(StoreError, match="upgrade"):
        store.read()


def test_a_column_added_after_compaction_reads_as_null(store: RecordStore) -> None:
    fill(store, 0, 2)
    table = store.read().table
    digests = record_digests(table)
    for path in store.records_dir.iterdir():
        path.unlink()
    store.files.put(*encode_compacted(table.drop_columns(["git_revision"]), digests, []))
    assert store.read().table.schema == record_schema()
    assert take_inventory(store.files).compacted[0].rows_as_written()


def test_a_parquet_file_of_no_known_kind_is_named(store: RecordStore) -> None:
    fill(store, 0, 1)
    foreign = store.records_dir / "copy of a record.parquet"
    foreign.write_bytes(b"")
    assert [str(each) for each in store.read().damaged] == [
        "copy of a record.parquet (its name is not that of a record)"
    ]


def test_what_killed_processes_left_is_swept_when_old(store: RecordStore) -> None:
    fill(store, 0, 1)
    leases = store.leases("one")
    leases.acquire(["aaaaaaaa", "bbbbbbbb"])
    old, young = (temporary_path(store.records_dir / name) for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    make_old(old, 90_000)
    make_old(store.path / "leases" / "aaaaaaaa.0", 90_000)
    store.compact()
    assert not old.exists()
    assert young.exists()
    assert [path.name for path in (store.path / "leases").iterdir()] == ["bbbbbbbb.0"]
