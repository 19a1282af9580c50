"""How much tuning gains: how far default, random and worst-case scores lie below the tuned score, at one budget."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.cross_fitting import held_out_estimate, means_of_other_half
from analysis.statistics.scores.tolerance import known_cells

#: Share of the space that the worst case averages over.
TAIL = 0.10


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """The tuned score, and how far the others lie below it, paired by seed. A gap above 0 is a loss of score."""

    tuned: Estimate
    default: Estimate
    random: Estimate
    worst: Estimate
    budget: int | None  # number of configurations tried; None for the whole grid


def tuning_gaps(
    test: np.ndarray,
    validation: np.ndarray,
    weights: np.ndarray,
    default: int | None,
    *,
    budget: int | None = None,
    tail: float = TAIL,
    bounds: tuple[float, float] = (0.0, 1.0),
    note: str = "",
) -> Gaps:
    """Gaps between the tuned cell and the default cell, a random configuration and the worst `tail` of the space.

    Each score is `sum_c p_cs test_cs` of `(C, S)`, with p from validation on the half of the seeds without s. The
    chances p are: for the tuned score, all on the best cell, or with a `budget` the distribution of the best of
    `budget` configurations that are drawn under the measure; for random, the measure itself (the expected score of
    one configuration); for the worst case, the measure within its lowest `tail` (CVaR, Acerbi and Tasche 2002). So no
    seed both chooses and scores, and all gaps are paired. Intervals are as in `cross_fitting.held_out_estimate` and
    need two seeds. A seed without a needed trial is left out.

    Raises `ValueError` for a budget below 1.
    """
    if budget is not None and budget < 1:
        raise ValueError(f"budget: got {budget}; at least one configuration is needed")
    by_place = _ordered(validation, weights)
    measure = np.broadcast_to(_shares(test, weights)[:, None], test.shape)
    tuned, span = _mixed(test, _best_of(by_place, budget)), bounds[1] - bounds[0]
    at_default = np.nan if default is None else test[default]

    def gap(score: np.ndarray | float) -> Estimate:
        return held_out_estimate(tuned - score, bounds=(-span, span), note=note)

    return Gaps(
        tuned=held_out_estimate(tuned, bounds=bounds, note=note),
        default=gap(at_default),
        random=gap(_mixed(test, measure)),
        worst=gap(_mixed(test, _lowest(by_place, tail))),
        budget=budget,
    )


def _shares(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The measure `(C,)`, restricted to the cells with a known score and scaled to sum 1."""
    known, shares = known_cells(scores, weights)
    spread = np.zeros(len(weights))
    spread[known] = shares
    return spread


def _ordered(validation: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each held-out seed, all `(C, S)`: cells from worst to best, their shares, and the cumulative shares."""
    mean, count = means_of_other_half(validation)
    known = (count == count.max(axis=0, keepdims=True, initial=1)) & (weights > 0)[:, None]
    # among equal cells the first comes last, as the best one: `cross_fitting.held_out_cells` takes it too
    backwards = np.broadcast_to(-np.arange(len(mean))[:, None], mean.shape)
    order = np.lexsort((backwards, np.where(known, mean, -np.inf)), axis=0)
    shares = np.take_along_axis(np.where(known, weights[:, None], 0.0), order, axis=0)
    total = shares.sum(axis=0, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return order, shares, np.cumsum(shares, axis=0)


def _best_of(ordered: tuple[np.ndarray, np.ndarray, np.ndarray], budget: int | None) -> np.ndarray:
    """Chance `(C, S)` of each cell to be the best of `budget` drawn cells, `F(c)^n - F(c-)^n`."""
    order, shares, up_to = ordered
    if budget is None:
        chances = np.zeros_like(shares)
        if len(chances):
            chances[-1] = shares[-1] > 0
    else:
        chances = np.clip(up_to, 0.0, 1.0) ** budget - np.clip(up_to - shares, 0.0, 1.0) ** budget
    return _placed(order, chances)


def _lowest(ordered: tuple[np.ndarray, np.ndarray, np.ndarray], tail: float) -> np.ndarray:
    order, shares, up_to = ordered
    taken = np.clip(tail - (up_to - shares), 0.0, shares)
    return _placed(order, taken / tail)


def _placed(order: np.ndarray, values: np.ndarray) -> np.ndarray:
    placed = np.zeros_like(values)
    np.put_along_axis(placed, order, values, axis=0)
    return placed


def _mixed(test: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """`sum_c p_cs test_cs`, `(S,)`; NaN where nothing was chosen or a needed trial is missing."""
    mixed = np.where(chances > 0, test, 0.0) * chances
    return np.where(chances.sum(axis=0) > 0, mixed.sum(axis=0), np.nan)
