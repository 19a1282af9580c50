"""The store as it grows, with single files and compacted: `python -m tests.benchmarks.bench_store [RECORDS ...]`.

Limits: with 20,000 single files, 10 s for `study status` and 30 s for a compaction; 1 ms for a put. Each line is
measured in a process of its own: seconds and processor time without imports, the process's peak memory, and the
number of records, or of files after a compaction. Compacted files come last, without single files.
"""

import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from study.spec.expand import expand
from study.spec.load import load_spec
from tests.trainables.records_example import example_record, older_content
from trainables.store.record_file import _hash_around, _metadata_place, encode_row
from trainables.store.records import RecordStore
from trainables.store.row_text import digest_of
from trainables.store.schema import TrialRecord, record_schema, record_to_table

_SIZES = (1000, 5000, 20_000, 50_000)
_PUT, _OLDER, _LEASES, _TEMPLATES = 500, 500, 200, 64

#: A hundred configurations.
_STUDY = """
name = "grown"
task = "images"
seeds = {seeds}
metric = "probe10_accuracy"
reference = "infonce"
[data]
name = "digits"
[encoder]
name = "small_conv"
[training]
epochs = 1
[axes]
batch_size = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256]
[losses.infonce]
temperature = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0]
"""

_REALS = [
    name
    for name in record_schema().names
    if name.startswith(("val_", "test_", "z_", "h_")) and not name.endswith("_dim")
]


def main() -> None:
    """Print seconds and peak memory of each operation at each size."""
    sizes = [int(text) for text in sys.argv[1:]] or _SIZES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for size in sizes:
            _measure(root / f"store{size}", size)
        _put(RecordStore(root / "put"))
        print("single files as older versions wrote them")
        _say(_OLDER, "read single files", _older_files(root / "older", _OLDER).path, _read)
        _grow(RecordStore(root / "grown"))
        _lease(RecordStore(root / "put"))


def _measure(path: Path, size: int) -> None:
    _single_files(path, size)
    _size(RecordStore(path))
    _say(size, "read single files", path, _read)
    _say(size, "next attempts", path, _next_attempts)
    _status(size, path)
    _say(size, "compact", path, _compact)
    _say(size, "remove single files", path, _remove)
    _size(RecordStore(path))
    _say(size, "read compacted", path, _read)
    _say(size, "read all", path, _read_all)
    _say(size, "next attempts", path, _next_attempts)
    _status(size, path)


def _single_files(root: Path, size: int) -> RecordStore:
    """A store with a file for each trial of the study, not flushed to the disk.

    Only a few files are encoded. The others are copies with another trial id and other hashes, which is 30 times as
    fast.
    """
    store = RecordStore(root)
    templates = [_record(n, f"{n:020x}") for n in range(_TEMPLATES)]
    contents = [encode_row(record_to_table(record)) for record in templates]
    for n, trial in enumerate(expand(load_spec(_study_file(root, size)).spec, None).trials):
        own, before = trial.keys.trial_id, templates[n % _TEMPLATES].trial_id
        content = contents[n % _TEMPLATES].replace(before.encode(), own.encode())
        text, digest, file_hash = (
            _metadata_place(content, key) for key in (b"record_row", b"record_digest", b"file_hash")
        )
        assert text
        assert digest
        assert file_hash
        content = _replaced(content, digest, digest_of(content[text]))
        content = _replaced(content, file_hash, _hash_around(content, file_hash))
        store.files.put(f"records/{own}.0.parquet", content, durable=False)
    return store


def _replaced(content: bytes, place: slice, text: str) -> bytes:
    return content[: place.start] + text.encode() + content[place.stop :]


def _older_files(root: Path, size: int) -> RecordStore:
    store = RecordStore(root)
    for n in range(size):
        record = _record(n, f"{n:020x}")
        store.files.put(f"records/{record.trial_id}.0.parquet", older_content(record), durable=False)
    return store


def _study_file(root: Path, trials: int) -> str:
    path = root / "grown.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_STUDY.format(seeds=list(range(trials // 100))))
    return str(path)


def _record(n: int, trial_id: str) -> TrialRecord:
    """One whose texts and numbers differ from the others', as real ones do."""
    chance = random.Random(n)
    return example_record(
        trial_id=trial_id,
        config=json.dumps({f"field_{k}": chance.random() for k in range(20)}),
        config_id=f"{chance.getrandbits(80):020x}",
        pretrain_id=f"{chance.getrandbits(80):020x}",
        seed=n,
        **{name: chance.random() for name in _REALS},
    )


def _read(store: RecordStore) -> int:
    return store.read().table.num_rows


def _read_all(store: RecordStore) -> int:
    return store.read_all().table.num_rows


def _next_attempts(store: RecordStore) -> int:
    return len(store.next_attempts())


def _compact(store: RecordStore) -> int:
    store.compact()
    return _files(store, "compact-*")


def _remove(store: RecordStore) -> int:
    store.compact(grace_seconds=0)
    return _files(store, "*")


def _files(store: RecordStore, pattern: str) -> int:
    return sum(1 for _ in store.records_dir.glob(pattern))


def _say(size: int, what: str, path: Path, call: Callable[[RecordStore], int]) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        _print_line(size, what, *process.submit(_timed, call, path).result())


def _timed(call: Callable[[RecordStore], int], path: Path) -> tuple[float, float, int, int]:
    start, processor = time.perf_counter(), time.process_time()
    result = call(RecordStore(path))
    spent = time.perf_counter() - start, time.process_time() - processor
    return *spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, result


def _status(size: int, path: Path) -> None:
    """The command as a process, from its start to its end."""
    arguments = ["status", _study_file(path, size), "--store", str(path), "--json"]
    program = "from study.cli.main import main; main()"
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE)
    assert child.stdout
    counts = json.loads(child.stdout.read())
    _, code, usage = os.wait4(child.pid, 0)
    child.returncode = code
    assert (code, counts["ok"], counts["missing"]) == (0, size, 0)
    spent = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    _print_line(size, "study status, process", *spent, usage.ru_maxrss, size)


def _print_line(
    size: int, what: str, seconds: float, processor: float, peak_kilobytes: int, result: int
) -> None:
    spent = f"{seconds:8.3f} s | {processor:8.3f} s of processor time"
    print(f"{size:6} | {what:22} | {spent} | {peak_kilobytes / 1000:5.0f} MB | {result}", flush=True)


def _size(store: RecordStore) -> None:
    sizes = [path.stat().st_size for path in store.records_dir.iterdir()]
    print(f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")


def _put(store: RecordStore) -> None:
    """Puts one file each, flushed to the disk as in a launch, of a trial with all probes and of a trivial one."""
    for what, records in (
        ("all probes", [_record(n, f"{n:020x}") for n in range(_PUT)]),
        ("trivial", [example_record(trial_id=f"f{n:019x}") for n in range(_PUT)]),
    ):
        start, processor = time.perf_counter(), time.process_time()
        for record in records:
            store.put(record)
        each = (time.perf_counter() - start) / _PUT, (time.process_time() - processor) / _PUT
        print(
            f"put, {what}: {1e3 * each[0]:.2f} ms a record, of these {1e3 * each[1]:.2f} ms of processor time"
        )


def _grow(store: RecordStore) -> None:
    """Compacted every 64 records, as during a launch."""
    compacting = 0.0
    for first in range(0, 5000, 64):
        for n in range(first, min(first + 64, 5000)):
            content = encode_row(record_to_table(_record(n, f"{n:020x}")))
            store.files.put(f"records/{n:020x}.0.parquet", content, durable=False)
        start = time.perf_counter()
        store.compact(at_least=64, grace_seconds=0)
        compacting += time.perf_counter() - start
    print(f"compact 5,000 records every 64: {compacting:.2f} s, {1e3 * compacting / 5000:.2f} ms a record")
    _say(5000, "read what that left", store.path, _read)


def _lease(store: RecordStore) -> None:
    """What a launch adds to each trial that it runs."""
    leases, trials = store.leases("bench"), [f"{n:020x}" for n in range(_LEASES)]
    each = []
    for call in (lambda: leases.acquire(trials), leases.renew, leases.release):
        start = time.perf_counter()
        call()
        each.append(time.perf_counter() - start)
    shown = ", ".join(f"{1e3 * seconds / _LEASES:.2f}" for seconds in each)
    print(f"leases of {_LEASES} trials together: acquire, renew, release in ms a trial: {shown}")


if __name__ == "__main__":
    main()
