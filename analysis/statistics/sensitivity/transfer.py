"""The regret of using a configuration that was tuned elsewhere: on another data set, loss or budget."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.cross_fitting import held_out_cells, held_out_estimate


@dataclass(frozen=True, kw_only=True)
class TransferRegret:
    """Regret at B (columns) of what was tuned at A (rows)."""

    value: np.ndarray  # (A, B)
    low: np.ndarray  # (A, B), NaN where there is no interval
    high: np.ndarray  # (A, B)
    cells: np.ndarray  # (A, S): the cell that the other half of the seeds chooses at A
    mean: Estimate  # over all pairs of different A and B
    largest: Estimate  # of all those pairs; the interval is corrected for their number
    largest_at: tuple[int, int] | None  # that pair; None where no regret is known
    seeds: int


def transfer_regret(
    test: np.ndarray,
    validation: np.ndarray,
    *,
    target_validation: np.ndarray | None = None,
    span: float = 1.0,
    note: str = "",
) -> TransferRegret:
    """`R[A, B] = m_B(c_B) - m_B(c_A)`, c the cell tuned at A or B, of `(E, C, S)` with the same cells in all E.

    Validation on one half of the seeds picks c, and the test scores of the other half score it, at A and at B. So the
    winner's luck at B does not inflate a regret, and a regret may be below 0. The diagonal is 0 by definition. With
    `target_validation` the B side is another study of the same cells (a longer budget, another loss), and `test`
    holds its scores. Intervals are as in `cross_fitting.held_out_estimate`, paired by seed, and need two seeds. Those
    of `low` and `high` are not corrected for the number of pairs. The `largest` regret is picked for its size among K
    pairs, so its interval has the level `1 - (1 - level) / K` (Bonferroni). All intervals are for the configurations
    chosen here. For the expected regret over other choices their coverage is lower (60 to 93 % in simulated studies).

    Raises `ValueError` where the shapes of the arrays do not fit.
    """
    target = validation if target_validation is None else target_validation
    if target.shape != test.shape or validation.shape[1:] != test.shape[1:]:
        raise ValueError(
            f"validation: got the shape {validation.shape}; {test.shape}, that of test, is needed"
        )
    chosen, own = held_out_cells(validation), held_out_cells(target)
    used = _scored_everywhere(test, chosen)  # (A, B, S)
    at_home = _scored_everywhere(test, own)[np.arange(len(test)), np.arange(len(test))]  # (B, S)
    regret = at_home[None] - used
    size = regret.shape[:2]
    estimates = [
        [held_out_estimate(regret[a, b], bounds=(-span, span)) for b in range(size[1])]
        for a in range(size[0])
    ]
    apart = np.eye(*size) == 0 if target_validation is None else np.ones(size, dtype=bool)
    largest, largest_at = _largest(
        regret, np.where(apart, _table(estimates, "value", size), np.nan), span, note
    )
    overall = regret[apart].mean(axis=0) if apart.any() else np.full(test.shape[-1], np.nan)
    lacking = note or ("" if apart.any() else "nothing to transfer between")
    return TransferRegret(
        value=_table(estimates, "value", size),
        low=_table(estimates, "low", size),
        high=_table(estimates, "high", size),
        cells=chosen,
        mean=held_out_estimate(overall, bounds=(-span, span), note=lacking),
        largest=largest,
        largest_at=largest_at,
        seeds=int(np.isfinite(test).any(axis=(0, 1)).sum()) if test.size else 0,
    )


def _largest(
    regret: np.ndarray, value: np.ndarray, span: float, note: str
) -> tuple[Estimate, tuple[int, int] | None]:
    """The largest of the values `(A, B)` as an estimate from its regrets `(A, B, S)`, and its place.

    `value` is NaN where A and B are no pair.
    """
    known = np.isfinite(value)
    if not known.any():
        return Estimate(value=float("nan"), note=note or "no trials"), None
    a, b = (int(at) for at in np.unravel_index(int(np.nanargmax(value)), value.shape))
    level = 1 - (1 - LEVEL) / int(known.sum())
    return held_out_estimate(regret[a, b], level=level, bounds=(-span, span), note=note), (a, b)


def _scored_everywhere(test: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Scores `(A, B, S)` at each B of the cells `(A, S)`; NaN where no cell was chosen."""
    if not test.shape[1]:
        return np.full((len(cells), len(test), test.shape[-1]), np.nan)
    taken = test[:, np.maximum(cells, 0), np.arange(test.shape[-1])]  # (B, A, S)
    return np.where(cells[:, None, :] < 0, np.nan, np.swapaxes(taken, 0, 1))


def _table(estimates: list[list[Estimate]], name: str, size: tuple[int, int]) -> np.ndarray:
    return np.array([[getattr(item, name) for item in row] for row in estimates], dtype=float).reshape(size)
