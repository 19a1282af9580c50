"""Stores in an object store, against a real S3 endpoint on loopback."""

import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.records_example import example_record
from tests.trainables.store.lossy_proxy import lossy_proxy
from trainables.store.records import RecordExistsError, RecordStore, StoreError, open_store
from trainables.store.schema import Status


@pytest.fixture
def store(s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStore:
    monkeypatch.chdir(tmp_path)
    return open_store(s3_url)


def test_records_in_an_object_store(store: RecordStore, tmp_path: Path) -> None:
    store.prepare()
    assert store.read().table.num_rows == 0
    for n in range(5):
        store.put(example_record(trial_id=f"{n:016x}", status=Status.CRASHED))
    store.put(example_record(trial_id=f"{0:016x}", attempt=1))
    before = store.read()
    assert before.statuses() == {f"{n:016x}": Status.OK if n == 0 else Status.CRASHED for n in range(5)}
    for grace in (600, 0):
        store.compact(grace_seconds=grace)
        assert store.read().table.equals(before.table)
    assert len(store.files.names("records")) == 1
    assert store.next_attempts()[f"{0:016x}"] == 2
    assert store.path.is_relative_to(tmp_path / "results" / "studies")
    assert list(tmp_path.iterdir()) == []  # a record goes nowhere else


def test_a_taken_name_stands(store: RecordStore) -> None:
    store.put(example_record(seconds_total=1.0))
    with pytest.raises(RecordExistsError):
        store.put(example_record(seconds_total=2.0))
    store.put(example_record(seconds_total=1.0))
    assert store.read().table["seconds_total"].to_pylist() == [1.0]


def test_a_damaged_object_is_named_and_set_aside(store: RecordStore) -> None:
    store.files.put("records/aaaaaaaa.0.parquet", b"half a record")
    (damaged,) = store.read().damaged
    store.set_aside(damaged)
    assert store.read().damaged == ()
    assert len(store.files.names("damaged")) == 1


def test_leases_in_an_object_store(store: RecordStore) -> None:
    one, two = store.leases("one", seconds=0.5), store.leases("two", seconds=0.5)
    assert one.acquire(["aaaaaaaa", "bbbbbbbb"]) == {"aaaaaaaa", "bbbbbbbb"}
    assert two.acquire(["aaaaaaaa"]) == frozenset()
    assert one.renew() == {"aaaaaaaa", "bbbbbbbb"}
    one.release(["aaaaaaaa"])
    assert two.acquire(["aaaaaaaa", "bbbbbbbb"]) == {"aaaaaaaa"}
    ages = store.files.ages([*store.files.names("leases"), "leases/gone"])
    assert "leases/gone" not in ages
    assert all(0 <= age < 60 for age in ages.values())


def _race(url: str, number: int, barrier: Any, wins: Any) -> None:
    store = open_store(url)
    barrier.wait()
    for n in range(10):
        try:
            store.put(example_record(trial_id=f"{n:016x}", seconds_total=float(number)))
        except RecordExistsError:
            continue
        wins.put((f"{n:016x}", float(number)))
    wins.put(None)


def test_one_of_many_writers_wins(s3_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, wins = context.Barrier(3), context.Queue()
    writers = [context.Process(target=_race, args=(s3_url, n, barrier, wins)) for n in range(3)]
    for writer in writers:
        writer.start()
    said = [win for _ in writers for win in iter(lambda: wins.get(timeout=60), None)]
    for writer in writers:
        writer.join()
    columns = open_store(s3_url).read().table.select(["trial_id", "seconds_total"]).to_pydict()
    assert sorted(said) == list(zip(*columns.values(), strict=True))


def test_a_writer_killed_in_the_middle_of_its_upload_leaves_nothing(
    s3_port: int, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint has got the headers and half of the content when the writer is killed."""
    code = (
        "import sys\n"
        "from tests.trainables.records_example import example_record\n"
        "from trainables.store.records import open_store\n"
        "open_store(sys.argv[1]).put(example_record())\n"
    )
    with lossy_proxy(s3_port, keep_request_bytes=8192) as proxy, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        writer = subprocess.Popen([sys.executable, "-c", code, s3_url], stderr=subprocess.PIPE)
        assert proxy.broken.wait(60)
        writer.kill()
        writer.communicate()
    store = open_store(
        f"{s3_url}/"
    )  # another location, and so another client, that goes to the endpoint itself
    assert store.files.names("records") == []
    store.put(example_record())
    assert store.read().statuses() == {example_record().trial_id: Status.OK}


def test_an_answer_that_is_lost_does_not_make_a_record_foreign(
    s3_port: int, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client writes the object, gets no answer, tries again and recognises the object as its own."""
    with lossy_proxy(s3_port, keep_request_bytes=None) as proxy, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        store = open_store(s3_url)
        store.put(example_record())
        assert proxy.broken.is_set()
        assert store.read().statuses() == {example_record().trial_id: Status.OK}


def test_an_endpoint_that_is_not_there(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = open_store(s3_url)
    with pytest.raises(StoreError, match="cannot write to s3://"):
        store.prepare()
    with pytest.raises(StoreError, match="cannot read s3://"):
        store.read()


def test_a_bucket_that_is_not_there(s3_url: str) -> None:
    with pytest.raises(StoreError, match=r"cannot write to s3://nowhere/x .*choose another") as caught:
        open_store("s3://nowhere/x").prepare()
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="cannot read s3://nowhere/x"):
        open_store("s3://nowhere/x").read()


@pytest.mark.parametrize("location", ["s3:///prefix", "ftp://host/path"])
def test_locations_that_name_no_store(location: str) -> None:
    with pytest.raises(StoreError, match="store: got"):
        open_store(location)


def test_a_store_travels_to_workers(store: RecordStore) -> None:
    store.put(example_record())
    assert pickle.loads(pickle.dumps(store)).next_attempts() == store.next_attempts()
