"""How the score changes with batch size."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate, student_estimate
from analysis.statistics.scores.pairs_of_seeds import choice_chances, scored


@dataclass(frozen=True, kw_only=True)
class BatchElasticity:
    """Change of the score for each doubling of the batch."""

    fixed: Estimate  # the main axis at one value
    retuned: Estimate  # the main axis tuned again at each batch size


def batch_elasticity(
    test: np.ndarray,
    validation: np.ndarray,
    batch_sizes: np.ndarray,
    fixed: int | None = None,
    *,
    note: str = "",
) -> BatchElasticity:
    """Least-squares slope of the score over `log2(batch size)`, on `(X, Y, S)`: batch size, main axis, seed.

    `sum_x (l_x - l) s_x / sum_x (l_x - l)^2` with `l_x = log2 batch`. For `fixed`, `s_x` is the score at the
    main-axis index `fixed`, and the interval is Student's over seeds. Where `fixed` is None, the index is the one of
    the best cell of the grid by the validation of another seed. For `retuned`, `s_x` is the test score of the
    main-axis value that is best at x by the validation of another seed. Both are means over ordered pairs of seeds
    (`intervals.pairs`). NaN with a note for fewer than two batch sizes.
    """
    slope = slope_weights(np.log2(batch_sizes))
    if slope is None:
        nothing = Estimate(value=float("nan"), note=note or "one batch size")
        return BatchElasticity(fixed=nothing, retuned=nothing)
    retuned = scored(test, choice_chances(validation))  # (X, S, S)
    return BatchElasticity(
        fixed=_slope_at_tuned(test, validation, slope, note)
        if fixed is None
        else student_estimate(slope @ test[:, fixed, :], note=note, empty="no complete seed"),
        retuned=pair_estimate(np.einsum("x,xrs->rs", slope, retuned), note=note),
    )


def _slope_at_tuned(test: np.ndarray, validation: np.ndarray, slope: np.ndarray, note: str) -> Estimate:
    """The slope at the main-axis value of the cell that another seed selects."""
    chances = choice_chances(validation.reshape(-1, test.shape[-1])).reshape(test.shape).sum(axis=0)  # (Y, S)
    return pair_estimate(scored(np.einsum("x,xys->ys", slope, test), chances), note=note)


def slope_weights(positions: np.ndarray) -> np.ndarray | None:
    """Weights `(X,)`: their product with values is the least-squares slope. None where all positions are equal."""
    centred = positions - positions.mean()
    square = (centred**2).sum()
    return centred / square if square > 0 else None
