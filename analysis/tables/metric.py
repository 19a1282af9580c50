"""The metric of a results table: its direction, unit and bounds, the value of a failed trial, and the tolerance."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.model.metric import Metric
from analysis.names import spaced
from analysis.tables.mapping import TableMapping
from analysis.tables.metric_names import named_metric, quantity_of, settled_directions
from analysis.tables.usual_names import CLASSES, plain
from analysis.wording import listing
from trainables.suggestion import shortened

#: A column counts as written in percent beside one in shares of 1 where its values are so many times larger.
_PERCENT_RATIO = 10.0
#: Values up to this one may be shares of 1 with an error, or percents near 1 %.
_DOUBTFUL = 2.0
_PERCENT_NAME = re.compile(r"%|percent|(?<![a-z])(pct|perc)(?![a-z])", re.IGNORECASE)
#: What to do where nothing tells the value of a failed trial.
_GUESS = "--worst gives the value, such as chance"
_ROUNDING = 1e-6  # by which a share may lie outside of [0, 1]


@dataclass(frozen=True, kw_only=True)
class _Column:
    """One column of a metric."""

    name: str
    higher_is_better: bool
    is_share: bool  # by its name, where no option says another direction
    values: np.ndarray  # finite values of finished trials

    @property
    def worst(self) -> float:
        return float(self.values.min() if self.higher_is_better else self.values.max())


def table_metric(rows: pd.DataFrame, mapping: TableMapping, ok: np.ndarray) -> Metric:
    """The metric of a table. `ok` `(N,)` are the rows of finished trials; only those with a finite score count.

    Accuracies and other shares, known by their name or declared by `percent`, are bounded; other metrics are numbers
    without a unit and without bounds. In each of the two columns, a failed trial counts as the worst value of that
    column. `mapping.worst` replaces it in the reported column, and in the one that chooses where its name is that of
    the same quantity.

    Raises `ValueError` for a direction or a unit that neither the name nor the mapping tells, and for an accuracy
    that is out of range.
    """
    reported, selecting = _columns(rows, mapping, ok)
    held_out = selecting.name != reported.name
    same = quantity_of(reported.name, mapping).quantity == quantity_of(selecting.name, mapping).quantity
    shares = mapping.percent is not False and reported.is_share and selecting.is_share
    comparable = shares or (same and reported.is_share == selecting.is_share)
    alike = not held_out or (reported.higher_is_better == selecting.higher_is_better and comparable)
    scale = _selecting_scale(reported, selecting, mapping) if held_out and shares else 1.0
    selecting = dataclasses.replace(selecting, values=scale * selecting.values)
    columns = (reported, selecting) if alike and held_out else (reported,)
    plain = Metric(
        name=mapping.metric,
        label=spaced(mapping.metric),
        selects=selecting.name,
        reports=mapping.metric,
        worst=_worst(reported, mapping.worst),
        bounds=(-np.inf, np.inf),
        higher_is_better=reported.higher_is_better,
        selects_higher_is_better=selecting.higher_is_better,
        worst_selecting=_worst(selecting, mapping.worst if alike and same else None) if held_out else None,
        selecting_scale=scale,
        selecting_apart=not alike,
    )
    _check_worst(reported, mapping)
    return _with_worst(_with_unit(plain, columns, mapping), rows, mapping)


def _with_worst(metric: Metric, rows: pd.DataFrame, mapping: TableMapping) -> Metric:
    """The metric with the value of a failed trial, and where it comes from.

    It is chance where the table has a column with the number of classes and the metric is an accuracy or an error
    rate; a trial that finished below chance lowers it. Otherwise it is the worst finished value.
    """
    if mapping.worst is not None:
        return dataclasses.replace(metric, worst_source="as declared")
    classes = _classes(rows)
    words = set(named_metric(mapping.metric).quantity)
    if classes is None or not np.isfinite(metric.span) or not words & {"accuracy", "error", "err"}:
        return dataclasses.replace(metric, worst_source="the worst finished value", worst_guess=_GUESS)
    top = metric.bounds[1]
    chance = top / classes if metric.higher_is_better else top * (1 - 1 / classes)
    worst = min(chance, metric.worst) if metric.higher_is_better else max(chance, metric.worst)
    same = metric.held_out and not metric.selecting_apart and metric.worst_selecting is not None
    return dataclasses.replace(
        metric,
        worst=worst,
        worst_selecting=worst if same else metric.worst_selecting,
        worst_source=f"chance of {classes} classes" if worst == chance else "the worst finished value",
    )


def _classes(rows: pd.DataFrame) -> int | None:
    """The number of classes that a column states for all rows; None without such a column."""
    found = [name for name in rows.columns if plain(str(name)) in CLASSES]
    if not found or rows[found[0]].nunique() != 1:
        return None
    count = pd.to_numeric(rows[found[0]], errors="coerce").iloc[0]
    return int(count) if count >= 2 and count % 1 == 0 else None


def metric_words(mapping: TableMapping, metric: Metric) -> dict[str, str]:
    """For both columns, which direction and unit it has, and whether the name or an option told so."""
    better = _better(metric.higher_is_better)
    how = "by its name" if mapping.higher_is_better is None else "as declared"
    words = {mapping.metric: f"{better} is better ({how}); {_unit_words(mapping, metric)}"}
    if metric.held_out:
        named = quantity_of(metric.selects, mapping).higher_is_better
        by_name = mapping.selects_higher_is_better is None and named is not None
        better = _better(metric.selecting_sign > 0)
        words[metric.selects] = f"{better} is better ({'by its name' if by_name else 'as declared'})"
        if metric.selecting_scale != 1.0:
            here, there = ("shares of 1", "percent")[:: 1 if metric.selecting_scale > 1 else -1]
            words[metric.selects] += f"; its values are {here}, read in {there} like {mapping.metric}"
    return words


def table_tolerance(mapping: TableMapping, metric: Metric, rows: pd.DataFrame, ok: np.ndarray) -> float:
    """The declared tolerance. Default: two points of an accuracy, a fiftieth of the spread of another metric."""
    if mapping.tolerance is not None:
        return mapping.tolerance
    if np.isfinite(metric.span):
        return 0.02 * metric.span
    known = _finite(numbers(rows, mapping.metric)[ok])
    return float(f"{0.02 * np.ptp(known):.1g}") if len(known) else 0.0


def numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers `(N,)`, NaN for empty cells. Raises `ValueError` with a value that is not a number."""
    try:
        return pd.to_numeric(rows[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        known = pd.to_numeric(rows[column], errors="coerce")
        at = int((known.isna() & rows[column].notna()).to_numpy().argmax())
        raise ValueError(
            f"{column}: got {shortened(rows[column].iloc[at])} in row {at + 1}; a metric is made of numbers, and "
            "failed trials have an empty cell or a status"
        ) from None


def _columns(rows: pd.DataFrame, mapping: TableMapping, ok: np.ndarray) -> tuple[_Column, _Column]:
    """The reported and the selecting column."""
    scored = ok & np.isfinite(numbers(rows, mapping.metric))
    found = []
    for name, higher in zip(
        (mapping.metric, mapping.selects or mapping.metric), settled_directions(mapping), strict=True
    ):
        told = quantity_of(name, mapping)
        is_share = told.is_share and told.higher_is_better == higher
        values = numbers(rows, name)
        if is_share and not (named_metric(name).quantity and higher):
            is_share = not _out_of_range(values, scored).any()
        elif is_share and mapping.percent is not False:
            _check_range(name, values, scored)
        column = _Column(
            name=name, higher_is_better=higher, is_share=is_share, values=_finite(values[scored])
        )
        found.append(column)
    return found[0], found[1]


def _out_of_range(values: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Rows `(N,)` with a finite score that is neither a share nor a percent."""
    return scored & ((values < -_ROUNDING) | (values > 100 * (1 + _ROUNDING))) & np.isfinite(values)


def _check_range(name: str, values: np.ndarray, scored: np.ndarray) -> None:
    bad = _out_of_range(values, scored)
    if bad.any():
        at = int(bad.argmax())
        raise ValueError(
            f"{name}: got {values[at]:g} in row {at + 1}; allowed are shares in [0, 1] or percents in [0, 100]. "
            "Mark failed trials in a column of statuses, or add --no-percent if it is another quantity"
        )


def _selecting_scale(reported: _Column, selecting: _Column, mapping: TableMapping) -> float:
    """The factor that brings the selecting column to the unit of the reported one: 1, 100 or 1/100."""
    if not len(reported.values) or not len(selecting.values):
        return 1.0
    tops = (float(reported.values.max()), float(selecting.values.max()))
    middles = (float(np.median(reported.values)), float(np.median(selecting.values)))
    for smaller, larger, scale in ((1, 0, 100.0), (0, 1, 0.01)):
        if tops[smaller] > 1 + _ROUNDING or tops[larger] <= 1 + _ROUNDING:
            continue
        if middles[larger] <= _PERCENT_RATIO * middles[smaller]:
            continue
        if smaller == 0 and mapping.percent:
            raise ValueError(
                f"{reported.name}: got values up to {tops[0]:g} beside up to {tops[1]:g} in {selecting.name}; "
                "--percent needs both in percent"
            )
        return scale
    return 1.0


def _with_unit(plain: Metric, columns: Sequence[_Column], mapping: TableMapping) -> Metric:
    """The metric with its unit and bounds, from all columns on its scale, the reported one first."""
    reported, both = columns[0], np.concatenate([each.values for each in columns])
    low, high = (both.min(), both.max()) if len(both) else (0.0, 1.0)
    if mapping.percent:
        if low < -_ROUNDING or high > 100 * (1 + _ROUNDING):
            bad = low if low < 0 else high
            at = next(each.name for each in columns if (each.values == bad).any())
            raise ValueError(f"{at}: got {bad:g}; --percent allows values in [0, 100]")
        return _bounded(plain, 100.0, mapping)
    if not reported.is_share or (mapping.percent is False and not -_ROUNDING <= low <= high <= 1 + _ROUNDING):
        return dataclasses.replace(plain, factor=1.0, unit="", difference_unit="units", digits=_digits(both))
    if high <= 1 + _ROUNDING:
        if mapping.percent is None and _PERCENT_NAME.search(plain.name):
            raise ValueError(
                f"{plain.name}: the name says percent, but no value is above 1; add --percent or --no-percent"
            )
        return _bounded(plain, 1.0, mapping)
    _check_percent(columns, high)
    return _bounded(plain, 100.0, mapping)


def _bounded(plain: Metric, top: float, mapping: TableMapping) -> Metric:
    """The metric as shares of 1 or as percents. A value of a trial beyond the bounds is a rounding error."""
    worst = plain.worst if mapping.worst is not None else min(max(plain.worst, 0.0), top)
    return dataclasses.replace(plain, worst=worst, bounds=(0.0, top), factor=100.0 / top)


def _check_percent(columns: Sequence[_Column], high: float) -> None:
    """Raises `ValueError` where values above 1 may also be shares with an error, or where both units may occur.

    The message names the columns that have such values; `high` is the largest of all.
    """
    if high <= _DOUBTFUL:
        beyond = next(each for each in columns if (each.values > 1 + _ROUNDING).any())
        low, top = beyond.values.min(), beyond.values.max()
        raise ValueError(
            f"{beyond.name}: values from {low:.4g} to {top:.4g} may be percents or shares of 1 with an error; "
            "add --percent or --no-percent"
        )
    values = np.concatenate([each.values for each in columns])
    shares = int(((values > 0) & (values < 1)).sum())
    if shares:
        within = [each.name for each in columns if ((each.values > 0) & (each.values < 1)).any()]
        top = next(each.name for each in columns if (each.values == high).any())
        others = "others reach" if within == [top] else f"those of {top} reach"
        raise ValueError(
            f"{listing(within)}: {shares} of {len(values)} values lie between 0 and 1, {others} {high:.4g}; bring "
            "all to one unit, or add --percent if all are in percent"
        )


def _unit_words(mapping: TableMapping, metric: Metric) -> str:
    if not metric.unit:
        hint = " (if it is in percent, add --percent)" if mapping.percent is None else ""
        return f"numbers without a unit{hint if metric.higher_is_better else ''}"
    how = "by its name and values" if mapping.percent is None else "as declared"
    return f"{'shares of 1' if metric.factor == 100.0 else 'percent'} ({how})"


def _better(higher: bool) -> str:
    return "higher" if higher else "lower"


def _check_worst(column: _Column, mapping: TableMapping) -> None:
    """Raises `ValueError` if a failed trial would count more than a finished one."""
    if mapping.worst is None or not len(column.values):
        return
    if mapping.worst > column.worst if column.higher_is_better else mapping.worst < column.worst:
        raise ValueError(
            f"worst: got {mapping.worst:g}, which is better than the worst finished trial, {column.worst:g}; a "
            "failure must not be better"
        )


def _worst(column: _Column, declared: float | None) -> float:
    if declared is not None:
        return declared
    if not len(column.values):
        return 0.0 if column.higher_is_better else 1.0
    return column.worst


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _digits(known: np.ndarray) -> int:
    """Decimals that show a thousandth of the values' spread."""
    spread = float(np.ptp(known)) if len(known) else 0.0
    return int(np.clip(3 - np.floor(np.log10(spread)), 0, 8)) if spread > 0 else 3
