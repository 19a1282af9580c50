"""The variance of a grid's scores, split exactly over its axes and their interactions, seed by seed."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

#: Square of the relative size below which an effect is rounding.
_ROUNDING = 1e-24


def effects_of(axes: int) -> list[tuple[int, ...]]:
    """All effects of so many axes: each axis, then each pair, and so on; not the mean."""
    return [effect for order in range(1, axes + 1) for effect in combinations(range(axes), order)]


def effect_grams(scores: np.ndarray, axis_weights: Sequence[np.ndarray]) -> np.ndarray:
    """Inner products `(E, S, S)` of the seeds' effects under the measure, for a grid `(A1, ..., Ak, S)` without gaps.

    The functional ANOVA (Hoeffding 1948; Sobol 1993) writes the scores of seed s as `sum_u f_us`, each `f_us` a
    function of the axes u alone that averages to 0 over each of them under the product measure; effects are then
    orthogonal. `G_u[s, t] = sum_c w_c f_us(c) f_ut(c)`, in the order of `effects_of`. A seed's shift of all cells is
    in no effect. Raises `ValueError` where weights and grid do not fit.
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

    `V_u = sum_(s != t) n_s n_t G_u[s, t] / sum_(s != t) n_s n_t`: products of different seeds alone, whose noise is
    independent, so that V is unbiased (a U-statistic, Hoeffding 1948) where the plain `sum_c w_c f_u(c)^2` of the
    means counts noise as effect. May come out below 0. NaN where all counts fall on one seed.
    """
    own = np.einsum("ess,bs->be", grams, np.square(counts, dtype=float))
    full = np.einsum("bs,est,bt->be", counts, grams, counts, optimize=True)
    pairs = counts.sum(axis=1) ** 2 - np.square(counts).sum(axis=1)
    return np.divide(full - own, pairs[:, None], out=np.full(full.shape, np.nan), where=pairs[:, None] > 0)


def seed_counts(seeds: int) -> np.ndarray:
    """How often each seed counts, `(S + 1, S)`: first all of them once, then with one left out each."""
    return np.concatenate([np.ones((1, seeds)), 1.0 - np.eye(seeds)])


def complete_seeds(scores: np.ndarray) -> np.ndarray:
    """Which seeds `(S,)` know every cell of `(..., S)`."""
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
