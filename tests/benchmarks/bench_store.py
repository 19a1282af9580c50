"""Reading and compacting a store of 5,000 records, on one thread: `python -m tests.benchmarks.bench_store`.

Limit: 0.2 s for a read after compaction. The same records in single files are read in the same run.
"""

import json
import random
import tempfile
import time
from pathlib import Path

from tests.trainables.records_example import example_record
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord, record_schema

_RECORDS = 5000
_LEASES = 200


_REALS = [
    name
    for name in record_schema().names
    if name.startswith(("val_", "test_", "z_", "h_")) and not name.endswith("_dim")
]


def main() -> None:
    """Print seconds and sizes, and what the single files cost against the compacted one."""
    with tempfile.TemporaryDirectory() as folder:
        store = RecordStore(Path(folder))
        print(f"{_RECORDS} records on {Path(folder).parent}; seconds")
        _say("put, one file each", _fill(store), store)
        single = _seconds(store.read)
        _say("read single files", single, store)
        _say("next attempts, single files", _seconds(store.next_attempts), store)
        _say("compact", _seconds(store.compact), store)
        _say("read, single files still there", _least(store.read), store)
        _say("remove single files", _seconds(lambda: store.compact(grace_seconds=0)), store)
        compacted = _least(store.read)
        _say("read compacted", compacted, store)
        _say("next attempts, compacted", _least(store.next_attempts), store)
        print(
            f"single files cost {single / compacted:.0f} times as much; {store.read().table.num_rows} records"
        )
        _grow(RecordStore(Path(folder) / "grown"))
        _lease(store)


def _grow(store: RecordStore) -> None:
    """Compacted every 64 records, as during a launch."""
    compacting = 0.0
    for first in range(0, _RECORDS, 64):
        _fill(store, first, min(first + 64, _RECORDS))
        compacting += _seconds(lambda: store.compact(at_least=64, grace_seconds=0))
    _say(f"compact every 64 ({1e3 * compacting / _RECORDS:.1f} ms a record)", compacting, store)
    _say("read what that left", _least(store.read), store)


def _fill(store: RecordStore, first: int = 0, last: int = _RECORDS) -> float:
    def put_all() -> None:
        for n in range(first, last):
            store.put(_record(n))

    return _seconds(put_all)


def _record(n: int) -> TrialRecord:
    """One whose texts and numbers differ from the others', as real ones do."""
    chance = random.Random(n)
    return example_record(
        trial_id=f"{chance.getrandbits(80):020x}",
        config=json.dumps({f"field_{k}": chance.random() for k in range(20)}),
        config_id=f"{chance.getrandbits(80):020x}",
        pretrain_id=f"{chance.getrandbits(80):020x}",
        seed=n,
        **{name: chance.random() for name in _REALS},
    )


def _lease(store: RecordStore) -> None:
    """What a launch adds to each trial that it runs."""
    leases, trials = store.leases("bench"), [f"{n:020x}" for n in range(_LEASES)]
    each = [_seconds(lambda: leases.acquire(trials)), _seconds(leases.renew), _seconds(leases.release)]
    shown = ", ".join(f"{1e3 * seconds / _LEASES:.2f}" for seconds in each)
    print(f"leases of {_LEASES} trials together: acquire, renew, release in ms a trial: {shown}")


def _say(what: str, seconds: float, store: RecordStore) -> None:
    sizes = [path.stat().st_size for path in store.records_dir.iterdir()]
    print(f"{what:42} | {seconds:8.3f} | {len(sizes):5} files, {sum(sizes) / 1e6:6.1f} MB")


def _seconds(call: object) -> float:
    start = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - start


def _least(call: object) -> float:
    return min(_seconds(call) for _ in range(5))


if __name__ == "__main__":
    main()
