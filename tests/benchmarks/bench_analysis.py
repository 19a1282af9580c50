"""A million rows from Parquet to intervals of 100,000 cells: `python -m tests.benchmarks.bench_analysis`.

Limits: 2 s on two cores and 2 GB. In the same run: `scipy.stats.bootstrap` (BCa and percentile) and a pandas
groupby-apply loop of the same studentised bootstrap, both on a sample of cells and extrapolated.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

from analysis import cell_intervals
from analysis.statistics.intervals.bootstrap import studentised_interval
from analysis.statistics.intervals.student import student_interval
from analysis.tables.cell_arrays import cell_arrays
from tests.benchmarks.memory import peak_bytes

_KEYS = ("loss", "data", "hp_batch_size", "hp_temperature", "hp_kernel", "hp_epochs")
_VALUE = "test_probe10_accuracy"
_LOSSES = ("infonce", "ntxent", "dcl", "dhel", "kcl")
_DATA = ("cifar10", "cifar100", "stl10")
_BATCH_SIZES = tuple(2**k for k in range(4, 12))
_TEMPERATURES = tuple(np.geomspace(0.05, 2.0, 12))
_KERNELS = ("gaussian", "log", "imq", "riesz", "gaussian-riesz")
_EPOCHS = tuple(range(10, 150, 10))
_SEEDS = 10
_DRAWS = 1000
_CHANCE = 0.1
#: Cells that the slow alternatives do.
_SAMPLE = 400


def main() -> None:
    """Print seconds, memory and ratios; those are of processor time, which other work on the machine leaves alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.parquet"
        rows = _write(path)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.1f} MB of Parquet, {os.cpu_count()} cores")
        memory = peak_bytes(lambda: _whole(path))  # first, before pools hold what was freed
        values = _arrays(path)
        _say(f"Parquet to {values.shape} arrays", _best(lambda: _arrays(path)))
        _say("Student's intervals", _best(lambda: student_interval(values)))
        ours = _best(lambda: _studentised(values))
        _say(f"studentised bootstrap, {_DRAWS} draws", ours)
        whole = _best(lambda: _whole(path))
        _say(f"Parquet to a table of intervals, peak memory {memory / 1e9:.2f} GB", whole)
        print(f"within 2 s: {whole.wall < 2}; within 2 GB: {memory < 2e9}")
        print(f"others on {_SAMPLE} of {len(values)} cells, extrapolated")
        scale = len(values) / _SAMPLE
        _compare("scipy.stats.bootstrap, percentile", scale, ours, lambda: _scipy(values, "percentile"))
        _compare("scipy.stats.bootstrap, BCa", scale, ours, lambda: _scipy(values, "BCa"))
        frame = _frame(values[:_SAMPLE])
        _compare("pandas groupby-apply, same bootstrap", scale, ours, lambda: _pandas(frame))


def _write(path: Path) -> int:
    """Every combination at every seed, in random order, 2 % of the rows diverged."""
    rng = np.random.default_rng(0)
    levels = (_LOSSES, _DATA, _BATCH_SIZES, _TEMPERATURES, _KERNELS, _EPOCHS, tuple(range(_SEEDS)))
    sizes = [len(level) for level in levels]
    codes = np.unravel_index(rng.permutation(int(np.prod(sizes))), sizes)
    columns = {
        name: np.array(level)[code] for name, level, code in zip((*_KEYS, "seed"), levels, codes, strict=True)
    }
    failed = rng.random(len(codes[0])) < 0.02
    columns["status"] = np.where(failed, "diverged", "ok")
    scores = 0.8 - 0.02 * codes[3] + 0.01 * rng.standard_normal(len(failed))
    columns[_VALUE] = np.where(failed, np.nan, scores)
    pq.write_table(pa.table(columns), path)
    return len(failed)


def _whole(path: Path) -> pd.DataFrame:
    """What a user calls: the table of all cells with their intervals, failed trials at chance."""
    rng = np.random.default_rng(0)
    return cell_intervals(path, _KEYS, _VALUE, worst=_CHANCE, bounds=(0.0, 1.0), rng=rng, draws=_DRAWS)


def _arrays(path: Path) -> np.ndarray:
    """Scores `(C, S)`, failed trials at chance."""
    found = cell_arrays(path, _KEYS, [_VALUE])
    failed = found.status == found.statuses.index("diverged")
    return np.where(failed, _CHANCE, found.values[_VALUE])


def _studentised(values: np.ndarray) -> object:
    return studentised_interval(values, rng=np.random.default_rng(0), draws=_DRAWS, bounds=(0.0, 1.0))


def _scipy(values: np.ndarray, method: str) -> object:
    rng = np.random.default_rng(0)
    return [
        stats.bootstrap((row,), np.mean, n_resamples=_DRAWS, method=method, rng=rng).confidence_interval
        for row in values[:_SAMPLE]
        if np.ptp(row)
    ]


def _frame(values: np.ndarray) -> pd.DataFrame:
    cell, seed = np.indices(values.shape)
    return pd.DataFrame({"cell": cell.ravel(), "seed": seed.ravel(), "score": values.ravel()})


def _pandas(frame: pd.DataFrame) -> object:
    rng = np.random.default_rng(0)
    return frame.groupby("cell")["score"].apply(lambda group: _one_cell(group.to_numpy(), rng))


def _one_cell(row: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    drawn = row[rng.integers(0, len(row), size=(_DRAWS, len(row)))]
    spread = drawn.std(axis=1)
    ratios = (drawn.mean(axis=1) - row.mean()) / np.where(spread > 0, spread, np.nan)
    low, high = np.nanquantile(ratios, [0.025, 0.975])
    return row.mean() - high * row.std(), row.mean() - low * row.std()


class _Time(NamedTuple):
    """Seconds of a call: on the clock, and of all processors together."""

    wall: float
    processor: float


def _compare(what: str, scale: float, ours: _Time, call: Callable[[], object]) -> None:
    found = _best(call, rounds=2)
    ratio = scale * found.processor / ours.processor
    wall = scale * found.wall
    print(f"{what:44} | {wall:8.2f} s | {ratio:6.1f} times the processor time of the bootstrap here")


def _say(what: str, found: _Time) -> None:
    print(f"{what:44} | {found.wall:8.3f} s | {found.processor:6.3f} s of processors")


def _best(call: Callable[[], object], *, rounds: int = 3) -> _Time:
    """Least times of some calls, after one to warm up."""
    times = []
    for _ in range(rounds + 1):
        wall, processor = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    walls, processors = zip(*times[1:], strict=True)
    return _Time(min(walls), min(processors))


if __name__ == "__main__":
    main()
