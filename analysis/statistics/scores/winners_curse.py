"""How much the best score is too high when the same seeds choose and report it."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.cross_fitting import SAME, held_out_cells, held_out_estimate
from analysis.statistics.scores.selection import NONE, best_cell, scored_at


@dataclass(frozen=True, kw_only=True)
class WinnersCurse:
    """The best score, once chosen and reported on the same seeds and once on different seeds."""

    naive: float
    split: Estimate
    optimism: Estimate  # naive minus split


def winners_curse(
    scores: np.ndarray,
    validation: np.ndarray | None = None,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    note: str = "",
) -> WinnersCurse:
    """Optimism of the naive best score over the split estimate, of `(C, S)`.

    `naive = max_c mean_s test[c, s]` is the best mean in the scores that are reported. `split = mean_s test[c_s, s]`,
    with `c_s` the best by validation on the half of the seeds without s (without `validation`, by the test scores).
    It is unbiased for tuning on half of the seeds. Their difference has two parts: the luck of the naive winner, and
    the cost of choosing on fewer seeds. It is a mean over seeds of `test[c, s] - test[c_s, s]`, over the seeds with
    both. Intervals are as in `cross_fitting.held_out_estimate` and need two seeds. Cawley and Talbot (2010), "On
    over-fitting in model selection".
    """
    chosen = held_out_cells(scores if validation is None else validation)
    held_out = scored_at(scores, chosen)
    best = best_cell(scores)
    if best == NONE:
        nothing = held_out_estimate(held_out, note=note or "no trials")
        return WinnersCurse(naive=float("nan"), split=nothing, optimism=nothing)
    span = bounds[1] - bounds[0]
    own = scores[best]
    picked = chosen[chosen != NONE]
    same = SAME if len(picked) and np.all(picked == best) else ""
    return WinnersCurse(
        naive=float(own[np.isfinite(own)].mean()),
        split=held_out_estimate(held_out, bounds=bounds, note=note),
        optimism=held_out_estimate(own - held_out, bounds=(-span, span), note=note or same),
    )
