"""Errors of means over ordered pairs of seeds."""

import math

import numpy as np

from analysis.statistics.intervals.moments import Moments

#: Least number of seeds for the jackknife over pairs.
LEAST_SEEDS = 3


def pairs_moments(matrix: np.ndarray) -> Moments:
    """The mean over ordered pairs of seeds of `(S, S)`, with the jackknife variance of a mean over overlapping pairs.

    The diagonal is not used. Needs three seeds. Source: Efron and Stein (1981), "The jackknife estimate of variance",
    which errs upwards.
    """
    seeds = len(matrix)
    apart = ~np.eye(seeds, dtype=bool)
    known = np.isfinite(matrix) & apart
    value = float(matrix[known].mean()) if known.any() else math.nan
    if seeds < LEAST_SEEDS or not known[apart].all():
        note = "too few seeds" if seeds < LEAST_SEEDS else "trials missing"
        return Moments(value=value, seeds=seeds, note=note)
    filled = np.where(apart, matrix, 0.0)
    with_seed = filled.sum(axis=0) + filled.sum(axis=1)
    left_out = (filled.sum() - with_seed) / ((seeds - 1) * (seeds - 2))
    return Moments(
        value=value,
        parts=((float((seeds - 1) * left_out.var()), seeds - 1.0),),
        seeds=seeds,
        method="jackknife over pairs of seeds",
    )
