"""What a study costs as it grows: `python -m tests.benchmarks.bench_growth [1040 5200 19760 49920] [--keep FOLDER]`.

Five losses over 8 x 13 configurations, with as many seeds as give the trials, and invented records in one compacted
file: every column of metrics is filled, and 1 % of the trials failed. Each command runs as a process of its own.
Limits at 49,920 trials: `study report` in 60 s of processor time and 1 GB, its page below 10 MB.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from search_spaces.loss_params import loss_defaults
from study.spec.expand import PlannedTrial, TrialSet, expand
from study.spec.load import load_spec
from trainables.runtime import Runtime
from trainables.store.compacted_file import encode_compacted
from trainables.store.record_file import record_digests
from trainables.store.records import RecordStore
from trainables.store.schema import Status, record_schema
from trainables.trial import identity_columns, run_facts

_TRIALS = (1_040, 5_200, 19_760, 49_920)
_CELLS = 5 * 8 * 13
_FAILED = 0.01
_BATCH_SIZES = (16, 24, 32, 48, 64, 96, 128, 192)
#: Records that are built at a time: as Python objects they take much memory.
_AT_ONCE = 1000
_MAIN = "from study.cli.main import main; main()"
#: Runs a command and prints its seconds of processors and its largest memory in kB. It is a small process, since a
#: process begins with the largest memory of the process that started it.
_MEASURE = """
import os, sys
command = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
status, used = os.wait4(command, 0)[1:]
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
_COMMANDS = ("plan", "status", "report", "run")

_FILE = """
name = "growth"
description = "Invented records"
task = "images"
seeds = {seeds}
metric = "probe10_accuracy"
reference = "infonce"

[data]
name = "digits"
[encoder]
name = "small_conv"
width = 16
projection_dim = 64
[training]
epochs = 12
[probe]
suite = ["probe10", "probe_full", "knn"]
[resources]
max_trials = 200000
[axes]
batch_size = {sizes}

[losses.infonce]
temperature = {{ log = [0.05, 2.0], points = 13 }}
[losses.dcl]
temperature = {{ log = [0.05, 2.0], points = 13 }}
[losses.flatnce]
temperature = {{ log = [0.05, 2.0], points = 13 }}
[losses.dhel]
temperature = {{ log = [0.05, 2.0], points = 13 }}
[losses.kcl]
kernel = "gaussian"
gamma = 16.0
t = {{ log = [0.25, 16.0], points = 13 }}
"""

#: Best accuracy, and the best value of the main axis, of each loss. FlatNCE has the gradient of DCL.
_HILLS = {
    "infonce": (0.86, 0.2),
    "dcl": (0.865, 0.25),
    "flatnce": (0.865, 0.25),
    "dhel": (0.87, 0.3),
    "kcl": (0.85, 2.0),
}
_METRICS = [
    name
    for name in record_schema().names
    if name.endswith("_accuracy") or (name.startswith(("z_", "h_")) and not name.endswith("_dim"))
]


class Cost(NamedTuple):
    """What a process took: seconds of wall time and of processors, and its largest resident memory."""

    wall: float
    cpu: float
    gigabytes: float


def main() -> None:
    """Print seconds, memory and the size of the page for each number of trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", nargs="*", type=int, default=_TRIALS)
    parser.add_argument("--keep", type=Path, help="folder for the studies, which a second call uses again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("seconds of wall time (of processors), and peak memory in GB; the page in MB")
        print("trials | " + " | ".join(_COMMANDS) + " | page")
        for trials in given.trials:
            _measure(max(1, round(trials / _CELLS)), given.keep or Path(folder))


def _measure(seeds: int, folder: Path) -> None:
    path, store = folder / f"growth_{seeds}.toml", folder / f"store_{seeds}"
    if not store.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_FILE.format(seeds=list(range(seeds)), sizes=list(_BATCH_SIZES)))
        fill(path, RecordStore(store))
    costs = [_cost([command, str(path), "--store", str(store)]) for command in _COMMANDS]
    page = store / "studies" / "growth" / "report.html"
    shown = [f"{cost.wall:.1f} ({cost.cpu:.1f}), {cost.gigabytes:.2f}" for cost in costs]
    print(
        f"{_CELLS * seeds} | {' | '.join(shown)} | {page.stat().st_size / 1e6:.1f}",
        flush=True,
    )


def _cost(words: Sequence[str]) -> Cost:
    start = time.perf_counter()
    measured = [sys.executable, "-c", _MEASURE, sys.executable, "-c", _MAIN, *words]
    told = subprocess.run(measured, check=True, stdout=subprocess.PIPE, text=True).stdout
    cpu, kilobytes = told.splitlines()[-1].split()
    return Cost(time.perf_counter() - start, float(cpu), float(kilobytes) * 1024 / 1e9)


def fill(path: Path, store: RecordStore) -> None:
    """Write one compacted file with an invented record of every trial of the study file at `path`."""
    trial_set = expand(load_spec(str(path)).spec, None)
    schema, rows = record_schema(), list[Any]()
    tables = []
    for row in _records(trial_set):
        rows.append(row)
        if len(rows) == _AT_ONCE:
            tables.append(pa.Table.from_pylist(rows, schema=schema))
            rows.clear()
    table = pa.concat_tables([*tables, pa.Table.from_pylist(rows, schema=schema)])
    table = table.sort_by([("trial_id", "ascending")]).combine_chunks()
    digests = [digest for batch in table.to_batches(_AT_ONCE) for digest in _digests(batch)]
    store.prepare()
    store.files.put(*encode_compacted(table, digests, ()))


def _digests(batch: pa.RecordBatch) -> list[str]:
    return record_digests(pa.Table.from_batches([batch]))


def _records(trial_set: TrialSet) -> Iterator[dict[str, Any]]:
    rng, facts = np.random.default_rng(0), run_facts(Runtime())
    luck: dict[Any, np.ndarray] = {}
    for number, trial in enumerate(trial_set.trials):
        yield {
            **identity_columns(trial.config, trial.keys, 0),
            **facts,
            **_outcome(trial, rng, luck),
            "data_fingerprint": trial_set.task.origin.data_fingerprint,
            "started_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=7 * number),
            "seconds_total": 5 + rng.random(),
            "seconds_pretrain": 4 + rng.random(),
            "seconds_evaluate": rng.random(),
            "peak_memory_bytes": int(5e8 + 1e6 * rng.random()),
        }


def _outcome(trial: PlannedTrial, rng: np.random.Generator, luck: dict[Any, np.ndarray]) -> dict[str, Any]:
    if rng.random() < _FAILED:
        return {
            "status": Status.DIVERGED,
            "error_class": "NonFiniteLossError",
            "error_message": f"loss is nan at step {rng.integers(900)}",
            "error_traceback": "Traceback (most recent call last):\n" + '  File "trial.py", line 1\n' * 20,
        }
    accuracy = _accuracy(trial)
    place = (trial.config.seed, trial.point)
    if trial.arm == "dcl":
        luck[place] = rng.standard_normal(2)
    shared = luck[place] if trial.arm in ("dcl", "flatnce") and place in luck else rng.standard_normal(2)
    test = float(np.clip(accuracy + 0.01 * shared[0] + 1e-4 * rng.standard_normal(), 0, 1))
    return {
        **{name: test + 0.02 * rng.standard_normal() for name in _METRICS},
        "test_probe10_accuracy": test,
        "val_probe10_accuracy": float(np.clip(accuracy + 0.01 * shared[1], 0, 1)),
        "z_effective_rank": 1 + 30 * test,
        "h_effective_rank": 1 + 60 * test,
        "z_dim": 64,
        "h_dim": 64,
        "train_loss_first": 5 + rng.random(),
        "train_loss_last": 2 - test,
        "steps_planned": 900,
        "steps_done": 900,
        "samples_seen": 900 * trial.config.task.training.batch_size,
        "status": Status.OK,
    }


def _accuracy(trial: PlannedTrial) -> float:
    peak, at = _HILLS[trial.arm]
    params = {**loss_defaults(trial.arm), **trial.config.loss.params}
    value = params["t" if trial.arm == "kcl" else "temperature"]
    size = trial.config.task.training.batch_size
    return float(peak - 0.03 * np.log(value / at) ** 2 - 0.01 * abs(np.log(size / 64)))


if __name__ == "__main__":
    main()
