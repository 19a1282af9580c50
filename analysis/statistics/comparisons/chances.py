"""How each seed weighs all configurations of a loss with several variants.

All functions allow leading batch axes. `scores.pairs_of_seeds` has the chances of one variant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.scores.pairs_of_seeds import TAIL, best_validation, choice_chances, lowest_chances


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Weights of the configurations of a loss, `(..., C, S)` each, by the validation scores of each seed alone."""

    tuned: np.ndarray  # 1 for the best configuration, shared by equal ones
    average: np.ndarray  # the measure over the space
    worst: np.ndarray  # the measure within its lowest tenth, with sum 1


def loss_chances(
    validations: Sequence[np.ndarray], weights: Sequence[np.ndarray], *, tail: float = TAIL
) -> Chances:
    """Chances of all configurations of a loss, from `(..., C, S)` and `(C,)` of each of its variants.

    The configurations of the variants follow each other. A seed selects the variant with its best validation score,
    and equal ones alike; configurations of other variants have chance 0. All chances are 0 for a seed without
    validation scores.
    """
    average, worst = [], []
    for selected, validation, measure in zip(
        _variant_chances(validations), validations, weights, strict=True
    ):
        part = selected[..., None, :]
        average.append(np.broadcast_to(measure[:, None], validation.shape) * part)
        worst.append(lowest_chances(validation, measure, tail) * part)
    average_, worst_ = (np.concatenate(items, axis=-2) for items in (average, worst))
    return Chances(tuned=tuned_chances(validations), average=average_, worst=worst_)


def tuned_chances(validations: Sequence[np.ndarray]) -> np.ndarray:
    """The chances `tuned` of `loss_chances` alone."""
    parts = [
        choice_chances(validation) * selected[..., None, :]
        for selected, validation in zip(_variant_chances(validations), validations, strict=True)
    ]
    return np.concatenate(parts, axis=-2)


def _variant_chances(validations: Sequence[np.ndarray]) -> np.ndarray:
    """The chance `(V, ..., S)` that each seed selects each variant: shared by the best ones, 0 elsewhere."""
    best = np.stack([best_validation(item) for item in validations])
    picked = (best == best.max(axis=0)) & np.isfinite(best)
    return picked / np.maximum(picked.sum(axis=0), 1)


def pair_weights(chances: np.ndarray) -> np.ndarray:
    """Weight `(..., C, S)` of each trial's test score in the mean over pairs: `sum_{r != s} p_cr / (S (S - 1))`."""
    seeds = chances.shape[-1]
    return (chances.sum(axis=-1, keepdims=True) - chances) / (seeds * max(seeds - 1, 1))


def pseudo_weights(chances: np.ndarray) -> np.ndarray:
    """Factors `(..., C)` of the cells' variances in the expected jackknife variance, for given choices.

    The jackknife variance is `(S - 1) / S sum_s (theta_(-s) - mean)^2`. It counts noise of single trials more than
    once: with every pair scoring another configuration, `2 (S - 1) / (S - 2)` times, which is 4 times at three seeds.
    The weight of trial (c, t) in theta_(-s) is `(n_c - p_cs - p_ct) / ((S - 1)(S - 2))` for s != t, and 0 for s = t,
    with n_c the sum of the chances `p` `(..., C, S)`. NaN below three seeds.
    """
    seeds = chances.shape[-1]
    if seeds < 3:
        return np.full(chances.shape[:-1], np.nan)
    others = chances.sum(axis=-1, keepdims=True) - chances
    squares = (chances**2).sum(axis=-1, keepdims=True) - chances**2
    spread = (seeds - 3) * others**2 + squares - ((seeds - 2) * others) ** 2 / seeds
    return (seeds - 1) / seeds * spread.sum(axis=-1) / ((seeds - 1) * (seeds - 2)) ** 2
