"""A record to write and read in tests."""

import dataclasses
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.store.record_file import record_digests
from trainables.store.schema import SCHEMA_VERSION, Status, TrialRecord, record_to_table

_EXAMPLE = TrialRecord(
    trial_id="0123456789abcdef",
    attempt=0,
    config_id="c0" * 10,
    pretrain_id="d0" * 10,
    probe_id="b0" * 10,
    schema_version=SCHEMA_VERSION,
    numerics_version=1,
    status=Status.OK,
    task="images",
    loss="ntxent",
    seed=0,
    config="{}",
    hp_batch_size=64,
    hp_temperature=0.25,
    hp_other={"margin": "0.1"},
    val_probe10_accuracy=0.9,
    test_probe10_accuracy=0.875,
    started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    seconds_total=1.5,
)


def example_record(**changes: object) -> TrialRecord:
    return dataclasses.replace(_EXAMPLE, **changes)


def older_content(record: TrialRecord) -> bytes:
    """A record's file as versions without the row's text wrote it."""
    table = record_to_table(record)
    (digest,) = record_digests(table)
    table = table.replace_schema_metadata({**table.schema.metadata, b"record_digest": digest.encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_statistics=False, use_dictionary=False, write_page_checksum=True)
    return sink.getvalue().to_pybytes()
