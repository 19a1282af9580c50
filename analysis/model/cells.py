"""Every configuration of one arm as arrays, the input of all statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.model.axis_values import categories, category, floats_or_categories, value_order
from analysis.model.info import ArmInfo, AxisInfo
from analysis.model.metric import Metric
from analysis.model.weights import axis_weights, density_ratio

#: Statuses of a trial that ended without a usable score. `no_score` means that the trial finished but its metric is
#: missing or not finite.
FAILED = ("diverged", "crashed", "oom", "timeout", "no_score")
#: Statuses without information on the score: no record yet, stopped early to save time, not part of the plan.
MISSING, PRUNED, UNPLANNED = "missing", "pruned", "unplanned"

#: From this share of the full product of axis values on, the configurations count as a grid with gaps.
_GRID_SHARE = 0.5
#: By this share, a failed trial lies below the worst finished one in what chooses, so that it never wins a tie.
_BELOW = 1e-9


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The values of one hyperparameter that occur in an arm."""

    info: AxisInfo
    values: np.ndarray  # (L,) increasing numbers, or categories as texts in their order

    @property
    def name(self) -> str:
        """The column of the hyperparameter."""
        return self.info.name

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.values.dtype.kind == "f"

    @property
    def positive(self) -> bool:
        """Whether the values are numbers above 0, which have logarithms."""
        return self.numeric and bool(np.all(self.values > 0))

    def index_of(self, values: np.ndarray) -> np.ndarray:
        """The index of each of the values `(N,)` on the axis. Raises `KeyError` for a text that it lacks."""
        if self.numeric and values.dtype.kind == "f":
            return np.searchsorted(self.values, values)
        places = {category(value): index for index, value in enumerate(self.values.tolist())}
        return np.array([places[category(value)] for value in values.tolist()], dtype=int)

    @property
    def weights(self) -> np.ndarray:
        """Shares `(L,)` of the values under the axis' measure."""
        return axis_weights(self.values, self.info.measure if self.numeric else "each")


@dataclass(frozen=True, kw_only=True)
class Cells:
    """C configurations ("cells") of one arm, k axes, S seeds.

    The cells of a grid are in the order of its axes, the last one fastest. Every combination has a cell; one without
    planned trials has weight 0. Drawn or listed points are in the order of their values.
    """

    arm: str
    metric: Metric
    axes: tuple[Axis, ...]
    codes: np.ndarray  # (C, k) of int, indices into the axes' values
    seeds: np.ndarray  # (S,) increasing
    status: np.ndarray  # (C, S) of str
    raw: Mapping[str, np.ndarray]  # column: (C, S), NaN wherever `status` is not "ok"
    weights: np.ndarray  # (C,), shares of the measure over hyperparameters, with sum 1
    drawn: bool = False  # whether the configurations were drawn from ranges, as in a random search

    @property
    def planned(self) -> np.ndarray:
        """Trials that the study plans, `(C, S)` of bool."""
        return self.status != UNPLANNED

    @property
    def finished(self) -> np.ndarray:
        """Trials that ended with a score, `(C, S)` of bool."""
        return np.isin(self.status, ["ok"])

    @property
    def failed(self) -> np.ndarray:
        """Trials that ended without a score, `(C, S)` of bool."""
        return np.isin(self.status, FAILED)

    @property
    def missing(self) -> np.ndarray:
        """Planned trials without a record, or pruned ones, `(C, S)` of bool."""
        return np.isin(self.status, (MISSING, PRUNED))

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The grid's shape `(A1, ..., Ak)`; None where the cells are not the full product of their axes."""
        shape = tuple(len(axis.values) for axis in self.axes)
        if len(self.codes) != np.prod(shape):
            return None
        in_order = np.ravel_multi_index(tuple(self.codes.T), shape) == np.arange(len(self.codes))
        return shape if in_order.all() else None

    @property
    def test(self) -> np.ndarray:
        """Test scores `(C, S)`: the worst outcome where a trial failed, NaN where missing or unplanned."""
        return np.where(self.failed, self.metric.worst_score, self.finished_test)

    @property
    def validation(self) -> np.ndarray:
        """Scores `(C, S)` by which configurations are chosen or ranked, NaN where missing or unplanned.

        A failed trial has the worst outcome of the selecting column, or the lowest finished score of this arm where
        that is lower; it is lowered by a billionth. So a configuration whose trials failed is never chosen before one
        whose trials finished. An infinite value counts as a failure, because it may be infinitely good.
        """
        scores = self.metric.selecting_scores(self.raw[self.metric.selecting_column])
        declared = self.metric.selecting_sign * self.metric.worst_selecting_value
        worst = float(np.min(scores, initial=declared, where=np.isfinite(scores)))
        return np.where(self.failed | np.isinf(scores), worst - _BELOW * max(1.0, abs(worst)), scores)

    @property
    def finished_test(self) -> np.ndarray:
        """Test scores `(C, S)` of finished trials only."""
        return self.scores(self.metric.reporting_column)

    def scores(self, column: str) -> np.ndarray:
        """A column in the reported metric's direction as scores `(C, S)`, of finished trials only."""
        return self.metric.scores(self.raw[column])

    def values(self, name: str) -> np.ndarray:
        """The value of an axis in every cell, `(C,)`. Raises `KeyError` for an unknown name."""
        place = {axis.name: index for index, axis in enumerate(self.axes)}[name]
        return self.axes[place].values[self.codes[:, place]]

    def on_seeds(self, seeds: np.ndarray) -> "Cells":
        """The same cells at some of the seeds only."""
        kept = np.isin(self.seeds, seeds)
        raw = {name: values[:, kept] for name, values in self.raw.items()}
        return replace(self, seeds=self.seeds[kept], status=self.status[:, kept], raw=raw)

    def on_cells(self, chosen: np.ndarray | Sequence[int]) -> "Cells":
        """Some of the cells only, in the order of their indices or by a mask `(C,)`; their weights again sum to 1."""
        weights = self.weights[chosen]
        return replace(
            self,
            codes=self.codes[chosen],
            status=self.status[chosen],
            raw={name: values[chosen] for name, values in self.raw.items()},
            weights=weights / weights.sum() if weights.sum() > 0 else weights,
        )

    def place(self, cell: int) -> dict[str, float | str]:
        """The configuration of a cell, one value for each axis."""
        return {
            axis.name: axis.values[code].item()
            for axis, code in zip(self.axes, self.codes[cell], strict=True)
        }

    def on_grid(self, array: np.ndarray) -> np.ndarray:
        """An array `(C, ...)` as `(A1, ..., Ak, ...)`. Raises `ValueError` where the cells are not a grid."""
        if self.shape is None:
            raise ValueError(f"arm {self.arm}: its {len(self.codes)} configurations are no grid")
        return array.reshape(*self.shape, *array.shape[1:])


def build_cells(
    rows: pd.DataFrame,
    arm: ArmInfo,
    metric: Metric,
    axes: Sequence[AxisInfo],
    *,
    columns: Sequence[str] = (),
    drawn: bool = False,
    full: bool = False,
) -> Cells:
    """The configurations of one arm from its `rows`, with the metric's columns and the further `columns`.

    The cells are a grid if `full`, or if at least half of all combinations occur and the places were not `drawn`.
    Otherwise they are points. Raises `ValueError` for two trials of one seed in one configuration, which means that
    another hyperparameter varies.
    """
    found = [axis_of(rows, info) for info in axes]
    grid_axes, row_codes = tuple(axis for axis, _ in found), np.stack([codes for _, codes in found], axis=1)
    seeds, at_seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)
    codes, at_cell = _cells_of(
        row_codes, tuple(len(axis.values) for axis in grid_axes), drawn=drawn, full=full
    )
    _check_cells(arm.label, at_cell, at_seed, len(seeds))
    shape = (len(codes), len(seeds))
    row_status = trial_statuses(rows, metric.reporting_column)
    status = np.full(shape, UNPLANNED, dtype=object)
    status[at_cell, at_seed] = row_status
    raw = {}
    for column in dict.fromkeys((metric.reporting_column, metric.selecting_column, *columns)):
        raw[column] = np.full(shape, np.nan)
        values = numbers(rows, column)
        # `validation` treats infinite values.
        known = np.isfinite(values) | (column == metric.selecting_column)
        raw[column][at_cell, at_seed] = np.where((row_status == "ok") & known, values, np.nan)
    if metric.held_out:
        raw[metric.selecting_column] *= metric.selecting_scale
    planned = (status != UNPLANNED).any(axis=-1)
    weights = _weights(grid_axes, codes, drawn=drawn) * planned
    return Cells(
        arm=arm.label,
        metric=metric,
        axes=grid_axes,
        codes=codes,
        seeds=seeds,
        status=status,
        raw=raw,
        weights=weights / weights.sum() if weights.sum() > 0 else weights,
        drawn=drawn,
    )


def trial_statuses(rows: pd.DataFrame, metric: str) -> np.ndarray:
    """Status of every row `(N,)`, with two that the analysis adds: `missing` and `no_score`."""
    status = rows["status"].astype(object).where(rows["status"].notna(), MISSING).to_numpy()
    return np.where((status == "ok") & ~np.isfinite(numbers(rows, metric)), "no_score", status)


def numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers `(N,)`, NaN for other values. Raises `ValueError` for an unknown column."""
    if column not in rows.columns:
        raise ValueError(f"metric: got {column!r}; the table has no such column")
    return pd.to_numeric(rows[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def axis_values(rows: pd.DataFrame, info: AxisInfo) -> np.ndarray:
    """The value of an axis in every row `(N,)`, with the default where a cell is empty.

    The values are numbers; or the texts of categories, where one is no number or is still empty, or where `info` has
    an order of categories. Raises `ValueError` for an infinite number and for an axis without any value.
    """
    column = rows[info.name] if info.name in rows.columns else pd.Series(np.nan, index=rows.index)
    if info.default is not None and column.isna().any():
        column = column.astype(object).where(column.notna(), info.default)
    if column.isna().all():
        raise ValueError(f"axis {info.name}: got no value and no default")
    if info.order:
        return categories(column)
    values = floats_or_categories(column)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"axis {info.name}: got an infinite value; a number is needed")
    return values


def axis_of(rows: pd.DataFrame, info: AxisInfo) -> tuple[Axis, np.ndarray]:
    """The axis with all values that occur, and every row's index on it `(N,)`."""
    values = axis_values(rows, info)
    axis = axis_with(info, values)
    return axis, axis.index_of(values)


def axis_with(info: AxisInfo, values: np.ndarray) -> Axis:
    """The axis with these values, numbers or texts, each once and in order."""
    found = np.unique(values)
    if found.dtype.kind == "f":
        return Axis(info=info, values=found)
    known = {text: (index, 0) for index, text in enumerate(info.order)}
    last = len(known)
    order = sorted(found.tolist(), key=lambda text: known.get(text, (last, value_order(text))))
    return Axis(info=info, values=np.array(order, dtype=str))


def _cells_of(
    codes: np.ndarray, shape: tuple[int, ...], *, drawn: bool, full: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Cells `(C, k)` and every row's cell: all combinations of a grid, or only the points that occur."""
    flat = np.ravel_multi_index(tuple(codes.T), shape)
    points, at = np.unique(flat, return_inverse=True)
    product = int(np.prod(shape))
    if full or (not drawn and len(points) >= _GRID_SHARE * product):
        return np.stack(np.unravel_index(np.arange(product), shape), axis=1), flat
    return np.stack(np.unravel_index(points, shape), axis=1), at


def _weights(axes: Sequence[Axis], codes: np.ndarray, *, drawn: bool) -> np.ndarray:
    """Shares of the cells: on a grid by the measures of its axes; for drawn points equal, times density ratios."""
    weights = np.ones(len(codes))
    grid = len(codes) == np.prod([len(axis.values) for axis in axes])
    for axis, code in zip(axes, codes.T, strict=True):
        if grid and not drawn:
            weights *= axis.weights[code]
        elif drawn and axis.numeric:
            weights *= density_ratio(axis.values, axis.info.measure, axis.info.drawn)[code]
    return weights


def _check_cells(arm: str, at_cell: np.ndarray, at_seed: np.ndarray, seeds: int) -> None:
    trials = at_cell * seeds + at_seed
    if len(np.unique(trials)) < len(trials):
        raise ValueError(
            f"arm {arm}: several trials of one seed share a cell; split the arm by what else varies"
        )
