"""One metric of one arm over its grid: batch size x main axis x seed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Statuses of a trial that ended without a usable score. `no_score` is a finished trial whose metric is
#: missing or not finite.
FAILED = ("diverged", "crashed", "oom", "timeout", "no_score")
#: Statuses that say nothing of the score: no record yet, stopped early to save time, never asked for.
MISSING, PRUNED, UNPLANNED = "missing", "pruned", "unplanned"


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Values `(X, Y, S)` of a metric, one layer a seed; NaN wherever `status` is not "ok"."""

    arm: str
    metric: str
    x_name: str
    y_name: str
    x: np.ndarray  # (X,) increasing
    y: np.ndarray  # (Y,) increasing
    seeds: np.ndarray  # (S,) increasing
    values: np.ndarray  # (X, Y, S)
    status: np.ndarray  # (X, Y, S) of str

    @property
    def planned(self) -> np.ndarray:
        """Trials that the study asks for, `(X, Y, S)` of bool."""
        return self.status != UNPLANNED

    @property
    def failed(self) -> np.ndarray:
        """Trials that ended without a score, `(X, Y, S)` of bool."""
        return np.isin(self.status, FAILED)

    @property
    def missing(self) -> np.ndarray:
        """Planned trials of which nothing is known yet, or that were pruned, `(X, Y, S)` of bool."""
        return np.isin(self.status, (MISSING, PRUNED))

    def scored(self, worst: float) -> np.ndarray:
        """Values `(X, Y, S)` with `worst` where the trial failed; still NaN where missing or unplanned."""
        return np.where(self.failed, worst, self.values)


def build_surface(
    table: pd.DataFrame,
    arm: str,
    metric: str,
    *,
    x_name: str = "hp_batch_size",
    y_name: str = "hp_temperature",
    y_default: float = float("nan"),
) -> Surface:
    """The surface of `metric` over the planned grid of `arm`; empty cells of the main axis hold its default.

    Raises `ValueError` for an unknown arm or metric, an axis without numbers, and for two trials of one seed
    in one cell, which means that a further hyperparameter varies.
    """
    rows = table[table["arm"] == arm]
    if rows.empty:
        raise ValueError(f"arm: got {arm!r}; the table holds {sorted(table['arm'].unique())}")
    if metric not in rows.columns:
        raise ValueError(f"metric: got {metric!r}; the table has no such column")
    x_values = axis_values(rows, x_name, float("nan"))
    y_values = axis_values(rows, y_name, y_default)
    x, at_x = np.unique(x_values, return_inverse=True)
    y, at_y = np.unique(y_values, return_inverse=True)
    seeds, at_seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)
    _check_cells(arm, at_x, at_y, at_seed)
    status = trial_statuses(rows, metric)
    shape = (len(x), len(y), len(seeds))
    values, statuses = np.full(shape, np.nan), np.full(shape, UNPLANNED, dtype=object)
    values[at_x, at_y, at_seed] = np.where(status == "ok", _numbers(rows[metric]), np.nan)
    statuses[at_x, at_y, at_seed] = status
    return Surface(
        arm=arm,
        metric=metric,
        x_name=x_name,
        y_name=y_name,
        x=x,
        y=y,
        seeds=seeds,
        values=values,
        status=statuses,
    )


def axis_values(rows: pd.DataFrame, name: str, default: float) -> np.ndarray:
    """An axis' value of every row `(N,)`, empty ones `default`. Raises `ValueError` for what is no number."""
    column = rows[name] if name in rows.columns else pd.Series(np.nan, index=rows.index)
    try:
        values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        raise ValueError(f"axis {name}: got {column.iloc[0]!r}; only numbers span a surface") from None
    values = np.where(np.isnan(values), default, values)
    if not np.isfinite(values).all():
        raise ValueError(f"axis {name}: got an empty or infinite value and no default; a number is needed")
    return values


def trial_statuses(rows: pd.DataFrame, metric: str) -> np.ndarray:
    """Status of every row `(N,)`, with the two that the analysis adds: `missing` and `no_score`."""
    status = rows["status"].astype(object).where(rows["status"].notna(), MISSING).to_numpy()
    return np.where((status == "ok") & ~np.isfinite(_numbers(rows[metric])), "no_score", status)


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _check_cells(arm: str, at_x: np.ndarray, at_y: np.ndarray, at_seed: np.ndarray) -> None:
    cells = np.stack([at_x, at_y, at_seed])
    if np.unique(cells, axis=1).shape[1] < cells.shape[1]:
        raise ValueError(
            f"arm {arm}: several trials of one seed share a cell; split the arm by what else varies"
        )
