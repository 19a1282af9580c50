"""The record store: whole records or none, never overwritten, damage found and survived."""

import multiprocessing
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trainables.records_example import example_record
from trainables.store.record_file import _first_digest, decode_record, encode_row
from trainables.store.records import (
    DamagedRecordError,
    RecordExistsError,
    RecordStore,
    StoreError,
)
from trainables.store.schema import SCHEMA_VERSION, Status, record_schema, record_to_table


def read_record(path: Path) -> pa.Table:
    return decode_record(path.read_bytes(), path.name).table


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def test_what_is_put_is_read(store: RecordStore) -> None:
    record = example_record()
    path = store.put(record)
    assert path.name == f"{record.trial_id}.0.parquet"
    row = store.read().table.to_pylist()[0]
    for name, value in vars(record).items():
        assert (dict(row[name]) if name == "hp_other" else row[name]) == value, name


def test_no_store_is_an_empty_store(store: RecordStore) -> None:
    assert store.read().table.num_rows == 0
    assert store.read().table.schema == record_schema()
    assert not store.path.exists()


def test_latest_attempt_counts(store: RecordStore) -> None:
    store.put(example_record(status=Status.CRASHED))
    store.put(example_record(attempt=1))
    assert store.read().statuses() == {example_record().trial_id: Status.OK}
    assert store.next_attempts() == {example_record().trial_id: 2}


def test_a_taken_name_stands(store: RecordStore) -> None:
    store.put(example_record(seconds_total=1.0))
    with pytest.raises(RecordExistsError):
        store.put(example_record(seconds_total=2.0))
    assert store.read().table["seconds_total"].to_pylist() == [1.0]
    assert [name for name in os.listdir(store.records_dir) if name.startswith(".tmp")] == []


def test_the_same_record_may_be_put_again(store: RecordStore) -> None:
    """A client does this if the answer to its first request was lost."""
    path = store.put(example_record())
    assert store.put(example_record()) == path
    assert os.listdir(store.records_dir) == [path.name]
    assert store.read().table.num_rows == 1


def _put(root: Path, seconds: float, barrier: object, wins: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        RecordStore(root).put(example_record(seconds_total=seconds))
    except RecordExistsError:
        return
    wins.put(seconds)  # type: ignore[attr-defined]


def test_one_of_many_writers_wins(store: RecordStore) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, wins = context.Barrier(3), context.Queue()
    writers = [context.Process(target=_put, args=(store.path, float(n), barrier, wins)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    winner = wins.get(timeout=5)
    assert wins.empty()
    assert store.read().table["seconds_total"].to_pylist() == [winner]


def test_every_truncation_is_noticed(store: RecordStore) -> None:
    path = store.put(example_record())
    whole = path.read_bytes()
    for length in [0, 1, 4, len(whole) // 2, len(whole) - 8, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedRecordError, match=path.name):
            read_record(path)


def test_no_flipped_bit_passes_for_another_result(store: RecordStore) -> None:
    """One bit at a time, all over the file: it reads as it was written, or it is damaged."""
    path = store.put(example_record())
    whole = path.read_bytes()
    right = read_record(path).to_pylist()
    for position in range(0, len(whole), 23):
        content = bytearray(whole)
        content[position] ^= 1 << (position % 8)
        path.write_bytes(bytes(content))
        try:
            assert read_record(path).to_pylist() == right, position
        except (DamagedRecordError, StoreError):
            continue


def test_a_folder_that_cannot_be_listed_is_not_damaged(store: RecordStore) -> None:
    store.path.mkdir()
    store.records_dir.write_text("")
    with pytest.raises(StoreError, match="cannot read"):
        store.read()


def test_damage_costs_one_trial_and_is_named(store: RecordStore) -> None:
    store.put(example_record(trial_id="aaaaaaaaaa"))
    damaged = store.put(example_record(trial_id="bbbbbbbbbb"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    found = store.read()
    (damage,) = found.damaged
    assert damage.path == damaged
    assert str(damage).startswith("bbbbbbbbbb.0.parquet (")
    assert set(found.statuses()) == {"aaaaaaaaaa"}
    aside = store.set_aside(damage)
    assert aside.parent == store.path / "damaged"
    assert store.read().damaged == ()


def test_an_earlier_attempt_stands_in_for_a_damaged_one(store: RecordStore) -> None:
    store.put(example_record())
    damaged = store.put(example_record(attempt=1, status=Status.CRASHED))
    damaged.write_bytes(b"")
    assert store.read().statuses() == {example_record().trial_id: Status.OK}
    assert store.next_attempts() == {example_record().trial_id: 2}


def test_a_record_under_a_foreign_name_is_damaged(store: RecordStore) -> None:
    path = store.put(example_record())
    moved = path.with_name("ffffffffff.0.parquet")
    path.rename(moved)
    with pytest.raises(DamagedRecordError, match="another trial"):
        read_record(moved)


def test_a_column_added_later_reads_as_null(store: RecordStore) -> None:
    path = store.put(example_record())
    path.write_bytes(encode_row(record_to_table(example_record()).drop_columns(["git_revision"])))
    assert read_record(path)["git_revision"].to_pylist() == [None]


def test_a_record_of_the_first_format_is_read(store: RecordStore) -> None:
    """Until its digest changed, a record's file had one under another key."""
    path = store.put(example_record())
    table = record_to_table(example_record())
    metadata = table.schema.metadata | {b"row_digest": _first_digest(table)}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    assert read_record(path).to_pylist() == table.to_pylist()
    pq.write_table(table.replace_schema_metadata(table.schema.metadata | {b"row_digest": b"0"}), path)
    with pytest.raises(DamagedRecordError):
        read_record(path)


def test_a_newer_schema_is_refused(store: RecordStore) -> None:
    path = store.put(example_record())
    version = {"schema_version": str(SCHEMA_VERSION + 1)}
    path.write_bytes(encode_row(record_to_table(example_record()).replace_schema_metadata(version)))
    with pytest.raises(StoreError, match="upgrade"):
        store.read()


def test_a_file_that_is_parquet_but_no_record_is_damaged(store: RecordStore) -> None:
    path = store.put(example_record())
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DamagedRecordError):
        read_record(path)


@pytest.mark.parametrize("parent", ["file", "/proc"])
def test_a_store_that_cannot_be_written(tmp_path: Path, parent: str) -> None:
    if parent == "file":
        (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--store"):
        RecordStore(tmp_path / parent / "store").prepare()


def test_a_failed_write_leaves_nothing(store: RecordStore) -> None:
    with pytest.raises(pa.ArrowException):
        store.put(example_record(hp_temperature="warm"))
    assert list(store.path.rglob("*.*")) == []


def test_a_lack_of_memory_is_no_damage(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch sets damaged files aside, and runs their trials again."""
    for attempt in (0, 1):
        store.put(example_record(attempt=attempt))
    store.compact()

    def no_memory(*_: object, **__: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 1234 failed")

    monkeypatch.setattr(pq, "ParquetFile", no_memory)
    with pytest.raises(MemoryError):
        store.read()
