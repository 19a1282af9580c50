"""Intervals of averages over drawn configurations: the error of which were drawn, beside that of the seeds.

A random search draws its configurations. Another draw gives another average, however many seeds each configuration
has. An interval over seeds alone covers the average of the drawn points, not the average over the space.
"""

import numpy as np

from analysis.statistics.intervals.moments import BOTH, Moments, unpaired

#: Least number of drawn configurations for an error over configurations.
LEAST_CONFIGURATIONS = 8
#: Least number of seeds. The variance between two seeds has one degree of freedom.
LEAST_SEEDS = 3
FEW_CONFIGURATIONS = f"fewer than {LEAST_CONFIGURATIONS} drawn configurations"
_METHOD = "two-way: configurations and seeds"


def crossed_mean(scores: np.ndarray, weights: np.ndarray) -> Moments:
    """The mean over drawn configurations of `(C, S)`, each at every seed, with an error over both.

    For `y_cs = m + a_c + b_s + e_cs` with random a, b and e, the variance of the mean is `V_a + V_b - V_ab`: that of
    the configurations' means, that of the seeds' means, and that of the rest, which both of the others contain. It is
    at least the larger of the first two. Weights `(C,)` with sum 1 enter as in a ratio estimator. Needs three seeds
    and `LEAST_CONFIGURATIONS`.

    Points that miss a rare region cannot show it. Where 6 % of the space fails, 32 points miss all of it in 13 % of
    studies, and 95 % intervals cover 82 to 97 %.

    Source: crossed random effects, Searle, Casella and McCulloch (1992), Variance Components, chapter 4.
    """
    value = float(weights @ scores.mean(axis=1))
    note = _lacking(*scores.shape)
    if note:
        return Moments(value=value, seeds=scores.shape[1], note=note, unit=BOTH)
    of_points, of_seeds, of_both = _parts(scores, weights)
    return _summed(value, [of_points], of_seeds, [of_both], scores.shape[1])


def crossed_difference(a: np.ndarray, b: np.ndarray, weights_a: np.ndarray, weights_b: np.ndarray) -> Moments:
    """The difference of two means over drawn configurations of `(C, S)`, each loss with points of its own.

    Seeds are paired, so what a seed does to both losses cancels. For common points use `crossed_mean` of `a - b`.
    """
    by_seed = weights_a @ a - weights_b @ b
    value, seeds = float(by_seed.mean()), a.shape[1]
    note = _lacking(len(a), seeds) or _lacking(len(b), seeds)
    if note:
        return Moments(value=value, seeds=seeds, note=note, unit=BOTH)
    parts = [_parts(a, weights_a), _parts(b, weights_b)]
    of_seeds = (float(by_seed.var(ddof=1)) / seeds, seeds - 1.0)
    return _summed(value, [each[0] for each in parts], of_seeds, [each[2] for each in parts], seeds)


def nested_mean(scores: np.ndarray, weights: np.ndarray) -> Moments:
    """The mean over drawn configurations of `(C, S)` where each has one seed only; NaN at the other seeds.

    What a seed does to its configurations is common to them, so the seed is the unit of resampling. Where each
    configuration has a seed of its own, that is the configuration itself.
    """
    share, value = _share(scores, weights)
    sums = _sums(scores, share, value)
    seeds = len(sums)
    if seeds < 2:
        return Moments(value=value, seeds=seeds, note="too few seeds", unit=BOTH)
    return Moments(
        value=value,
        parts=((seeds / (seeds - 1) * float(sums @ sums), seeds - 1.0),),
        seeds=seeds,
        method="over seeds, each with configurations of its own",
        unit=BOTH,
    )


def nested_difference(
    a: np.ndarray,
    b: np.ndarray,
    weights_a: np.ndarray,
    weights_b: np.ndarray,
    seeds_a: np.ndarray,
    seeds_b: np.ndarray,
) -> Moments:
    """The difference of two such means: paired where the losses have the same seeds, otherwise Welch's."""
    if not np.array_equal(seeds_a, seeds_b):
        return unpaired(nested_mean(a, weights_a), nested_mean(b, weights_b))
    parts = [_share(scores, weights) for scores, weights in ((a, weights_a), (b, weights_b))]
    value, seeds = parts[0][1] - parts[1][1], len(seeds_a)
    if seeds < 2:
        return Moments(value=value, seeds=seeds, note="too few seeds", unit=BOTH)
    sums = _sums(a, *parts[0]) - _sums(b, *parts[1])
    return Moments(
        value=value,
        parts=((seeds / (seeds - 1) * float(sums @ sums), seeds - 1.0),),
        seeds=seeds,
        method="paired by seed, each with configurations of its own",
        unit=BOTH,
    )


def _lacking(configurations: int, seeds: int) -> str:
    if seeds < LEAST_SEEDS:
        return "too few seeds"
    return FEW_CONFIGURATIONS if configurations < LEAST_CONFIGURATIONS else ""


def _parts(scores: np.ndarray, weights: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Variance of the mean from configurations, from seeds, and from both together; with degrees of freedom."""
    points, seeds = scores.shape
    by_point, by_seed = scores.mean(axis=1), weights @ scores
    mean = by_seed.mean()
    rest = scores - by_point[:, None] - by_seed + mean
    lost = points / (points - 1)
    return (
        (lost * float(np.sum((weights * (by_point - mean)) ** 2)), points - 1.0),
        (float(by_seed.var(ddof=1)) / seeds, seeds - 1.0),
        (
            lost * float(np.sum(weights[:, None] ** 2 * rest**2)) / (seeds * (seeds - 1)),
            (points - 1.0) * (seeds - 1.0),
        ),
    )


def _summed(
    value: float,
    of_points: list[tuple[float, float]],
    of_seeds: tuple[float, float],
    of_both: list[tuple[float, float]],
    seeds: int,
) -> Moments:
    """The sum of the parts, without what both of them contain."""
    drawn = sum(part for part, _ in of_points)
    once = max(drawn - sum(part for part, _ in of_both), drawn - of_seeds[0], 0.0)
    left = once / drawn if drawn > 0 else 0.0
    return Moments(
        value=value,
        parts=(*((left * part, freedom) for part, freedom in of_points), of_seeds),
        seeds=seeds,
        method=_METHOD,
        unit=BOTH,
    )


def _share(scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Shares `(C, S)` of the known trials, with sum 1, and the mean."""
    known = np.isfinite(scores)
    share = np.where(known, weights[:, None], 0.0)
    share = share / share.sum()
    return share, float(np.sum(share * np.where(known, scores, 0.0)))


def _sums(scores: np.ndarray, share: np.ndarray, value: float) -> np.ndarray:
    """What each seed adds to the error of the mean, `(S,)`."""
    return np.sum(share * np.where(share > 0, scores - value, 0.0), axis=0)
