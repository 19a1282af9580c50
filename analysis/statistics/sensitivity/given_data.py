"""First-order sensitivity indices of points that form no grid, from their existing scores."""

import numpy as np

from analysis.statistics.sensitivity.decomposition import cross_variances

#: An axis with a larger share of distinct values is handled by ranks, any other by groups of equal values.
RANKED = 0.5


def first_order_shares(
    points: np.ndarray, scores: np.ndarray, counts: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Shares `(B, k)` of the variance between configurations that each axis explains alone.

    `points` is `(C, k)`, `scores` is `(C, S)` without gaps, and seeds are taken `counts` `(B, S)` times each. An axis
    of mostly distinct values is handled by ranks. With the cells sorted along it and m their means over seeds, `V_j =
    1/C sum_c m_(c) m_(c+1) - mean^2`, where the first cell follows the last (Gamboa, Gremaud, Klein and Lagnoux 2022,
    "Global sensitivity analysis: a novel generation of mighty estimators based on rank statistics", Bernoulli 28(4)).
    An axis of repeated values is handled by its G groups of equal values: `V_j = (SS_between - (G - 1) MS_within) /
    C`, the correlation ratio with Kelley's (1935) correction. Both are divided by the variance V between
    configurations, without seed noise (`decomposition.cross_variances`). Ties in a ranked axis are broken at random.

    The estimate holds for the distribution from which the points were drawn. Its error from the choice of points, of
    the order of `1 / sqrt(C)`, is in no interval over seeds.
    """
    shifted = scores - scores.mean(axis=0)
    means = shifted @ (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).T
    gram = shifted.T @ shifted / max(len(scores) - 1, 1)
    total = cross_variances(gram[None], counts)[:, 0]
    variances = np.stack([_explained(axis, means, rng) for axis in points.T], axis=1)
    return np.divide(
        variances, total[:, None], out=np.full(variances.shape, np.nan), where=(total > 0)[:, None]
    )


def is_ranked(axis: np.ndarray) -> bool:
    """Whether an axis `(C,)` is handled by ranks."""
    return len(np.unique(axis)) > RANKED * len(axis)


def _explained(axis: np.ndarray, means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Variance `(B,)` of the means `(C, B)` that an axis `(C,)` explains alone."""
    if is_ranked(axis):
        shuffled = rng.permutation(len(axis))
        along = means[shuffled[np.argsort(axis[shuffled], kind="stable")]]
        return (along * np.roll(along, -1, axis=0)).mean(axis=0) - along.mean(axis=0) ** 2
    _, group, sizes = np.unique(axis, return_inverse=True, return_counts=True)
    member = np.equal.outer(np.arange(len(sizes)), group) / sizes[:, None]
    of_group = member @ means
    between = (sizes[:, None] * (of_group - means.mean(axis=0)) ** 2).sum(axis=0)
    within = ((means - of_group[group]) ** 2).sum(axis=0) / max(len(axis) - len(sizes), 1)
    return (between - (len(sizes) - 1) * within) / len(axis)
