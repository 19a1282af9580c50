"""Exact values of scores on the invented losses: what an estimate converges to with infinitely many seeds.

`analysis.demo.answers` writes them beside the demo's report. Most are closed forms of the cell means `(C,)`. Where
validation chooses a cell, the chance of each cell is an integral over normal distributions, computed by quadrature.
The code is independent of `analysis.statistics` and as plain as possible, so that one can test the other.
"""

import numpy as np
from scipy import stats

from analysis.demo.noise import Noise

#: Points of the quadrature over a normal distribution, up to eight deviations on each side.
_POINTS = 4001


def exact_tolerance(means: np.ndarray, *, eps: float, best: float | None = None) -> float:
    """Share of equally weighted cells within `eps` of the best one, or of a given `best`."""
    return float(np.mean(means >= (means.max() if best is None else best) - eps - 1e-12))


def exact_worst(means: np.ndarray, *, tail: float = 0.10) -> float:
    """Mean of the lowest `tail` of equally weighted cells; the last one may count in part."""
    wanted = tail * len(means)
    total = 0.0
    for value in np.sort(means):
        share = min(1.0, wanted)
        total, wanted = total + share * value, wanted - share
    return float(total / (tail * len(means)))


def exact_finished_mean(means: np.ndarray, failed: np.ndarray) -> float:
    """Mean over the cells that do not fail."""
    return float(means[~failed].mean())


def choice_chances(means: np.ndarray, failed: np.ndarray, deviation: float) -> np.ndarray:
    """Chance `(C,)` of each cell to have the highest score, with independent normal scores around the means.

    `P(c) = integral phi(z) prod_(b != c) Phi((m_c - m_b) / deviation + z) dz`, by the trapezoidal rule. Failed cells,
    which have no noise, are never best. Without noise the cell of the highest mean has chance 1.
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

    Halves are the seeds at even and at odd positions. With an odd number of seeds, the smaller half chooses for the
    larger one. The shift that a seed gives to all cells cancels. Needs two seeds.
    """
    even, odd = (seeds + 1) // 2, seeds // 2
    by_odd, by_even = (
        choice_chances(means, failed, noise.validation_deviation / np.sqrt(count)) for count in (odd, even)
    )
    return (even * by_odd + odd * by_even) / seeds


def exact_tuned(means: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int) -> float:
    """Expected held-out score: chosen by validation on the other half of the seeds, scored on each seed."""
    return float(held_out_chances(means, failed, noise, seeds) @ means)


def exact_transfer_regret(
    source: np.ndarray, target: np.ndarray, failed: np.ndarray, noise: Noise, seeds: int
) -> float:
    """Expected held-out regret at the target for choices at the source. Both have the same cells."""
    at_home = held_out_chances(target, failed, noise, seeds)
    return float((at_home - held_out_chances(source, failed, noise, seeds)) @ target)
