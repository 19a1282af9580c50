"""The regret of using a configuration that was tuned elsewhere: on another data set, loss or budget."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import choice_chances, first_chosen, scored


@dataclass(frozen=True, kw_only=True)
class TransferRegret:
    """Regret at B (columns) of what was tuned at A (rows)."""

    value: np.ndarray  # (A, B)
    low: np.ndarray  # (A, B), NaN where there is no interval
    high: np.ndarray  # (A, B)
    cells: np.ndarray  # (A, S): the first cell that each seed selects at A; -1 where it selects none
    mean: Estimate  # over all pairs of different A and B
    seeds: int


def transfer_regret(
    test: np.ndarray,
    validation: np.ndarray,
    *,
    target_validation: np.ndarray | None = None,
    span: float = 1.0,
    step: float = 0.0,
    note: str = "",
) -> TransferRegret:
    """`R[A, B] = m_B(c_B) - m_B(c_A)`, c the cell tuned at A or B, of `(E, C, S)` with the same cells in all E.

    Validation of one seed picks c, and the test scores of another seed score it, at A and at B. So the winner's luck
    at B does not inflate a regret, and a regret may be below 0. The diagonal is 0 by definition. With
    `target_validation` the B side is another study of the same cells (a longer budget, another loss), and `test`
    holds its scores. Estimates and intervals are means over ordered pairs of seeds (`intervals.pairs`). They hold
    for the expected regret over choices by one seed. Those of `low` and `high` are not corrected for the number of
    pairs (A, B).

    Raises `ValueError` where the shapes of the arrays do not fit.
    """
    target = validation if target_validation is None else target_validation
    if target.shape != test.shape or validation.shape[1:] != test.shape[1:]:
        raise ValueError(
            f"validation: got the shape {validation.shape}; {test.shape}, that of test, is needed"
        )
    chances = choice_chances(validation)
    used = scored(test[None], chances[:, None])  # (A, B, S, S)
    regret = scored(test, choice_chances(target))[None] - used
    size = regret.shape[:2]
    estimates = [
        [pair_estimate(regret[a, b], bounds=(-span, span), step=step) for b in range(size[1])]
        for a in range(size[0])
    ]
    apart = np.eye(*size) == 0 if target_validation is None else np.ones(size, dtype=bool)
    overall = regret[apart].mean(axis=0) if apart.any() else np.full((test.shape[-1],) * 2, np.nan)
    lacking = note or ("" if apart.any() else "nothing to transfer between")
    return TransferRegret(
        value=_table(estimates, "value", size),
        low=_table(estimates, "low", size),
        high=_table(estimates, "high", size),
        cells=first_chosen(chances),
        mean=pair_estimate(overall, bounds=(-span, span), step=step, note=lacking),
        seeds=int(np.isfinite(test).any(axis=(0, 1)).sum()) if test.size else 0,
    )


def _table(estimates: list[list[Estimate]], name: str, size: tuple[int, int]) -> np.ndarray:
    return np.array([[getattr(item, name) for item in row] for row in estimates], dtype=float).reshape(size)
