"""The measure over hyperparameters that robustness scores integrate over, named for each axis.

By default it is uniform in the axis' logarithm. A grid value's share is the log-width it stands for: half the way
to each neighbour, an end value reaching as far out as in (midpoint rule). On a grid of equal log-steps this is the
plain mean over grid cells; any other grid is not over-counted where its points crowd. A study may name another
measure: `linear`, uniform in the value, or `each`, one share a value.
"""

import numpy as np

from analysis.surface import Surface

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


def cell_weights(surface: Surface, measures: tuple[str, str] = (LOG, LOG)) -> np.ndarray:
    """Shares `(X, Y)` of a surface's cells, summing to 1; a cell that no seed planned has none."""
    shares = [axis_weights(*pair) for pair in zip((surface.x, surface.y), measures, strict=True)]
    weights = np.outer(*shares) * surface.planned.any(axis=-1)
    return weights / weights.sum() if weights.sum() > 0 else weights


def log_width(values: np.ndarray) -> float:
    """Log of the factor that an axis spans; the plain range where not all values are positive."""
    return float(np.ptp(np.log(values) if np.all(values > 0) else values))
