"""How much tuning gains: how far default, random and worst-case scores lie below the tuned score, at one budget."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import (
    TAIL,
    average_pairs,
    best_of_chances,
    choice_chances,
    scored,
    worst_pairs,
)
from analysis.statistics.scores.tolerance import known_cells


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
    step: float = 0.0,
    note: str = "",
) -> Gaps:
    """Gaps between the tuned cell and the default cell, a random configuration and the worst `tail` of the space.

    Each score is `sum_c p_cr test_cs` of `(C, S)` and the measure `weights` `(C,)`, with p from the validation of
    another seed r. The chances p are: for the tuned score, all on the best cell, or with a `budget` the distribution
    of the best of `budget` configurations that are drawn under the measure; for random, the measure itself (the
    expected score of one configuration); for the worst case, the measure within its lowest `tail`. All gaps are
    paired by seeds. Estimates and intervals are means over ordered pairs of seeds (`intervals.pairs`).

    Raises `ValueError` for a budget below 1.
    """
    if budget is not None and budget < 1:
        raise ValueError(f"budget: got {budget}; at least one configuration is needed")
    chances = choice_chances(np.where((weights > 0)[:, None], validation, np.nan))
    if budget is not None:
        chances = best_of_chances(validation, weights, budget)
    tuned, span = scored(test, chances, whole=budget is not None), bounds[1] - bounds[0]
    at_default = (
        np.full_like(tuned, np.nan) if default is None else average_pairs(test[[default]], np.ones(1))
    )

    def gap(score: np.ndarray) -> Estimate:
        return pair_estimate(tuned - score, bounds=(-span, span), step=step, note=note)

    return Gaps(
        tuned=pair_estimate(tuned, bounds=bounds, step=step, note=note),
        default=gap(at_default),
        random=gap(average_pairs(test, _shares(test, weights))),
        worst=gap(worst_pairs(test, validation, weights, tail=tail)),
        budget=budget,
    )


def _shares(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The measure `(C,)`, restricted to the cells with a known score and scaled to sum 1."""
    known, shares = known_cells(scores, weights)
    spread = np.zeros(len(weights))
    spread[known] = shares
    return spread
