"""One metric of one arm over its grid, for figures and notebooks: batch size x main axis x seed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.model.axis_values import category_order
from analysis.model.cells import FAILED, MISSING, PRUNED, UNPLANNED, Axis, Cells, build_cells
from analysis.model.info import BATCH_SIZE, ArmInfo, AxisInfo
from analysis.model.metric import Metric
from analysis.tables.plain_columns import plain_columns
from trainables.store.schema import Status


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Raw values `(X, Y, S)` of a column, one layer for each seed; NaN wherever `status` is not "ok"."""

    arm: str
    column: str
    x_axis: Axis
    y_axis: Axis
    seeds: np.ndarray  # (S,) increasing
    values: np.ndarray  # (X, Y, S)
    status: np.ndarray  # (X, Y, S) of str

    @property
    def x(self) -> np.ndarray:
        """Values of the x axis, `(X,)`."""
        return self.x_axis.values

    @property
    def y(self) -> np.ndarray:
        """Values of the main axis, `(Y,)`."""
        return self.y_axis.values

    @property
    def planned(self) -> np.ndarray:
        """Trials that the study plans, `(X, Y, S)` of bool."""
        return self.status != UNPLANNED

    @property
    def failed(self) -> np.ndarray:
        """Trials that ended without a score, `(X, Y, S)` of bool."""
        return np.isin(self.status, FAILED)

    @property
    def missing(self) -> np.ndarray:
        """Planned trials without a record, or pruned ones, `(X, Y, S)` of bool."""
        return np.isin(self.status, (MISSING, PRUNED))


def surface_of(cells: Cells, column: str = "") -> Surface | None:
    """The surface of a column, by default of the reported metric.

    None where the cells are not a grid of two axes.
    """
    if cells.shape is None or len(cells.axes) != 2:
        return None
    column = column or cells.metric.reporting_column
    return Surface(
        arm=cells.arm,
        column=column,
        x_axis=cells.axes[0],
        y_axis=cells.axes[1],
        seeds=cells.seeds,
        values=cells.on_grid(cells.raw[column]),
        status=cells.on_grid(cells.status),
    )


def build_surface(
    table: pd.DataFrame,
    metric: str,
    *,
    x: str = BATCH_SIZE.name,
    y: str = "hp_temperature",
    y_default: float | None = None,
) -> Surface:
    """The surface of the column `metric` over columns `x` and `y`, from rows of one loss with a column `seed`.

    Without a column `status`, a row with a finite value counts as finished. Empty cells of `y` have the value
    `y_default`. Raises `ValueError` for an unknown column, an axis without values, and two rows of one seed in one
    place. The last means that something else varies: filter the rows first.
    """
    absent = [name for name in (metric, x, "seed") if name not in table.columns]
    if absent:
        raise ValueError(f"table: columns {absent} are missing; it has {list(table.columns)[:20]}")
    rows = plain_columns(table)
    rows = rows if "status" in rows.columns else rows.assign(status=str(Status.OK))
    order = {name: category_order(rows[name]) for name in (x, y) if name in rows.columns}
    axes = (
        AxisInfo(name=x, order=order[x]),
        AxisInfo(name=y, default=y_default, order=order.get(y, ()) if y_default is None else ()),
    )
    plain = Metric(name=metric, worst=0.0, bounds=(-np.inf, np.inf), selects=metric, reports=metric)
    arm = ArmInfo(label="rows", loss="rows", axes=axes)
    surface = surface_of(build_cells(rows, arm, plain, axes, full=True))
    assert surface is not None
    return surface
