"""The store as it grows, with single files and compacted: `python -m tests.benchmarks.bench_store [RECORDS ...]`.

Limits: with 20,000 single files, 10 s for `study status` and 30 s for a compaction; 1 ms for a put. Each line is
measured in a process of its own: seconds and processor time without imports, the process's peak memory, and the
number of records, or of files after a compaction. Compacted files come last, without single files.
"""

import itertools
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from study.spec.expand import expand
from study.spec.load import load_spec
from tests.trainables.records_example import example_record, older_content
from trainables.store.record_file import encode_row
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord, record_schema, record_to_table

_SIZES = (1000, 5000, 20_000, 50_000)
_PUT, _LEASES = 500, 200

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
        _put(RecordStore(root / "put"))
        every = _single_files(root, max(sizes), lambda record: encode_row(record_to_table(record)))
        for size in sizes:
            _measure(root / f"store{size}", every, size)
        older = _single_files(root / "older", min(sizes), older_content)
        print("single files as older versions wrote them")
        _say(min(sizes), "read single files", root / "older", _read)
        assert len(older) == min(sizes)
        _grow(RecordStore(root / "grown"))
        _lease(RecordStore(root / "put"))


def _measure(path: Path, every: list[Path], size: int) -> None:
    (path / "records").mkdir(parents=True)
    for file in every[:size]:
        os.link(file, path / "records" / file.name)
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


def _single_files(root: Path, count: int, encode: Callable[[TrialRecord], bytes]) -> list[Path]:
    """A file for each of so many records, not flushed to the disk."""
    store = RecordStore(root)
    for record in itertools.islice(_records(root, count), count):
        name = f"records/{record.trial_id}.0.parquet"
        store.files.put(name, encode(record), durable=False)
    return sorted(store.records_dir.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def _records(root: Path, count: int) -> Iterator[TrialRecord]:
    for n, trial in enumerate(expand(load_spec(_study_file(root, count)).spec, None).trials):
        yield _record(n, trial.keys.trial_id)


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
