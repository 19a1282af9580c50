"""A launch joins small record files, and no error of that ends it."""

from pathlib import Path

import pytest

from study.errors import LaunchError
from study.launch.listeners.compaction import Compacting
from tests.trainables.records_example import example_record
from trainables.store.records import RecordStore


def joined(store: RecordStore) -> list[Path]:
    return sorted(store.records_dir.glob("compact-*"))


def fill(store: RecordStore, count: int, first: int = 0) -> None:
    for index in range(first, first + count):
        store.put(example_record(trial_id=f"{index:010x}"))


def test_few_records_are_joined_in_the_end(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    fill(store, 3)
    with Compacting(store) as compacting:
        compacting.tick()
        assert joined(store) == []
    assert len(joined(store)) == 1
    assert store.read().table.num_rows == 3


def test_many_are_joined_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.launch.listeners.compaction._EVERY_SECONDS", 0.0)
    monkeypatch.setattr("study.launch.listeners.compaction._AT_LEAST", 8)
    store = RecordStore(tmp_path)
    with Compacting(store) as compacting:
        fill(store, 7)
        compacting.tick()
        assert joined(store) == []
        fill(store, 1, first=7)
        compacting.tick()
        assert len(joined(store)) == 1
    assert store.read().table.num_rows == 8


def test_a_store_that_refused_is_left_alone(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    fill(store, 3)
    with pytest.raises(LaunchError), Compacting(store):
        raise LaunchError("store: cannot write")
    assert joined(store) == []


def test_an_error_is_logged_and_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = RecordStore(tmp_path)
    fill(store, 3)
    with Compacting(store):
        pass
    joined(store)[0].write_bytes(b"not Parquet")
    with Compacting(store) as compacting:
        compacting.tick()
    assert caplog.text.count("were not compacted: store: records/compact-3-") == 2
