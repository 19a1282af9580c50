"""Mean and interval of every configuration of a large table, in one pass: a million rows in one or two seconds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.model.cells import FAILED
from analysis.statistics.intervals.bootstrap import DRAWS, studentised_interval
from analysis.statistics.intervals.student import LEVEL, student_interval
from analysis.tables.cell_arrays import CellArrays, cell_arrays


def cell_intervals(
    source: pa.Table | pd.DataFrame | Path | str,
    keys: Sequence[str],
    value: str,
    *,
    worst: float | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: str = "seed",
    status: str | None = "status",
) -> pd.DataFrame:
    """One row for each configuration: the columns `keys`, then `mean`, `low`, `high`, `seeds`, `failed`.

    `source` is a Parquet file, an Arrow table or a data frame with one row for each trial. Without a column `status`,
    every row counts as finished. Intervals are over seeds: with an `rng` the studentised bootstrap of `draws`
    resamples (`statistics.bootstrap`, needs five seeds), without one Student's (needs two). A failed trial counts as
    `worst`, or is left out where that is None; `failed` counts it in both cases. `seeds` is the number of values in
    the mean.

    Raises `ValueError` as `cell_arrays` does.
    """
    arrays = cell_arrays(source, keys, [value], seed=seed, status=status)
    failed = np.isin(
        arrays.status, [arrays.statuses.index(name) for name in arrays.statuses if name in FAILED]
    )
    finished = arrays.status == arrays.statuses.index("ok") if "ok" in arrays.statuses else failed & False
    scores = np.where(finished, arrays.values[value], np.nan)
    if worst is not None:
        scores = np.where(failed, worst, scores)
    if rng is None:
        mean, low, high = student_interval(scores, level=level, bounds=bounds)
    else:
        mean, low, high = studentised_interval(scores, rng=rng, draws=draws, level=level, bounds=bounds)
    counts = {"seeds": np.isfinite(scores).sum(axis=1), "failed": failed.sum(axis=1)}
    return pd.DataFrame({**_places(arrays), "mean": mean, "low": low, "high": high, **counts})


def _places(arrays: CellArrays) -> dict[str, np.ndarray]:
    return {key: arrays.level(key) for key in arrays.keys}
