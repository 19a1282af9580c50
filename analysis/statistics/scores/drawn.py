"""Scores of drawn designs, such as random searches, with an error over configurations as well as over seeds."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.intervals.configurations import (
    FEW_CONFIGURATIONS,
    LEAST_CONFIGURATIONS,
    LEAST_SEEDS,
    crossed_difference,
    crossed_mean,
    nested_difference,
    nested_mean,
)
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.moments import BOTH, Moments, unpaired
from analysis.statistics.intervals.pairs import pseudo_values
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import PairScores, pair_scores
from analysis.statistics.scores.robustness import RobustnessSummary

#: Number of times that the drawn configurations are split in two halves.
_SPLITS = 48
_METHOD = "random halves of the configurations, and jackknife over pairs of seeds, conservative"
NO_WORST = "too few drawn configurations for an interval of the worst tenth"
ONE_SEED_EACH = "each configuration has one seed only"

#: Takes one matrix `(S, S)` of values by choosing and by scoring seed, such as a price.
Values = Callable[[PairScores], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class DrawnScores:
    """The drawn configurations of one loss, and its values on random halves of them."""

    cells: Cells
    scores: np.ndarray  # (C, S), a few missing trials imputed
    halves: tuple[tuple[PairScores, PairScores], ...]  # of each split; empty where there are too few

    @property
    def nested(self) -> bool:
        """Whether each configuration has one seed only."""
        return bool((self.cells.planned.sum(axis=1) <= 1).all()) and len(self.cells.seeds) > 1

    @property
    def lacking(self) -> str:
        """Why there are no errors of scores that need every configuration at every seed; empty if there are."""
        if self.nested:
            return ONE_SEED_EACH
        if len(self.cells.seeds) < LEAST_SEEDS:
            return "too few seeds"
        if len(self.scores) < LEAST_CONFIGURATIONS:
            return FEW_CONFIGURATIONS
        return "" if np.isfinite(self.scores).all() else "trials missing"


def drawn_scores(cells: Cells) -> DrawnScores:
    """The values of one loss on random halves of its configurations, the same halves for equal numbers of them."""
    known = (cells.weights > 0) & cells.planned.any(axis=1)
    cells = _part(cells, np.flatnonzero(known))
    scores = cells.test if not len(cells.codes) else fill_gaps(cells.test, cells.weights).scores
    found = DrawnScores(cells=cells, scores=scores, halves=())
    if found.lacking:
        return found
    rng, count = np.random.default_rng(0), len(cells.codes)
    orders = [rng.permutation(count) for _ in range(_SPLITS)]
    halves = tuple(
        (pair_scores([_part(cells, order[: count // 2])]), pair_scores([_part(cells, order[count // 2 :])]))
        for order in orders
    )
    return dataclasses.replace(found, halves=halves)


def have_common_points(a: Cells, b: Cells) -> bool:
    """Whether two losses have the very same configurations, so that they are compared in pairs of trials."""
    if [axis.name for axis in a.axes] != [axis.name for axis in b.axes] or len(a.codes) != len(b.codes):
        return False
    return all(np.array_equal(a.values(axis.name), b.values(axis.name)) for axis in a.axes)


def drawn_average(a: DrawnScores, b: DrawnScores | None = None) -> Moments:
    """The average over the space of a loss, or that of `a` minus that of `b`, with an error over both.

    Losses with common points and seeds are compared in pairs of trials, and losses with common seeds by seed. Losses
    with different seeds are compared by Welch's interval.
    """
    weights = a.cells.weights
    if b is None:
        if a.nested:
            return nested_mean(a.scores, weights)
        return crossed_mean(a.scores, weights) if not a.lacking else _unknown(a)
    if a.nested or b.nested:
        both = a.nested and b.nested
        if both:
            return nested_difference(
                a.scores, b.scores, weights, b.cells.weights, a.cells.seeds, b.cells.seeds
            )
        return unpaired(drawn_average(a), drawn_average(b))
    if a.lacking or b.lacking or not np.array_equal(a.cells.seeds, b.cells.seeds):
        return unpaired(drawn_average(a), drawn_average(b))
    if have_common_points(a.cells, b.cells):
        return crossed_mean(a.scores - b.scores, weights)
    return crossed_difference(a.scores, b.scores, weights, b.cells.weights)


def drawn_value(of: Values, a: DrawnScores, b: DrawnScores | None = None) -> Moments:
    """A score of a loss that contains a choice, such as tuned, or that of `a` minus that of `b`.

    What is estimated is the score of half as many drawn configurations, so that a tuned score is the best of C / 2.
    The estimate is the mean over random splits of the configurations into halves A and B. Its variance over draws of
    configurations is at most a quarter of the mean of `(T_A - T_B)^2`: half the variance of T on one half (Hoeffding
    1948, "A class of statistics with asymptotically normal distribution", theorem 5.2). It is exact for averages. The
    variance over seeds is the jackknife's over pairs of seeds. The two variances are added, with what both contain
    counted twice.
    """
    if b is None:
        return _of_halves(of, [a], [1.0])
    if not np.array_equal(a.cells.seeds, b.cells.seeds):
        return unpaired(drawn_value(of, a), drawn_value(of, b))
    return _of_halves(of, [a, b], [1.0, -1.0])


def with_drawn_errors(summary: RobustnessSummary, scores: DrawnScores) -> RobustnessSummary:
    """The summary of a drawn design, whose intervals are over configurations and seeds, or withheld.

    The tuned score and its interval belong to the best of half of the configurations.
    """
    bounds = scores.cells.metric.score_bounds
    return dataclasses.replace(
        summary,
        mean=drawn_average(scores).estimate(bounds=bounds),
        mean_finished=_without_interval(summary.mean_finished, "drawn configurations: no interval"),
        worst=_without_interval(summary.worst, NO_WORST),
        tuned=dataclasses.replace(
            summary.tuned,
            estimate=drawn_value(lambda pairs: pairs.tuned, scores).estimate(bounds=bounds)
            if scores.halves
            else _without_interval(summary.tuned.estimate, scores.lacking),
        ),
    )


def _without_interval(estimate: Estimate, note: str) -> Estimate:
    return Estimate(value=estimate.value, seeds=estimate.seeds, note=estimate.note or note, unit=BOTH)


def _unknown(scores: DrawnScores) -> Moments:
    known = np.isfinite(scores.scores)
    share = np.where(known, scores.cells.weights[:, None], 0.0)
    total = share.sum()
    value = float((share * np.where(known, scores.scores, 0.0)).sum() / total) if total else float("nan")
    return Moments(value=value, seeds=len(scores.cells.seeds), note=scores.lacking, unit=BOTH)


def _of_halves(of: Values, losses: list[DrawnScores], signs: list[float]) -> Moments:
    lacking = next((each.lacking for each in losses if each.lacking), "")
    seeds = len(losses[0].cells.seeds)
    if lacking:
        whole = [of(pair_scores([each.cells])) for each in losses]
        means = [float(np.nanmean(each)) if np.isfinite(each).any() else float("nan") for each in whole]
        value = sum(sign * mean for sign, mean in zip(signs, means, strict=True))
        return Moments(value=value, seeds=seeds, note=lacking, unit=BOTH)
    by_loss = [
        sign * np.array([[of(half) for half in pair] for pair in each.halves])
        for sign, each in zip(signs, losses, strict=True)
    ]
    halves = np.sum(by_loss, axis=0)  # (splits, 2, S, S)
    apart = ~np.eye(seeds, dtype=bool)
    matrix = np.mean(halves, axis=(0, 1))
    if not np.isfinite(matrix[apart]).all():
        return Moments(value=float("nan"), seeds=seeds, note="trials missing", unit=BOTH)
    by_half = halves[..., apart].mean(axis=-1)
    of_points = float(np.mean((by_half[:, 0] - by_half[:, 1]) ** 2)) / 4
    return Moments(
        value=float(matrix[apart].mean()),
        parts=(
            (of_points, min(len(each.scores) for each in losses) - 1.0),
            (float(pseudo_values(matrix).var(ddof=1)) / seeds, seeds - 1.0),
        ),
        seeds=seeds,
        method=_METHOD,
        unit=BOTH,
    )


def _part(cells: Cells, at: np.ndarray) -> Cells:
    """Some of the configurations, with their shares scaled to sum 1."""
    weights = cells.weights[at]
    return dataclasses.replace(
        cells,
        codes=cells.codes[at],
        status=cells.status[at],
        raw={name: values[at] for name, values in cells.raw.items()},
        weights=weights / weights.sum() if weights.sum() > 0 else weights,
    )
