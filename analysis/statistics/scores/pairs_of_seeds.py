"""Scores of a loss on one seed under the choice that another seed makes: the values behind every question of a study.

Validation of one seed `r` chooses, and the test scores of another seed `s` report. A value `(r, s)` therefore never
rewards the luck of the seed that chose: if the same seed chose and reported, a loss with many equally good
configurations would report the luckiest of them. The mean over all ordered pairs estimates the same quantity at every
number of seeds, the expected test score of the configuration that one seed's validation selects. It does not depend
on the order of the seeds. Its interval is in `intervals.pairs`.

Among configurations of equal validation score, each has the same chance. So the order of the configurations does not
matter either. Functions on arrays take any leading axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.model.cells import Cells
from analysis.statistics.intervals.imputation import LEAST_KNOWN, fill_gaps

#: Share of the space that the worst case averages over.
TAIL = 0.10
#: Note on two choices whose scores cannot differ.
SAME = "same configuration chosen"
#: Note on a score without two seeds that share a configuration.
SAME_SEED = "chosen and scored on the same seed"


@dataclass(frozen=True, kw_only=True)
class PairScores:
    """Values `(..., S, S)` of one loss by choosing and by scoring seed; NaN on the diagonal and where trials lack.

    A loss with several variants, such as kernels, has the values of the variant that the choosing seed selects, and
    the mean of those that it selects equally.
    """

    tuned: np.ndarray  # of the best configuration
    average: np.ndarray  # over the space
    worst: np.ndarray  # over the worst tenth of the space
    variants: np.ndarray  # (S,) of int, the first variant that each seed selects; -1 where it selects none
    widen: float = (
        1.0  # factor on the standard error of what contains averages: above 1 where trials were imputed
    )


def pair_scores(variants: Sequence[Cells], *, tail: float = TAIL) -> PairScores:
    """The values of one loss from the cells of its variants, which have the same seeds.

    Averages and worst tenths use the test scores with a few missing trials imputed (`imputation.fill_gaps`).
    """
    filled = [fill_gaps(cells.test, cells.weights) for cells in variants]
    tuned = np.stack([tuned_pairs(cells.test, cells.validation) for cells in variants])
    average = np.stack(
        [average_pairs(item.scores, cells.weights) for cells, item in zip(variants, filled, strict=True)]
    )
    worst = np.stack(
        [
            worst_pairs(item.scores, cells.validation, cells.weights, tail=tail)
            for cells, item in zip(variants, filled, strict=True)
        ]
    )
    best = np.stack([best_validation(cells.validation) for cells in variants])  # (V, S)
    picked = (best == best.max(axis=0)) & np.isfinite(best)
    return PairScores(
        tuned=_of_picked(tuned, picked),
        average=_of_picked(average, picked),
        worst=_of_picked(worst, picked),
        variants=np.where(picked.any(axis=0), picked.argmax(axis=0), -1),
        widen=max(item.widen for item in filled),
    )


def tuned_pairs(test: np.ndarray, validation: np.ndarray) -> np.ndarray:
    """Test scores `(..., S, S)` of what each seed selects by validation, from `(..., C, S)`."""
    return scored(test, choice_chances(validation))


def average_pairs(test: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over the space `(..., S, S)`, which does not depend on the choosing seed; `weights` `(C,)`."""
    by_seed = np.moveaxis(np.where((weights > 0)[:, None], test, 0.0), -2, -1) @ weights
    shape = (*by_seed.shape, by_seed.shape[-1])
    return _without_diagonal(np.broadcast_to(by_seed[..., None, :], shape))


def worst_pairs(
    test: np.ndarray, validation: np.ndarray, weights: np.ndarray, *, tail: float = TAIL
) -> np.ndarray:
    """Test scores `(..., S, S)` of the worst `tail` of the space by each seed's validation (CVaR).

    Source: Acerbi and Tasche (2002), "On the coherence of expected shortfall", with the choice held out.
    """
    return scored(test, lowest_chances(validation, weights, tail), whole=True)


def choice_chances(validation: np.ndarray, *, worst: bool = False) -> np.ndarray:
    """Chance `(..., C, S)` that each seed selects each cell: shared by its best (or `worst`) cells, 0 elsewhere.

    A seed that knows less than `LEAST_KNOWN` of the scores that the fullest seed knows selects nothing: its best of a
    few is not what is estimated.
    """
    known = np.isfinite(validation) & _selecting(validation)
    if not validation.shape[-2]:
        return np.zeros(validation.shape)
    signed = np.where(known, -validation if worst else validation, -np.inf)
    best = known & (signed == signed.max(axis=-2, keepdims=True))
    return best / np.maximum(best.sum(axis=-2, keepdims=True), 1)


def best_of_chances(validation: np.ndarray, weights: np.ndarray, budget: int) -> np.ndarray:
    """Chance `(..., C, S)` of each cell to be the best of `budget` cells drawn under the measure, by each seed.

    `(F(v)^n - F(v-)^n) w / w(v)`, with F the distribution function of the seed's validation scores under the measure
    and w(v) the measure of all cells of equal score.
    """
    below, up_to, shares = _places(validation, weights)
    return (up_to**budget - below**budget) * shares


def lowest_chances(validation: np.ndarray, weights: np.ndarray, tail: float) -> np.ndarray:
    """The measure `(..., C, S)` within its lowest `tail` by each seed's validation, with sum 1."""
    below, up_to, shares = _places(validation, weights)
    return np.clip(tail - below, 0.0, up_to - below) / tail * shares


def scored(test: np.ndarray, chances: np.ndarray, *, whole: bool = False) -> np.ndarray:
    """`sum_c p[c, r] test[c, s]` `(..., S, S)` for chances p `(..., C, S)` of the choosing seeds; NaN at r = s.

    Cells without a score at s are left out, because the cells that one seed selects equally can stand for each other.
    With `whole`, as for a mixture of unequal cells, the pair is NaN instead.
    """
    known = np.isfinite(test)
    by_chooser = np.swapaxes(chances, -1, -2)
    weight = by_chooser @ known.astype(float)
    total = chances.sum(axis=-2)[..., :, None]
    used = weight > (total - 1e-9 if whole else 0.0)
    value = by_chooser @ np.where(known, test, 0.0)
    safe = np.where(weight > 0, weight, 1.0)
    scale = np.where(np.abs(weight - 1.0) < 1e-12, 1.0, safe)
    return _without_diagonal(np.where(used & (total > 0), value / scale, np.nan))


def first_chosen(chances: np.ndarray) -> np.ndarray:
    """The first cell `(..., S)` that each seed selects, of chances `(..., C, S)`; -1 where it selects none."""
    if not chances.shape[-2]:
        return np.full((*chances.shape[:-2], chances.shape[-1]), -1)
    return np.where(chances.any(axis=-2), (chances > 0).argmax(axis=-2), -1)


def shared_pairs(values: np.ndarray, seeds: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """The pairs of `(S, S)` whose two seeds are among `shared`, in their order."""
    at = np.searchsorted(seeds, shared)
    return values[np.ix_(at, at)]


def _selecting(validation: np.ndarray) -> np.ndarray:
    """Whether each seed knows enough scores to select, `(..., 1, S)`."""
    count = np.isfinite(validation).sum(axis=-2, keepdims=True)
    return (count > 0) & (count >= LEAST_KNOWN * count.max(axis=-1, keepdims=True, initial=0) - 1e-9)


def _places(validation: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`F(v-)`, `F(v)` and each cell's part of its group of equal scores, `(..., C, S)`; 0 without a score."""
    known = np.isfinite(validation) & (weights > 0)[:, None] & _selecting(validation)
    measure = np.where(known, weights[:, None], 0.0)
    total = measure.sum(axis=-2, keepdims=True)
    measure = measure / np.where(total > 0, total, 1.0)
    order = np.argsort(np.where(known, validation, np.inf), axis=-2, kind="stable")
    ordered = np.take_along_axis(np.where(known, validation, np.inf), order, axis=-2)
    up_to = np.cumsum(np.take_along_axis(measure, order, axis=-2), axis=-2)
    before = np.concatenate([np.zeros_like(up_to[..., :1, :]), up_to[..., :-1, :]], axis=-2)
    other = ordered[..., 1:, :] != ordered[..., :-1, :]
    edge = np.ones_like(ordered[..., :1, :], dtype=bool)
    start, end = np.concatenate([edge, other], axis=-2), np.concatenate([other, edge], axis=-2)
    below = np.maximum.accumulate(np.where(start, before, 0.0), axis=-2)
    above = np.flip(np.minimum.accumulate(np.flip(np.where(end, up_to, np.inf), axis=-2), axis=-2), axis=-2)
    back = np.argsort(order, axis=-2, kind="stable")
    below, above = (np.minimum(np.take_along_axis(item, back, axis=-2), 1.0) for item in (below, above))
    group = above - below
    return below, above, np.divide(measure, group, out=np.zeros_like(measure), where=known & (group > 0))


def best_validation(validation: np.ndarray) -> np.ndarray:
    """The best validation score `(..., S)` of each seed that selects; minus infinity elsewhere."""
    known = np.isfinite(validation) & _selecting(validation)
    return np.max(np.where(known, validation, -np.inf), axis=-2, initial=-np.inf)


def _of_picked(values: np.ndarray, picked: np.ndarray) -> np.ndarray:
    """The mean `(S, S)` of `(V, S, S)` over the variants that the choosing seed picks, of those known."""
    used = picked[:, :, None] & np.isfinite(values)
    count = used.sum(axis=0)
    total = np.where(used, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _without_diagonal(values: np.ndarray) -> np.ndarray:
    return np.where(np.eye(values.shape[-1], dtype=bool), np.nan, values)
