"""Exact decomposition of the variance of a grid's scores into axes and their interactions, seed by seed.

`importance` uses it.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

#: Square of the relative size below which an effect is rounding error.
_ROUNDING = 1e-24


def effects_of(axes: int) -> list[tuple[int, ...]]:
    """All effects of a number of axes, without the mean: each axis, then each pair, and so on."""
    return [effect for order in range(1, axes + 1) for effect in combinations(range(axes), order)]


def effect_grams(scores: np.ndarray, axis_weights: Sequence[np.ndarray]) -> np.ndarray:
    """Inner products `(E, S, S)` of the seeds' effects under the measure, for a grid `(A1, ..., Ak, S)` without gaps.

    The functional ANOVA (Hoeffding 1948; Sobol 1993) writes the scores of seed s as `sum_u f_us`. Each `f_us` is a
    function of the axes u alone, and its mean over each of them is 0 under the product measure. Effects are therefore
    orthogonal. `G_u[s, t] = sum_c w_c f_us(c) f_ut(c)`, in the order of `effects_of`. The shift that a seed gives to
    all cells is in no effect. Raises `ValueError` where the weights do not fit the grid.
    """
    sizes = tuple(len(weights) for weights in axis_weights)
    if sizes != scores.shape[:-1]:
        raise ValueError(f"axis_weights: got lengths {sizes}; the grid has the shape {scores.shape[:-1]}")
    grams = [_gram(scores, axis_weights, effect) for effect in effects_of(len(sizes))]
    seeds = scores.shape[-1]
    stacked = np.array(grams).reshape(len(grams), seeds, seeds)
    scale = float(np.mean(np.square(scores))) if scores.size else 0.0
    return np.where(np.abs(stacked) <= _ROUNDING * scale, 0.0, stacked)


def cross_variances(grams: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Variances `(B, E)` of effects without the seeds' noise, for seeds taken `counts` `(B, S)` times each.

    `V_u = sum_(s != t) n_s n_t G_u[s, t] / sum_(s != t) n_s n_t`. It uses only products of different seeds, whose
    noise is independent, so V is unbiased (a U-statistic, Hoeffding 1948). The plain `sum_c w_c f_u(c)^2` of the
    means would count noise as effect. V may be below 0. NaN where all counts fall on one seed.
    """
    own = np.einsum("ess,bs->be", grams, np.square(counts, dtype=float))
    full = np.einsum("bs,est,bt->be", counts, grams, counts, optimize=True)
    pairs = counts.sum(axis=1) ** 2 - np.square(counts).sum(axis=1)
    return np.divide(full - own, pairs[:, None], out=np.full(full.shape, np.nan), where=pairs[:, None] > 0)


def seed_counts(seeds: int) -> np.ndarray:
    """How often each seed counts, `(S + 1, S)`: first every seed once, then with each seed left out in turn."""
    return np.concatenate([np.ones((1, seeds)), 1.0 - np.eye(seeds)])


def complete_seeds(scores: np.ndarray) -> np.ndarray:
    """Which seeds `(S,)` have a finite score in every cell of `(..., S)`."""
    return np.isfinite(scores).all(axis=tuple(range(scores.ndim - 1)))


def _gram(scores: np.ndarray, axis_weights: Sequence[np.ndarray], effect: tuple[int, ...]) -> np.ndarray:
    seeds, part = scores.shape[-1], scores
    for axis in reversed(range(len(axis_weights))):
        mean = np.tensordot(axis_weights[axis], part, axes=(0, axis))
        part = part - np.expand_dims(mean, axis) if axis in effect else mean
    measure = np.ones(())
    for axis in effect:
        measure = np.multiply.outer(measure, axis_weights[axis])
    flat = part.reshape(math.prod(measure.shape), seeds)
    return flat.T @ (measure.reshape(-1, 1) * flat)
