"""How much the score of a loss depends on tuning it for each data set, and in how many hyperparameters."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.scores.pairs_of_seeds import choice_chances, scored

#: Share of the score tuned on each data set that a subset of hyperparameters must reach.
NEAR_PEAK = 0.95


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Scores on the normalised scale, as means over data sets."""

    each: Estimate  # tuned on each data set
    across: Estimate  # one configuration for all data sets
    sensitivity: Estimate  # their difference, paired by seed


@dataclass(frozen=True, kw_only=True)
class Dimensionality:
    """Number of hyperparameters that must be tuned on each data set.

    It is a whole number computed from maxima, so it has no interval. `left_out` shows how it changes with the seeds.
    """

    value: int | None  # None without trials
    left_out: tuple[int | None, ...]  # with each seed left out in turn
    axes: tuple[int, ...]  # the smallest subset that reaches the required share
    curve: tuple[Estimate, ...]  # score with 0, 1, ..., k hyperparameters tuned by one seed, on another


def percentile_scale(scores: np.ndarray, *, low: float = 5.0, high: float = 95.0) -> np.ndarray:
    """Percentiles `(E, 2)` of the mean scores of all cells of all losses, `(E, N, S)`, on each data set.

    This is the scale of Adkins, Bowling and White (2024): scores of different data sets are compared as `(m - p5) /
    (p95 - p5)`. NaN for a data set whose two percentiles are equal or unknown.
    """
    known = np.isfinite(scores)
    mean = np.where(known, scores, 0.0).sum(axis=-1) / np.where(
        known.any(axis=-1), known.sum(axis=-1), np.nan
    )
    ends = np.array([_percentiles(row[np.isfinite(row)], low, high) for row in mean]).reshape(-1, 2)
    return np.where((ends[:, 1] > ends[:, 0])[:, None], ends, np.nan)


def normalised(scores: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Scores `(E, ..., S)` on the scale `(E, 2)` of their data set: 0 at its low end, 1 at its high end."""
    low, high = (scale[:, end].reshape(-1, *[1] * (scores.ndim - 1)) for end in (0, 1))
    return (scores - low) / (high - low)


def hyperparameter_sensitivity(test: np.ndarray, validation: np.ndarray, *, note: str = "") -> Sensitivity:
    """How much a loss gains from tuning on each data set, from normalised scores `(E, C, S)` of the same cells.

    `Phi = 1/E sum_e max_c G(e, c) - max_c 1/E sum_e G(e, c)`, with G the normalised mean score: Adkins, Bowling and
    White (2024), "A method for evaluating hyperparameter sensitivity in reinforcement learning", NeurIPS 37, with
    data sets as environments. Here the validation of one seed picks both maxima, and another seed scores them. The
    paper picks and scores on the same runs, which inflates Phi. Estimates and intervals are means over ordered pairs
    of seeds (`intervals.pairs`). They hold for these data sets, and say nothing about other ones.
    """
    if not len(validation):
        nothing = pair_estimate(np.full((test.shape[-1],) * 2, np.nan), note=note)
        return Sensitivity(each=nothing, across=nothing, sensitivity=nothing)
    each = scored(test, choice_chances(validation)).mean(axis=0)
    across = scored(test, choice_chances(validation.mean(axis=0))).mean(axis=0)
    return Sensitivity(
        each=pair_estimate(each, note=note),
        across=pair_estimate(across, note=note),
        sensitivity=pair_estimate(each - across, note=note),
    )


def effective_dimensionality(
    test: np.ndarray, validation: np.ndarray, *, share: float = NEAR_PEAK, note: str = ""
) -> Dimensionality:
    """Least number of hyperparameters to tune on each data set, of normalised `(E, A1, ..., Ak, S)`.

    With c* the best configuration for all data sets and `G_u = 1/E sum_e max_(c: c = c* outside of u) G(e, c)`: `d =
    min { |u| : G_u >= share * G_all }` (Adkins, Bowling and White 2024; share 0.95). d is computed from the
    validation means over all seeds, as the definition with estimates inserted. The curve is the score of the best
    subset of each size. Validation of one seed picks the subset, and another seed scores it (`intervals.pairs`).

    Raises `ValueError` for a share outside of (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: got {share}; a number above 0, at most 1 is needed")
    seeds, sets, sizes = test.shape[-1], len(test), test.ndim - 1
    value, axes = _dimension(_means(validation), share)
    fewer = [_means(np.delete(validation, seed, axis=-1)) for seed in range(seeds)]
    cells = int(np.prod(test.shape[1:-1]))
    chances = np.zeros((sizes, sets, cells, seeds))
    for seed in range(seeds):
        for size, (_, _, picked) in enumerate(_best_subsets(_means(validation[..., [seed]]))):
            chances[size, np.arange(sets), picked, seed] = 1.0
    flat = test.reshape(sets, -1, seeds)
    pairs = (_mean_over_sets(scored(flat, part)) for part in chances)
    return Dimensionality(
        value=value,
        left_out=tuple(_dimension(means, share)[0] for means in fewer),
        axes=axes,
        curve=tuple(pair_estimate(each, note=note) for each in pairs),
    )


def _dimension(means: np.ndarray, share: float) -> tuple[int | None, tuple[int, ...]]:
    """d and its subset for means `(E, A1, ..., Ak)`; None where no mean is known."""
    best = _best_subsets(means)
    if not best:
        return None, ()
    peak = best[-1][0]
    least = min(share * peak, peak)  # a share of a peak below 0 lies above it
    return next((len(axes), axes) for score, axes, _ in best if score >= least - 1e-12)


def _best_subsets(means: np.ndarray) -> list[tuple[float, tuple[int, ...], np.ndarray]]:
    """For each size, the best subset of axes to tune: its score, its axes and its cells `(E,)`."""
    sets, shape = len(means), means.shape[1:]
    common = means.mean(axis=0)
    if not sets or not np.isfinite(common).any():
        return []
    at = np.unravel_index(int(np.argmax(np.where(np.isfinite(common), common, -np.inf))), shape)
    indices, best = np.arange(int(np.prod(shape))).reshape(shape), []
    for size in range(len(shape) + 1):
        tried = []
        for axes in combinations(range(len(shape)), size):
            free = tuple(slice(None) if axis in axes else at[axis] for axis in range(len(shape)))
            part = np.nan_to_num(means[(slice(None), *free)].reshape(sets, -1), nan=-np.inf)
            cells = np.asarray(indices[free]).reshape(-1)[part.argmax(axis=1)]
            tried.append((float(part.max(axis=1).mean()), axes, cells))
        best.append(max(tried, key=lambda item: item[0]))
    return best


def _means(scores: np.ndarray) -> np.ndarray:
    """Means over seeds; NaN for cells with fewer scores than the fullest cell."""
    known = np.isfinite(scores)
    count = known.sum(axis=-1)
    full = (count == count.max(initial=0)) & (count > 0)
    return np.where(full, np.where(known, scores, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)


def _mean_over_sets(scores: np.ndarray) -> np.ndarray:
    """Mean over the data sets, the first axis. NaN where a data set has no score, or there is no data set."""
    return scores.mean(axis=0) if len(scores) else np.full(scores.shape[1:], np.nan)


def _percentiles(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.percentile(values, [low, high]) if len(values) else np.full(2, np.nan)
