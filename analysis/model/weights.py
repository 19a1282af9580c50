"""The measure over hyperparameters that robustness scores integrate over, chosen by name for each axis.

By default it is uniform in the logarithm of the axis. The share of a grid value is its log-width: half the distance
to each neighbour, and at an end value the same width outwards as inwards (midpoint rule). On a grid with equal
log-steps this is the plain mean over grid cells. On any other grid, regions with dense points are not over-counted. A
study may name another measure: `linear`, uniform in the value, or `each`, one share for each value.
"""

import numpy as np

#: Names of measures in study files.
LOG, LINEAR, EACH = "log", "linear", "each"


def axis_weights(values: np.ndarray, measure: str = LOG) -> np.ndarray:
    """Shares `(X,)` of an axis' increasing values `(X,)`, with sum 1; `log` is linear unless all are positive."""
    if len(values) < 2 or measure == EACH:
        return np.full(len(values), 1 / max(1, len(values)))
    in_logs = measure == LOG and np.all(values > 0)
    position = np.log(values) if in_logs else np.asarray(values, dtype=float)
    gaps = np.diff(position)
    widths = np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])
    return widths / widths.sum()


def density_ratio(values: np.ndarray, measure: str, drawn: str = "") -> np.ndarray:
    """Weights `(X,)` of an axis' values under `measure`, where they were `drawn` by another measure.

    The weights are ratios of densities up to a factor. The density is 1 over the value for a log-uniform
    distribution, and constant for a uniform one. Values `drawn` with equal chances from a list ("each") get their
    shares of the list. All weights are 1 where the two measures are the same.
    """
    if drawn in ("", measure) or measure == EACH:
        return np.ones(len(values))
    if drawn == EACH:
        return len(values) * axis_weights(values, measure)
    return values if measure == LINEAR else 1 / values


def log_width(values: np.ndarray) -> float:
    """Log of the factor that an axis spans.

    Where not all values are positive, the plain range; for categories, their number.
    """
    if values.dtype.kind not in "iuf":
        return float(len(values))
    return float(np.ptp(np.log(values) if np.all(values > 0) else values))
