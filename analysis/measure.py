"""The measure over hyperparameters that robustness scores integrate over: uniform in the axes' logarithms.

A grid value's share is the log-width it stands for: half the way to each neighbour, an end value reaching as
far out as in (midpoint rule). On a grid of equal log-steps this is the plain mean over grid cells; any other
grid is not over-counted where its points crowd.
"""

import numpy as np

from analysis.surface import Surface


def axis_weights(values: np.ndarray) -> np.ndarray:
    """Shares `(X,)` of an axis' increasing values `(X,)`, summing to 1; linear when not all are positive."""
    if len(values) < 2:
        return np.ones(len(values))
    position = np.log(values) if np.all(values > 0) else np.asarray(values, dtype=float)
    gaps = np.diff(position)
    widths = np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])
    return widths / widths.sum()


def cell_weights(surface: Surface) -> np.ndarray:
    """Shares `(X, Y)` of a surface's cells, summing to 1; a cell that no seed planned has none."""
    weights = np.outer(axis_weights(surface.x), axis_weights(surface.y)) * surface.planned.any(axis=-1)
    return weights / weights.sum() if weights.sum() > 0 else weights


def log_width(values: np.ndarray) -> float:
    """Log of the factor that an axis spans; the plain range where not all values are positive."""
    return float(np.ptp(np.log(values) if np.all(values > 0) else values))
