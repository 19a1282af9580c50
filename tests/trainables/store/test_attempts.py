"""Of a store as a whole, the attempt that counts is the latest that was read and that no search stopped."""

from pathlib import Path

import pytest

from tests.trainables.records_example import example_record
from trainables.store.attempts import read_whole_store
from trainables.store.records import RecordStore, StoreError
from trainables.store.schema import Status

ONE, OTHER, THIRD = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "store")


def counting(store: RecordStore) -> dict[str, tuple[str, int]]:
    """Status and attempt by trial."""
    columns = read_whole_store(store).table.select(["trial_id", "status", "attempt"]).to_pydict().values()
    return {trial_id: (status, attempt) for trial_id, status, attempt in zip(*columns, strict=True)}


def put_stop(store: RecordStore, trial_id: str, attempt: int) -> None:
    store.put(example_record(trial_id=trial_id, attempt=attempt, status=Status.PRUNED, pruned_by="a search"))


def test_an_empty_store(store: RecordStore) -> None:
    assert counting(store) == {}


def test_stops_count_only_where_there_is_nothing_else(store: RecordStore) -> None:
    store.put(example_record(trial_id=ONE, status=Status.CRASHED))
    store.put(example_record(trial_id=ONE, attempt=1))
    put_stop(store, ONE, 2)
    put_stop(store, OTHER, 0)
    put_stop(store, OTHER, 1)
    put_stop(store, THIRD, 0)
    store.put(example_record(trial_id=THIRD, attempt=1, status=Status.DIVERGED))
    assert counting(store) == {ONE: ("ok", 1), OTHER: ("pruned", 1), THIRD: ("diverged", 1)}


def test_an_earlier_result_stands_in_for_a_damaged_one_before_a_stop(store: RecordStore) -> None:
    store.put(example_record(trial_id=ONE))
    damaged = store.put(example_record(trial_id=ONE, attempt=1, status=Status.CRASHED))
    damaged.write_bytes(b"")
    put_stop(store, ONE, 2)
    assert counting(store) == {ONE: ("ok", 0)}
    assert [each.path for each in read_whole_store(store).damaged] == [damaged]


def test_a_damaged_compacted_file_costs_its_own_rows(store: RecordStore) -> None:
    """A launch refuses it, since it would run those trials again; who reads only goes on without them."""
    for trial_id in (ONE, OTHER):
        store.put(example_record(trial_id=trial_id))
    for _ in range(2):
        store.compact(grace_seconds=0)
    (compacted,) = store.records_dir.iterdir()
    compacted.write_bytes(compacted.read_bytes()[:-1] + b"x")
    store.put(example_record(trial_id=THIRD))
    found = read_whole_store(store)
    assert [each.path for each in found.damaged] == [compacted]
    assert counting(store) == {THIRD: ("ok", 0)}
    with pytest.raises(StoreError, match="is damaged, which affects up to 2 records"):
        store.read()


def test_digests_belong_to_the_rows(store: RecordStore) -> None:
    store.put(example_record(trial_id=OTHER))
    store.put(example_record(trial_id=ONE))
    put_stop(store, ONE, 1)
    found, alone = read_whole_store(store), store.read_all()
    assert found.table["trial_id"].to_pylist() == [ONE, OTHER]
    assert found.digests == (alone.digests[0], alone.digests[2])
