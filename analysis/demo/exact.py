"""Exact values of scores on the invented losses: what an estimate should come to with infinitely many seeds.

All are functions of the cell means `(C,)` alone, in closed form, but for the scores that validation chooses for: the
chance of a cell to be chosen is an integral over normal laws, done by quadrature (held-out choices) or, for tuning
curves, by Monte Carlo with the error said. Written apart from `analysis.statistics`, as plainly as can be, so that
one can test the other.
"""

import numpy as np
from scipy import stats

from analysis.demo.noise import Noise, draw_scores

#: Points of the quadrature over a normal law, which reach out to eight deviations.
_POINTS = 4001


def exact_tolerance(means: np.ndarray, *, eps: float, best: float | None = None) -> float:
    """Share of equally weighted cells within `eps` of the best, their own or a given one."""
    return float(np.mean(means >= (means.max() if best is None else best) - eps - 1e-12))


def exact_worst(means: np.ndarray, *, tail: float = 0.10) -> float:
    """Mean of the lowest `tail` of equally weighted cells, the last one in part."""
    wanted = tail * len(means)
    total = 0.0
    for value in np.sort(means):
        share = min(1.0, wanted)
        total, wanted = total + share * value, wanted - share
    return float(total / (tail * len(means)))


def exact_finished_mean(means: np.ndarray, failed: np.ndarray) -> float:
    """Mean over the cells that do not fail."""
    return float(means[~failed].mean())


def exact_profile(means: np.ndarray, threshold: float) -> float:
    """Share of equally weighted cells at or above a threshold."""
    return float(np.mean(means >= threshold - 1e-12))


def choice_chances(means: np.ndarray, failed: np.ndarray, deviation: float) -> np.ndarray:
    """Chance `(C,)` of each cell to have the highest of independent normal scores about its mean.

    `P(c) = integral phi(z) prod_(b != c) Phi((m_c - m_b) / deviation + z) dz`, trapezoidal. Failed cells, which have
    no noise, are never best. Without noise it is the best cell.
    """
    if deviation == 0:
        return np.eye(len(means))[int(np.argmax(means))]
    z = np.linspace(-8.0, 8.0, _POINTS)
    chances = np.zeros(len(means))
    for cell in np.flatnonzero(~failed):
        others = np.setdiff1d(np.flatnonzero(~failed), [cell])
        below = stats.norm.logcdf((means[cell] - means[others])[:, None] / deviation + z).sum(axis=0)
        chances[cell] = np.trapezoid(stats.norm.pdf(z) * np.exp(below), z)
    return chances / chances.sum()


def held_out_chances(means: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int) -> np.ndarray:
    """Chance `(C,)` of each cell to be chosen by validation on the other half of the seeds, averaged over the seeds.

    Halves are the seeds at even and at odd places; the larger one is chosen for by the smaller. What a seed shifts
    alike in all cells cancels. Needs two seeds.
    """
    even, odd = (seeds + 1) // 2, seeds // 2
    by_odd, by_even = (
        choice_chances(means, failed, noise.validation_deviation / np.sqrt(count)) for count in (odd, even)
    )
    return (even * by_odd + odd * by_even) / seeds


def exact_local_drop(means: np.ndarray, chances: np.ndarray, shape: tuple[int, int]) -> float:
    """Expected drop from a cell, chosen with these chances, to the mean of its neighbours on a grid of that shape."""
    grid, chances = means.reshape(shape), chances.reshape(shape)
    total = 0.0
    for x, y in np.ndindex(shape):
        steps = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        near = [grid[i, j] for i, j in steps if 0 <= i < shape[0] and 0 <= j < shape[1]]
        total += chances[x, y] * (grid[x, y] - np.mean(near))
    return float(total)


def exact_batch_slope(batch_sizes: np.ndarray, scores: np.ndarray) -> float:
    """Least-squares slope of expected scores over `log2(batch size)`."""
    return float(np.polyfit(np.log2(batch_sizes), scores, 1)[0])


def exact_retuned(
    means: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int, shape: tuple[int, int]
) -> np.ndarray:
    """Expected score at each batch size of the main-axis value that the other half of the seeds chooses there."""
    rows = zip(means.reshape(shape), failed.reshape(shape), strict=True)
    return np.array([held_out_chances(row, lost, noise, seeds) @ row for row, lost in rows])


def exact_tuned(means: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int) -> float:
    """Expected held-out score: chosen by validation on the other half of the seeds, scored on each seed."""
    return float(held_out_chances(means, failed, noise, seeds) @ means)


def exact_transfer_regret(
    source: np.ndarray, target: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int
) -> float:
    """Expected held-out regret at the target of choosing at the source; both have the same cells."""
    at_home = held_out_chances(target, failed, noise, seeds)
    return float((at_home - held_out_chances(source, failed, noise, seeds)) @ target)


def exact_improvement(a: np.ndarray, b: np.ndarray, noise: Noise, alike: np.ndarray) -> float:
    """Chance that a trial of one loss beats one of the other at another seed, averaged over cells.

    `Phi((m_a - m_b) / (sqrt(2) s))`, s the deviation of a test score; cells in which both fail (`alike`) are ties,
    half a win.
    """
    deviation = np.sqrt(2 * (noise.seed**2 + noise.test_deviation**2))
    return float(np.where(alike, 0.5, stats.norm.cdf((a - b) / deviation)).mean())


def exact_tuning_curve(
    means: np.ndarray,
    failed: np.ndarray,
    noise: Noise,
    trials: np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = 20_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected score `(N,)` of the best of n equally likely cells, picked by one seed's validation and trained anew.

    By Monte Carlo over `draws` seeds: the second array is its standard error. For each, a pick is worth its cell's
    mean, and the best of n has the law of the largest of n independent ranks.
    """
    _, validation = draw_scores(means, failed, noise, np.zeros(draws), rng)
    ranked = means[np.argsort(validation, axis=0, kind="stable")]
    edges = (np.arange(len(means) + 1) / len(means)) ** np.asarray(trials)[:, None]
    curves = np.diff(edges, axis=1) @ ranked  # (N, draws)
    return curves.mean(axis=1), curves.std(axis=1, ddof=1) / np.sqrt(draws)
