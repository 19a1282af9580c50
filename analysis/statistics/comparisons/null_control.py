"""Null controls: how far the scores of two arms differ that are the same method to the optimiser.

Only rounding separates them, amplified by training. Their distance is therefore a floor: smaller differences between
other arms mean nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.comparisons.compare import paired_p
from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread, student_estimate
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness

NO_DIFFERENCE, DIFFERENT, NOT_COMPARABLE = "no difference", "different", "not comparable"


@dataclass(frozen=True, kw_only=True)
class NullControl:
    """Distance of two arms that should coincide, over the trials that both finished."""

    arms: tuple[str, str]
    trials: int  # pairs of trials of equal cell and seed that both finished
    identical: int  # of these, with equal scores
    one_failed: int  # pairs in which exactly one trial failed
    largest: float  # largest absolute difference of a pair of trials, NaN without pairs
    largest_cell: float  # largest absolute mean difference over seeds in a cell
    rms: float  # root mean square of the pairs' differences
    seed_noise: float  # sqrt(2) times the pooled deviation over seeds: the rms for unrelated seeds
    mean: Estimate  # difference of the means over the space, paired by seed
    p: float  # of that mean difference, paired t test
    verdict: str  # no difference | different | not comparable


def check_null_control(
    a: Cells,
    b: Cells,
    summaries: tuple[RobustnessSummary, RobustnessSummary],
    *,
    same_setting: bool = True,
    pairs: int = 1,
) -> NullControl:
    """Compares two arms of `(C, S)` trials trial by trial.

    If one arm has only some of the other's configurations, they are compared over these. Arms with other axes, places
    or seeds are "not comparable"; so are arms with other learning rates or fixed values, which `same_setting` states.
    Each of `pairs` controls is tested at the level divided by `pairs` (Bonferroni).
    """
    shared = _over_shared_places(a, b) if same_setting else None
    same = shared is not None
    if shared is not None and (shared[0] is not a or shared[1] is not b):
        a, b = shared
        summaries = (summarise_robustness(a, eps=0.0), summarise_robustness(b, eps=0.0))
    difference = a.finished_test - b.finished_test if same else np.full((1, 1), np.nan)
    one_failed = int((a.failed != b.failed).sum()) if same else 0
    known = difference[np.isfinite(difference)]
    by_seed = summaries[0].mean_by_seed - summaries[1].mean_by_seed if same else np.array([np.nan])
    widen = max(summary.mean_widen for summary in summaries)
    p = paired_p(by_seed, widen=widen)
    return NullControl(
        arms=(a.arm, b.arm),
        trials=len(known),
        identical=int((known == 0).sum()),
        one_failed=one_failed,
        largest=_largest(known),
        largest_cell=_largest(mean_and_spread(difference)[0]),
        rms=float(np.sqrt(np.mean(known**2))) if len(known) else math.nan,
        seed_noise=_seed_noise([a.finished_test, b.finished_test]),
        mean=student_estimate(
            by_seed, bounds=(-a.metric.span, a.metric.span), widen=widen, step=a.metric.step
        ),
        p=p,
        verdict=_verdict(len(known), p, (1 - LEVEL) / pairs),
    )


def _over_shared_places(a: Cells, b: Cells) -> tuple[Cells, Cells] | None:
    """Both arms over the places of the smaller one; None where the larger one lacks some, or axes or seeds differ."""
    if [axis.name for axis in a.axes] != [axis.name for axis in b.axes] or not np.array_equal(
        a.seeds, b.seeds
    ):
        return None
    places = [[tuple(cells.place(cell).values()) for cell in range(len(cells.codes))] for cells in (a, b)]
    small, large = sorted((0, 1), key=lambda index: len(places[index]))
    known = {place: cell for cell, place in enumerate(places[large])}
    if not set(places[small]) <= set(known):
        return None
    if len(places[small]) == len(known):
        return (a, b) if places[0] == places[1] else None
    arms = [a, b]
    like, chosen = arms[small], [known[place] for place in places[small]]
    arms[large] = replace(
        arms[large].on_cells(chosen), axes=like.axes, codes=like.codes, weights=like.weights
    )
    return arms[0], arms[1]


def _verdict(trials: int, p: float, alpha: float) -> str:
    if not trials:
        return NOT_COMPARABLE
    return DIFFERENT if p < alpha else NO_DIFFERENCE


def _largest(values: np.ndarray) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if len(known) else math.nan


def _seed_noise(values: Sequence[np.ndarray]) -> float:
    deviations = np.concatenate([mean_and_spread(array)[1].ravel() for array in values])
    known = deviations[np.isfinite(deviations)]
    return float(np.sqrt(2 * np.mean(known**2))) if len(known) else math.nan
