"""`study merge`: every record once, results never replaced, and nothing written when something is wrong."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.study.running import invoke
from tests.trainables.records_example import example_record
from trainables.store.record_file import encode_row
from trainables.store.records import RecordStore
from trainables.store.schema import SCHEMA_VERSION, Status, record_to_table

A, B, C, D = (letter * 16 for letter in "abcd")


@pytest.fixture
def stores(tmp_path: Path) -> tuple[RecordStore, RecordStore, RecordStore]:
    """Two sources and a target."""
    return RecordStore(tmp_path / "one"), RecordStore(tmp_path / "two"), RecordStore(tmp_path / "all")


Stores = tuple[RecordStore, RecordStore, RecordStore]


def merge(*stores: RecordStore) -> str:
    """Merge into the last one."""
    result = invoke("merge", *(store.path for store in stores[:-1]), "--into", stores[-1].path)
    assert result.exit_code == 0, result.output
    return result.output


def attempts(store: RecordStore) -> dict[tuple[str, int], str]:
    columns = store.read_all().table.select(["trial_id", "attempt", "status"]).to_pydict()
    return {(trial, number): status for trial, number, status in zip(*columns.values(), strict=True)}


def test_stores_join_and_merging_again_changes_nothing(stores: Stores) -> None:
    one, two, target = stores
    one.put(example_record(trial_id=A))
    one.put(example_record(trial_id=B, status=Status.CRASHED))
    two.put(example_record(trial_id=C))
    two.compact(at_least=1)
    assert "3 records copied" in merge(one, two, target)
    assert attempts(target) == {(A, 0): "ok", (B, 0): "crashed", (C, 0): "ok"}
    assert "0 records copied" in merge(one, two, target)
    assert len(attempts(target)) == 3
    assert "3 were there already" in merge(one, two, target)


def test_all_columns_arrive(stores: Stores) -> None:
    one, _, target = stores
    for trial_id in (A, B):
        one.put(example_record(trial_id=trial_id, hp_lr=0.1))
    one.compact(grace_seconds=0)
    merge(one, target)
    assert target.read().table.equals(one.read().table)
    assert len(list(target.records_dir.glob("compact*"))) == 1


def test_the_result_of_the_target_stands(stores: Stores) -> None:
    one, two, target = stores
    target.put(example_record(trial_id=A, seconds_total=1.0))
    target.put(example_record(trial_id=B, test_probe10_accuracy=0.1))
    one.put(example_record(trial_id=A, seconds_total=2.0, node="elsewhere"))
    one.put(example_record(trial_id=B, attempt=3, test_probe10_accuracy=0.2))
    two.put(example_record(trial_id=A, attempt=5, status=Status.OOM))
    before = target.read_all().table
    said = merge(one, two, target)
    assert target.read_all().table.equals(before)
    assert "0 records copied" in said
    assert "1 left out: the target has the same results" in said
    assert f"1 left out although their results differ from the target's, which stay: {B}" in said
    assert "1 left out: failed or stopped trials" in said


def test_a_result_follows_a_failure_of_the_target(stores: Stores) -> None:
    """Both machines ran attempt 0: there it crashed, here it did not."""
    one, two, target = stores
    target.put(example_record(trial_id=A, status=Status.CRASHED))
    one.put(example_record(trial_id=A))
    two.put(example_record(trial_id=A, status=Status.TIMEOUT))
    merge(two, one, target)
    assert attempts(target) == {(A, 0): "crashed", (A, 1): "timeout", (A, 2): "ok"}
    merge(one, two, target)
    assert len(attempts(target)) == 3


def test_a_history_arrives_in_order(stores: Stores) -> None:
    one, _, target = stores
    one.put(example_record(trial_id=A, status=Status.CRASHED))
    one.put(example_record(trial_id=A, attempt=1))
    merge(one, target)
    assert attempts(target) == {(A, 0): "crashed", (A, 1): "ok"}
    assert target.read().statuses() == {A: Status.OK}


def test_damage_is_said_on_either_side(stores: Stores) -> None:
    one, two, target = stores
    damaged = one.put(example_record(trial_id=A))
    damaged.write_bytes(b"")
    two.put(example_record(trial_id=A))
    target.put(example_record(trial_id=A)).write_bytes(b"")
    said = merge(one, two, target)
    assert f"damaged record: {damaged} (" in said.replace("\n", "")
    assert attempts(target) == {(A, 1): "ok"}  # the damaged file keeps its number


def test_nothing_is_written_when_a_source_cannot_be_read(stores: Stores) -> None:
    one, two, target = stores
    one.put(example_record(trial_id=A))
    newer = two.put(example_record(trial_id=B))
    version = {"schema_version": str(SCHEMA_VERSION + 1)}
    newer.write_bytes(encode_row(record_to_table(example_record()).replace_schema_metadata(version)))
    result = invoke("merge", one.path, two.path, "--into", target.path)
    assert result.exit_code == 2
    assert "upgrade the package" in result.output
    assert not target.path.exists()


def test_a_column_that_would_be_lost_is_refused(stores: Stores) -> None:
    one, _, target = stores
    path = one.put(example_record(trial_id=A))
    wider = record_to_table(example_record(trial_id=A)).append_column("new", pa.array([1.0]))
    path.write_bytes(encode_row(wider))
    result = invoke("merge", one.path, "--into", target.path)
    assert (result.exit_code, target.path.exists()) == (2, False)
    assert f"trial {A}" in result.output


@pytest.mark.parametrize("fault", ["no such store", "itself"])
def test_sources_that_make_no_sense(stores: Stores, fault: str) -> None:
    one, two, target = stores
    one.put(example_record(trial_id=A))
    source = two if fault == "no such store" else target
    result = invoke("merge", one.path, source.path, "--into", target.path)
    assert result.exit_code == 2
    assert ("no records in" if fault == "no such store" else "into itself") in result.output
    assert not target.path.exists()


def test_a_target_that_cannot_be_written(stores: Stores) -> None:
    stores[0].put(example_record(trial_id=A))
    result = invoke("merge", stores[0].path, "--into", "/proc/store")
    assert result.exit_code == 2
    assert "cannot write to /proc/store" in result.output
