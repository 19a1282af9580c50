"""Exact values of scores that the demo does not show, beside those of `analysis.demo.exact`."""

import numpy as np
from scipy import stats

from analysis.demo.exact import selection_chances
from analysis.demo.noise import Noise, draw_scores


def exact_profile(means: np.ndarray, threshold: float) -> float:
    """Share of equally weighted cells at or above a threshold."""
    return float(np.mean(means >= threshold - 1e-12))


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


def exact_retuned(means: np.ndarray, failed: np.ndarray, noise: Noise, shape: tuple[int, int]) -> np.ndarray:
    """Expected score at each batch size of the main-axis value that one seed selects there."""
    rows = zip(means.reshape(shape), failed.reshape(shape), strict=True)
    return np.array([selection_chances(row, lost, noise) @ row for row, lost in rows])


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
