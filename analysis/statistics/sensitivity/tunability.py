"""What tuning each hyperparameter gains, exactly on a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import SAME, choice_chances, scored


@dataclass(frozen=True, kw_only=True)
class AxisTunability:
    """One hyperparameter, with the others at their defaults."""

    axis: int
    gain: Estimate  # of its best value above the default


@dataclass(frozen=True, kw_only=True)
class Tunability:
    """Every hyperparameter of a grid, and all together."""

    axes: tuple[AxisTunability, ...]
    gain: Estimate  # of the best configuration above the default one


def tunability(
    test: np.ndarray,
    validation: np.ndarray,
    default: Sequence[int],
    *,
    span: float = 1.0,
    step: float = 0.0,
    note: str = "",
) -> Tunability:
    """Gains on a grid `(A1, ..., Ak, S)` around the cell `default`, one index on each axis.

    With m the mean over seeds, d the default and d[j = v] the default but for axis j:
    gain_j = `max_v m(d[j = v]) - m(d)`, the tunability of one hyperparameter, and `max_c m(c) - m(d)`, that of all
    (Probst, Boulesteix and Bischl 2019, "Tunability", JMLR 20(53), their d_i and d, with scores in place of risks).

    Validation of one seed picks maxima, and another seed scores them. So the gain of a hyperparameter without effect
    is 0 on average, where the plain maximum is above 0, and a gain may be negative. Estimates and intervals are means
    over ordered pairs of seeds (`intervals.pairs`). `span` is the width of the outcome's bounds.

    Raises `ValueError` for a default outside of the grid.
    """
    shape, seeds = test.shape[:-1], test.shape[-1]
    if len(default) != len(shape) or any(not 0 <= at < size for at, size in zip(default, shape, strict=True)):
        raise ValueError(f"default: got {tuple(default)}; one index an axis of the grid {shape} is needed")
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    flat, at_default = test.reshape(-1, seeds), np.zeros((numbers.size, seeds))
    at_default[numbers[tuple(default)]] = 1.0

    def picked(part: tuple[int | slice, ...]) -> np.ndarray:
        """Chance `(C, S)` of each cell, of those in `part`, to be picked by each seed."""
        chances = np.zeros((numbers.size, seeds))
        chances[numbers[part].ravel()] = choice_chances(validation[part].reshape(-1, seeds))
        return chances

    def gain(chances: np.ndarray) -> Estimate:
        same = SAME if seeds > 1 and np.array_equal(chances, at_default) else ""
        difference = scored(flat, chances) - scored(flat, at_default)
        return pair_estimate(difference, bounds=(-span, span), step=step, note=note or same)

    def of_axis(axis: int) -> AxisTunability:
        line = tuple(slice(None) if k == axis else at for k, at in enumerate(default))
        return AxisTunability(axis=axis, gain=gain(picked(line)))

    return Tunability(
        axes=tuple(of_axis(axis) for axis in range(len(shape))),
        gain=gain(picked((slice(None),) * len(shape))),
    )
