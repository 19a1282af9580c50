"""The text in a record file: the same record as its columns, read in batches, and every damage found."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trainables.records_example import example_record, older_content
from trainables.store.files import DamagedRecordError, StoreError
from trainables.store.merge import merge_stores
from trainables.store.record_batch import RecordBatch, read_batches
from trainables.store.record_file import decode_record, encode_row, read_text, record_digests
from trainables.store.records import RecordStore
from trainables.store.row_text import content_hash, digest_of, texts_of
from trainables.store.schema import TrialRecord, record_schema, record_to_table

_UNUSUAL = (
    {},
    {"seconds_total": float("inf"), "z_alignment": -0.0, "z_uniformity": 5e-324, "h_alignment": 0.1 + 0.2},
    {"z_alignment": float("nan"), "z_uniformity": float("-inf")},
    {"loss": 'ntxent "é" \u2028 \U0001f600\n\x18\x09file_hash\x18', "error_message": "", "seed": 2**53},
    {"hp_other": {}, "started_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)},
    {"hp_other": {"b": "1", "a": '{"c": 2}'}, "peak_memory_bytes": 2**53},
)


def name_of(record: TrialRecord) -> str:
    return f"records/{record.trial_id}.{record.attempt}.parquet"


def batch_of(store: RecordStore) -> RecordBatch:
    names = {(name[8:-10], 0): name for name in store.files.names("records")}
    (batch,) = read_batches(store.files, names)
    return batch


def forged(text: str, **changes: object) -> bytes:
    """A record file with a text of someone's own, whose digest and hash are right, and with other columns."""
    table = record_to_table(example_record(**changes))
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema, store_schema=False) as writer:
        metadata = {
            "schema_version": "1",
            "record_digest": digest_of(text),
            "record_row": text,
            "file_hash": "0" * 32,
        }
        writer.add_key_value_metadata(metadata)
        writer.write_table(table)
    before, after = sink.getvalue().split(b"0" * 32)
    return before + content_hash(before + after).encode() + after


@pytest.mark.parametrize("changes", _UNUSUAL)
def test_text_and_columns_are_the_same_record(tmp_path: Path, changes: dict[str, object]) -> None:
    record, store = example_record(**changes), RecordStore(tmp_path)
    table = record_to_table(record)
    content = store.put(record).read_bytes()
    batch = batch_of(store)
    assert texts_of(batch.table) == texts_of(table)
    assert batch.table.schema.equals(record_schema(), check_metadata=True)
    columns = decode_record(content, name_of(record))
    assert texts_of(columns.table) == texts_of(table)
    assert (columns.digest,) == batch.digests == tuple(record_digests(table))


def test_other_programs_read_every_column() -> None:
    table = record_to_table(example_record())
    read = pq.read_table(io.BytesIO(encode_row(table)))
    assert read.to_pylist() == table.to_pylist()
    assert read.schema.equals(table.schema)


def test_a_record_file_is_small() -> None:
    values = {name: 1 / 3 for name in record_schema().names if name.startswith(("val_", "test_"))}
    assert len(encode_row(record_to_table(example_record(**values)))) < 20_000


def test_files_of_older_versions_are_read_in_the_same_batch(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    records = [example_record(trial_id=f"{n:016x}", seconds_total=n / 7) for n in range(4)]
    for record in records[:2]:
        store.put(record)
    for record in records[2:]:
        content = older_content(record)
        assert read_text(content, name_of(record)) is None
        (tmp_path / name_of(record)).write_bytes(content)
    (tmp_path / name_of(records[3])).write_bytes(older_content(records[3])[:-1])
    found = store.read()
    assert texts_of(found.table) == [texts_of(record_to_table(record))[0] for record in records[:3]]
    assert list(found.digests) == record_digests(found.table)
    assert [each.name for each in found.damaged] == [f"{records[3].trial_id}.0.parquet"]


def test_no_changed_byte_passes(tmp_path: Path) -> None:
    """One bit at a time, in columns, text and hashes: the record reads as it was written, or it is damaged."""
    record, store = example_record(), RecordStore(tmp_path)
    path = store.put(record)
    whole, damaged = path.read_bytes(), 0
    digest = record_digests(record_to_table(record))[0]
    positions = range(0, len(whole), 37)
    for position in positions:
        path.write_bytes(
            whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :]
        )
        try:
            batch = batch_of(store)
        except StoreError:  # the version of the schema looks newer
            continue
        assert batch.digests in ((), (digest,))
        assert record_digests(batch.table) == list(batch.digests)
        damaged += len(batch.damaged)
    assert damaged > 0.99 * len(positions)


def test_a_text_of_another_record_than_the_columns() -> None:
    """Our readers use the text. A full check of the file finds that the columns differ."""
    (text,) = texts_of(record_to_table(example_record(seconds_total=1.0)))
    content, name = forged(text, seconds_total=2.0), name_of(example_record())
    found = read_text(content, name)
    assert found is not None
    assert found.row["seconds_total"] == 1.0
    with pytest.raises(DamagedRecordError, match="not what was written"):
        decode_record(content, name)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("seed", 1.5, "does not fit its column"),
        ("seed", "1", "does not fit its column"),
        ("seed", 2**70, "does not fit its column"),
        ("loss", 1, "does not fit its column"),
        ("loss", None, "not as a writer of records writes it"),
        ("loss", "\ud800", "does not fit its column"),
        ("seconds_total", True, "does not fit its column"),
        ("hp_other", [["a", "1", "2"]], "not the values of columns"),
        ("hp_other", {"a": "1"}, "not the values of columns"),
        ("config", json.loads("[" * 500 + "]" * 500), "not the values of columns"),
        ("status", "owned", "status is 'owned', must be one of"),
        ("attempt", 1, "another trial"),
    ],
)
def test_a_text_with_a_value_of_no_record_costs_one_record(
    tmp_path: Path, column: str, value: object, reason: str
) -> None:
    store = RecordStore(tmp_path)
    for n in range(3):
        store.put(example_record(trial_id=f"{n:016x}"))
    (text,) = texts_of(record_to_table(example_record()))
    path = tmp_path / name_of(example_record())
    path.write_bytes(forged(json.dumps(json.loads(text) | {column: value})))
    found = store.read()
    assert found.table.num_rows == 3
    (damage,) = found.damaged
    assert damage.name == path.name
    assert reason in damage.reason


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "[" * 100_000, '{"trial_id": ' + "9" * 5000 + "}"])
def test_a_text_that_is_no_row(text: str) -> None:
    with pytest.raises(DamagedRecordError, match="its text is no row"):
        read_text(forged(text), name_of(example_record()))


@pytest.mark.parametrize("change", ["blank", "order", "twice", "null of an unknown column"])
def test_a_text_that_no_writer_writes_costs_one_record(tmp_path: Path, change: str) -> None:
    """Its values are valid, but they have another digest once they are in columns. A merge goes on without it."""
    source, target = RecordStore(tmp_path / "source"), RecordStore(tmp_path / "target")
    source.put(example_record(trial_id="f" * 16))
    (text,) = texts_of(record_to_table(example_record()))
    values = json.loads(text)
    changed = {
        "blank": f"{text} ",
        "order": json.dumps(dict(sorted(values.items(), reverse=True))),
        "twice": f'{text[:-1]}, "zzz": 1, "zzz": 1}}',
        "null of an unknown column": f'{text[:-1]}, "zzz": null}}',
    }
    path = source.path / name_of(example_record())
    path.write_bytes(forged(changed[change]))
    reason = "its text is no row (not as a writer of records writes it)"
    assert [str(damage) for damage in source.read().damaged] == [f"{path.name} ({reason})"]
    report = merge_stores([source], target, run_columns=())
    assert (report.copied, [each.path for each in report.damaged]) == (1, [path])
    assert target.read().table["trial_id"].to_pylist() == ["f" * 16]


def test_single_and_compacted_records_are_read_without_pandas(tmp_path: Path) -> None:
    """Its import takes a second, which every `study status` would wait."""
    store = RecordStore(tmp_path)
    changes = {"hp_other": {"a": "1"}, "started_at": datetime(2026, 1, 2, tzinfo=UTC), "z_alignment": 0.5}
    for n in range(3):
        store.put(example_record(trial_id=f"{n:016x}", **changes if n else {}))
    code = (
        "import sys; from pathlib import Path; from trainables.store.records import RecordStore; "
        "print(RecordStore(Path(sys.argv[1])).read().table.num_rows, 'pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.check_output(command, text=True) == "3 False\n"
    store.compact(grace_seconds=0)
    store.put(example_record(trial_id="f" * 16))
    store.put(example_record(trial_id="e" * 16))
    assert subprocess.check_output(command, text=True) == "5 False\n"


def test_batches_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore(tmp_path)
    for n in range(5):
        store.put(example_record(trial_id=f"{n:016x}"))
    names = {(name[8:-10], 0): name for name in store.files.names("records")}
    for bound, value in (("_MOST_FILES", 2), ("_MOST_BYTES", 20_000)):
        with monkeypatch.context() as patch:
            patch.setattr(f"trainables.store.record_batch.{bound}", value)
            batches = list(read_batches(store.files, names))
        assert [batch.table.num_rows for batch in batches] == [2, 2, 1]
        assert pa.concat_tables(batch.table for batch in batches)["trial_id"].to_pylist() == [
            k for k, _ in names
        ]
