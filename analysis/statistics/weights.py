"""The measure over hyperparameters that robustness scores integrate over, named for each axis.

By default it is uniform in the axis' logarithm. A grid value's share is the log-width it stands for: half the way
to each neighbour, an end value reaching as far out as in (midpoint rule). On a grid of equal log-steps this is the
plain mean over grid cells; any other grid is not over-counted where its points crowd. A study may name another
measure: `linear`, uniform in the value, or `each`, one share a value.
"""

import numpy as np

#: Names of measures, as study files write them.
LOG, LINEAR, EACH = "log", "linear", "each"


def axis_weights(values: np.ndarray, measure: str = LOG) -> np.ndarray:
    """Shares `(X,)` of an axis' increasing values `(X,)`, summing to 1; `log` is linear unless all are positive."""
    if len(values) < 2 or measure == EACH:
        return np.full(len(values), 1 / max(1, len(values)))
    in_logs = measure == LOG and np.all(values > 0)
    position = np.log(values) if in_logs else np.asarray(values, dtype=float)
    gaps = np.diff(position)
    widths = np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])
    return widths / widths.sum()


def density_ratio(values: np.ndarray, measure: str, drawn: str = "") -> np.ndarray:
    """Weights `(X,)` of an axis' values under `measure` where they were `drawn` by another one.

    Ratios of densities up to a factor: 1 over the value is that of a log-uniform law, a constant that of a uniform
    one. Values `drawn` with equal chances from a list ("each") get their shares of the list. 1 where the two agree.
    """
    if drawn in ("", measure) or measure == EACH:
        return np.ones(len(values))
    if drawn == EACH:
        return len(values) * axis_weights(values, measure)
    return values if measure == LINEAR else 1 / values


def log_width(values: np.ndarray) -> float:
    """Log of the factor that an axis spans; the plain range where not all are positive, the number of categories."""
    if values.dtype.kind not in "iuf":
        return float(len(values))
    return float(np.ptp(np.log(values) if np.all(values > 0) else values))
