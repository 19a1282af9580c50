"""The metric of a results table: its bounds, its worst value, and the tolerance."""

import dataclasses

import numpy as np
import pandas as pd

from analysis.metric import Metric
from analysis.names import spaced
from analysis.results.mapping import TableMapping


def table_metric(rows: pd.DataFrame, mapping: TableMapping) -> Metric:
    """The metric with its bounds. Shares of 1 and percents are accuracies; other metrics have no bounds.

    A failed trial counts as the worst finite value of the reported column, unless the mapping declares another value.
    """
    reported = _finite(numbers(rows, mapping.metric))
    both = np.concatenate([reported, _finite(numbers(rows, mapping.selects or mapping.metric))])
    low, high = (both.min(), both.max()) if len(both) else (0.0, 1.0)
    plain = Metric(
        name=mapping.metric,
        label=spaced(mapping.metric),
        selects=mapping.selects or mapping.metric,
        reports=mapping.metric,
        worst=_worst(reported, mapping),
        bounds=(-np.inf, np.inf),
        higher_is_better=mapping.higher_is_better,
    )
    if mapping.percent:
        return dataclasses.replace(plain, bounds=(0.0, 100.0), factor=1.0)
    if mapping.percent is None and low >= 0 and high <= 1 and mapping.higher_is_better:
        return dataclasses.replace(plain, bounds=(0.0, 1.0))
    return dataclasses.replace(plain, factor=1.0, unit="", difference_unit="units", digits=_digits(both))


def table_tolerance(mapping: TableMapping, metric: Metric, rows: pd.DataFrame) -> float:
    """The declared tolerance. Default: two points of an accuracy, a fiftieth of the spread of another metric."""
    if mapping.tolerance is not None:
        return mapping.tolerance
    if np.isfinite(metric.span):
        return 0.02 * metric.span
    known = _finite(numbers(rows, mapping.metric))
    return float(f"{0.02 * np.ptp(known):.1g}") if len(known) else 0.0


def percent_hint(rows: pd.DataFrame, metric: Metric) -> str:
    """A line on a metric that may be in percent although the mapping does not say so; otherwise empty."""
    known = _finite(numbers(rows, metric.reporting_column))
    if np.isfinite(metric.span) or not metric.higher_is_better or not len(known):
        return ""
    if known.min() < 0 or not 1 < known.max() <= 100:
        return ""
    return (
        f"{metric.name}: values from {known.min():.4g} to {known.max():.4g} are taken as numbers without a unit; "
        "if they are in percent, say --percent"
    )


def numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers `(N,)`, NaN for empty cells. Raises `ValueError` with a value that is not a number."""
    try:
        return pd.to_numeric(rows[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        bad = next(value for value in rows[column] if not _is_number(value))
        raise ValueError(f"{column}: got {bad!r}; a metric is made of numbers") from None


def _worst(reported: np.ndarray, mapping: TableMapping) -> float:
    if mapping.worst is not None:
        return mapping.worst
    if not len(reported):
        return 0.0 if mapping.higher_is_better else 1.0
    return float(reported.min() if mapping.higher_is_better else reported.max())


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return True


def _digits(known: np.ndarray) -> int:
    """Decimals that show a thousandth of the values' spread."""
    spread = float(np.ptp(known)) if len(known) else 0.0
    return int(np.clip(3 - np.floor(np.log10(spread)), 0, 8)) if spread > 0 else 3
