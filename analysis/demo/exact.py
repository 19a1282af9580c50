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


def selection_chances(means: np.ndarray, failed: np.ndarray, noise: Noise) -> np.ndarray:
    """Chance `(C,)` of each cell to be selected by the validation of one seed.

    The shift that a seed gives to all cells cancels.
    """
    return choice_chances(means, failed, noise.validation_deviation)


def exact_tuned(means: np.ndarray, failed: np.ndarray, noise: Noise) -> float:
    """Expected test score of what one seed's validation selects, on another seed."""
    return float(selection_chances(means, failed, noise) @ means)


def exact_held_out_worst(
    means: np.ndarray, failed: np.ndarray, noise: Noise, *, tail: float = 0.10, draws: int = 20_000
) -> float:
    """Expected test score of the `tail` of equally weighted cells that one seed's validation ranks lowest.

    By simulation of `draws` seeds with a fixed generator; failed cells rank below all others.
    """
    rng, total, wanted = np.random.default_rng(0), np.zeros(len(means)), tail * len(means)
    part = 10_000
    taken = np.clip(wanted - np.arange(len(means)), 0.0, 1.0) / wanted
    for _ in range(draws // part):
        seen = means + noise.validation_deviation * rng.standard_normal((part, len(means)))
        order = np.argsort(np.where(failed, means.min() - 1.0 + means, seen), axis=1, kind="stable")
        total += means[order].mean(axis=0)
    return float(taken @ total) / (draws // part)


def exact_transfer_regret(source: np.ndarray, target: np.ndarray, failed: np.ndarray, noise: Noise) -> float:
    """Expected regret at the target of what one seed selects at the source. Both have the same cells."""
    at_home = selection_chances(target, failed, noise)
    return float((at_home - selection_chances(source, failed, noise)) @ target)
