"""How a headline score changes with the range or the measure of one hyperparameter.

Temperature and kernel scale are not commensurate, so the limits of a loss's range are a choice. A score that depends
on this choice says little about the loss.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.model.weights import EACH, LINEAR, LOG, axis_weights

#: A window that keeps less than this part of a value's share has kept only rounding error.
_SLIVER = 0.01

#: Computes a score from cells `(C, S)` and shares `(C,)`.
Headline = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The score under another range or measure."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class RangeStability:
    """One headline score under all variants of one axis."""

    declared: float
    variants: tuple[Variant, ...]
    lowest: float  # over the declared range and all variants
    highest: float

    @property
    def spread(self) -> float:
        """Largest value less smallest value."""
        return self.highest - self.lowest


def range_stability(
    headline: Headline,
    scores: np.ndarray,
    weights: Sequence[np.ndarray],
    axis: int,
    variants: Mapping[str, np.ndarray],
) -> RangeStability:
    """`headline` on a grid `(A1, ..., Ak, S)`, with the measure of one axis replaced by each of the `variants`.

    A variant is shares `(A,)` of the axis' values, as `range_variants` returns them. `headline` gets only the cells
    of nonzero share. The spread is a range over choices and not over chance, so it has no interval.
    """

    def score(grid: np.ndarray, shares: np.ndarray) -> float:
        measure = np.ones(())
        for place, own in enumerate(weights):
            measure = np.multiply.outer(measure, shares if place == axis else own)
        flat = measure.ravel()
        used = flat > 0
        cells = grid.reshape(len(flat), -1)[used]
        return float(headline(cells, flat[used] / flat[used].sum()))

    declared = score(scores, weights[axis])
    found = [Variant(name=name, value=score(scores, shares)) for name, shares in variants.items()]
    known = [value for value in (declared, *(variant.value for variant in found)) if np.isfinite(value)]
    return RangeStability(
        declared=declared,
        variants=tuple(found),
        lowest=min(known, default=float("nan")),
        highest=max(known, default=float("nan")),
    )


def range_variants(values: np.ndarray, measure: str = LOG) -> dict[str, np.ndarray]:
    """Shares `(A,)` of an axis' increasing values with its range halved, shifted by a grid step or re-weighted.

    Halves are the lower, middle and upper half of the range. Shifts are the range shortened by one (the widest) step
    at its upper and at its lower end. These two ranges are one step apart; a real shift is not possible, because
    nothing is known outside of the grid. Measures are uniform in the logarithm, uniform in the value and one share
    for each value, without the declared one. Ranges are cut in the scale of the declared measure, where each value
    has the width half-way to its neighbours. A value at a cut keeps the part of its share inside. Empty for an axis
    of fewer than two values.
    """
    if len(values) < 2:
        return {}
    shares = axis_weights(values, measure)
    ends = np.concatenate([[0.0], np.cumsum(shares)])
    step = 1.0 / len(values) if measure == EACH else float(shares.max())
    windows = {
        "lower half": (0.0, 0.5),
        "middle half": (0.25, 0.75),
        "upper half": (0.5, 1.0),
        "one step lower": (0.0, 1.0 - step),
        "one step higher": (step, 1.0),
    }
    found = {name: _within(ends, low, high) for name, (low, high) in windows.items()}
    for other in (LOG, LINEAR, EACH):
        reweighted = axis_weights(values, other)
        if not np.allclose(reweighted, shares):
            found[f"measure {other}"] = reweighted
    return found


def _within(ends: np.ndarray, low: float, high: float) -> np.ndarray:
    """Shares of the pieces between `ends` `(A + 1,)` inside a window, with sum 1.

    A very small part of a piece is left out. Written values are rounded, so a cut half-way between two values may
    leave a trace of the one outside, whose score could then count as the best of the window.
    """
    overlap = np.clip(np.minimum(ends[1:], high) - np.maximum(ends[:-1], low), 0.0, None)
    overlap = np.where(overlap > _SLIVER * np.diff(ends), overlap, 0.0)
    return overlap / overlap.sum()
