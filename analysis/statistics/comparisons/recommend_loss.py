"""The recommendation of a loss and a setting, from the cells of every loss (`comparisons.recommendation`)."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from analysis.model.aligned import common_seeds
from analysis.model.cells import Cells
from analysis.statistics.comparisons.chances import tuned_chances
from analysis.statistics.comparisons.recommendation import Candidate, Recommendation, known
from analysis.statistics.comparisons.simultaneous import LEAST_SEEDS_OF_CHOICES, MISSING_TRIALS
from analysis.statistics.comparisons.with_the_best import compared_with_best, least_error, pair_mean_and_error
from analysis.statistics.intervals.pairs import pair_error, pair_mean
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.choice import default_cell
from analysis.statistics.scores.pairs_of_seeds import choice_chances, scored
from analysis.statistics.scores.selection import DECIMALS, NONE, best_of

#: Part of the scores' size below which a standard error is rounding of a mean, so that scores count as equal.
_ROUNDING = 1e-12


def recommend_loss(
    losses: Mapping[str, Sequence[Cells]], *, tuned: bool = True, error: float = 1 - LEVEL
) -> Recommendation:
    """The loss and setting that validation of all seeds chooses, with expected score and regret.

    `losses` maps each loss to the cells of its variants. Only seeds that all of them have are used. Losses with as
    many seeds each and none in common are compared without pairs, with Welch's error; then no seed chooses among
    losses, and the score is that of the chosen loss, without an interval.

    With `tuned`, validation chooses the setting of each loss; otherwise the first variant has its default setting.
    Failed trials count as the worst outcome. There are no intervals below three common seeds, with missing trials,
    where the settings were drawn at random, because seeds show no error over settings, where a trial failed at a
    compared setting or one step beside it, because a few seeds do not show how often it fails, and where scores are
    equal at all seeds and the step of the metric is unknown.

    The regrets of all candidates hold at once with the chance `1 - error`, and with the same chance no best candidate
    is excluded (`best_bounds`). The interval of the score is of that level alone. Everything is resampled over seeds.

    Raises `ValueError` without any loss, and for losses that have neither common seeds nor seeds of their own.
    """
    if not losses:
        raise ValueError("losses: got none; at least one is needed")
    every = [cells for variants in losses.values() for cells in variants]
    common, paired = common_seeds(every), not have_own_seeds(losses)
    if paired and not len(common):
        raise ValueError("losses: they have no seed in common")
    shared = [
        [cells.on_seeds(common) if paired else cells for cells in variants] for variants in losses.values()
    ]
    picked = [_chosen_by_seed(variants) if tuned else _default(variants) for variants in shared]
    choosing = _choosing_values(shared, picked)  # (K, S)
    seeds = choosing.shape[1]
    matrices = np.stack([_scored(each, chances) for each, chances in zip(shared, picked, strict=True)])
    metric = shared[0][0].metric
    span, least = metric.span, least_error(metric.step, seeds)
    reason = _reason(
        matrices,
        fewer=any(len(cells.seeds) > seeds for cells in every),
        missing=any(cells.missing.any() for cells in every),
        drawn=any(cells.drawn for cells in every),
        failed=any(map(_fails_near, shared, picked)),
    )
    reason = reason or _no_spread(matrices, error, least)
    regrets, best = _regrets(matrices, error, reason, span, least, paired)
    gains: list[Estimate | None] = [None] * len(matrices)
    if not tuned:
        change = np.stack([_scored(each, _chosen_by_seed(each)) for each in shared]) - matrices
        gains = list(
            _estimates(change, 1 - error / len(change), (-span, span), reason, least, pair_mean_and_error)
        )
    found = []
    for place, (loss, variants, chances) in enumerate(zip(losses, shared, picked, strict=True)):
        variant, cell = (
            best_of([cells.validation for cells in variants]) if tuned else (0, default_cell(variants[0]))
        )
        row = sum(len(cells.codes) for cells in variants[:variant]) + cell
        candidate = Candidate(
            loss=loss,
            variant=variant,
            cell=cell,
            agreeing=0 if cell == NONE else int((chances[row] > 0).sum()),
            validation=round(_mean(choosing[place]), DECIMALS),
            score=float(pair_mean(matrices[place])),
            regret=regrets[place],
            may_be_best=bool(best[place]),
            gain=gains[place],
        )
        found.append(candidate)
    first, *rest = sorted(found, key=lambda each: -known(each.validation))
    others = sorted(rest, key=lambda each: -round(known(each.score), DECIMALS))
    score = Estimate(value=first.score, seeds=seeds, note="no seed chooses among the losses")
    if paired:
        scores = _of_chosen(matrices, choosing)[None]
        (score,) = _estimates(scores, 1 - error, metric.score_bounds, reason, least, pair_error)
    return Recommendation(
        candidates=(first, *others), score=score, seeds=seeds, error=error, reason=reason, paired=paired
    )


def have_own_seeds(losses: Mapping[str, Sequence[Cells]]) -> bool:
    """Whether each loss has seeds of its own, as many as the others and none in common with them."""
    own = [{tuple(sorted(cells.seeds.tolist())) for cells in variants} for variants in losses.values()]
    if len(own) < 2 or any(len(each) > 1 for each in own):
        return False
    seeds = [each for (each,) in own]
    every = {seed for each in seeds for seed in each}
    return len(set(map(len, seeds))) == 1 and len(every) == len(seeds) * len(seeds[0])


def _chosen_by_seed(variants: Sequence[Cells]) -> np.ndarray:
    """The chance `(C, S)` that validation of each seed chooses each cell of the variants, which follow each other."""
    return tuned_chances([cells.validation for cells in variants])


def _default(variants: Sequence[Cells]) -> np.ndarray:
    """The chances `(C, S)` of the default setting of the first variant: 1, and 0 elsewhere."""
    chances = np.zeros((sum(len(cells.codes) for cells in variants), len(variants[0].seeds)))
    chances[default_cell(variants[0])] = 1.0
    return chances


def _choosing_values(losses: Sequence[Sequence[Cells]], picked: Sequence[np.ndarray]) -> np.ndarray:
    """The value `(K, S)` by which each seed chooses among losses: validation at the setting that it chooses.

    Where another quantity chooses settings, such as a validation loss, it does not compare losses. Then it is the
    test score of the seed that chooses, which scores nothing else.
    """
    apart = any(cells.metric.selecting_apart for variants in losses for cells in variants)
    found = []
    for variants, chances in zip(losses, picked, strict=True):
        values = np.concatenate([cells.test if apart else cells.validation for cells in variants])
        used = chances > 0
        total = chances.sum(axis=0)
        mean = np.where(used, chances * values, 0.0).sum(axis=0) / np.where(total > 0, total, 1.0)
        found.append(np.where(total > 0, mean, np.nan))
    return np.array(found)


def _scored(variants: Sequence[Cells], chances: np.ndarray) -> np.ndarray:
    """The test score `(S, S)` of each seed, the last axis, at what each seed chooses; NaN on the diagonal."""
    return scored(np.concatenate([cells.test for cells in variants]), chances)


def _of_chosen(matrices: np.ndarray, choosing: np.ndarray) -> np.ndarray:
    """Scores `(S, S)` of the losses that seeds choose, by choosing seed (first axis) and scoring seed (second axis).

    If several losses have the highest score of a seed, the mean of their scores counts.
    """
    chances = choice_chances(choosing)[:, :, None]
    found: np.ndarray = np.where(chances > 0, chances * matrices, 0.0).sum(axis=0)
    return np.where(chances.any(axis=0), found, np.nan)


def _fails_near(variants: Sequence[Cells], picked: np.ndarray) -> bool:
    """Whether a trial failed in a cell that some seed chooses, or one step beside it on the axes."""
    ends = np.cumsum([len(cells.codes) for cells in variants])[:-1]
    for cells, chances in zip(variants, np.split(picked, ends), strict=True):
        chosen = cells.codes[(chances > 0).any(axis=1)]
        near = (np.abs(cells.codes[:, None] - chosen[None]) <= 1).all(axis=-1).any(axis=-1)
        if cells.failed[near].any():
            return True
    return False


def _mean(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else math.nan


def _reason(matrices: np.ndarray, *, fewer: bool, missing: bool, drawn: bool, failed: bool) -> str:
    """Why there are no intervals; "" otherwise. `fewer` says whether some loss has more than the common seeds."""
    seeds = matrices.shape[-1]
    if drawn:
        return "the settings were drawn at random, and seeds do not show how scores differ with another draw"
    if seeds < LEAST_SEEDS_OF_CHOICES:
        number = "1 seed" if seeds == 1 else f"{seeds} seeds"
        told = (
            f"the losses have {number} in common"
            if fewer
            else f"there {'is' if seeds == 1 else 'are'} {number}"
        )
        return f"{told}, and at least {LEAST_SEEDS_OF_CHOICES} are needed"
    if missing or not np.isfinite(matrices[:, ~np.eye(seeds, dtype=bool)]).all():
        return MISSING_TRIALS
    if failed:
        return "trials failed at or beside a compared setting, and a few seeds do not show how often"
    return ""


def _no_spread(matrices: np.ndarray, error: float, least: float) -> str:
    """The reason where scores or differences are equal at all seeds, and the metric's step is unknown.

    Only the spread of losses that may be the best, and of differences from them, counts. A difference without spread
    excludes no loss here.
    """
    if least:
        return ""
    _, errors = pair_mean_and_error(matrices[:, None] - matrices[None])
    alone = np.eye(len(matrices), dtype=bool)
    errors[alone] = pair_mean_and_error(matrices)[1]
    still = errors <= _ROUNDING * _size(matrices)
    best = (
        compared_with_best(matrices, error, np.where(still, np.inf, 0.0))[1]
        if len(matrices) > 1
        else np.ones(1, dtype=bool)
    )
    return "scores or differences are equal at all seeds" if still[best].any() else ""


def _size(matrices: np.ndarray) -> float:
    return float(np.abs(matrices[:, ~np.eye(matrices.shape[-1], dtype=bool)]).max())


def _estimates(
    matrices: np.ndarray,
    level: float,
    bounds: tuple[float, float],
    reason: str,
    least: float,
    mean_and_error: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> list[Estimate]:
    seeds = matrices.shape[-1]
    if reason:
        return [Estimate(value=float(pair_mean(matrix)), seeds=seeds, note=reason) for matrix in matrices]
    mean, error = mean_and_error(matrices)
    half = stats.t.ppf(0.5 + level / 2, seeds - 1) * np.maximum(error, least)
    low, high = np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)
    method = f"jackknife over pairs of seeds, {seeds - 1} df"
    return [
        Estimate(value=float(v), low=float(a), high=float(b), seeds=seeds, method=method)
        for v, a, b in zip(mean, low, high, strict=True)
    ]


def _regrets(
    matrices: np.ndarray, error: float, reason: str, span: float, least: float, paired: bool
) -> tuple[list[Estimate], np.ndarray]:
    """The regret of each candidate, and which candidates may be the best."""
    count, seeds = matrices.shape[0], matrices.shape[-1]
    reason = reason or ("one loss is not compared" if count == 1 else "")
    if reason:
        return [Estimate(value=float("nan"), seeds=seeds, note=reason)] * count, np.ones(count, dtype=bool)
    values, best, upper = compared_with_best(matrices, error, least, paired=paired)
    method = f"comparisons with the best of {count}, jackknife over pairs of seeds, {seeds - 1} df"
    method += "" if paired else ", losses not paired"
    found = [
        Estimate(value=float(value), low=0.0, high=float(min(high, span)), seeds=seeds, method=method)
        for value, high in zip(values, upper, strict=True)
    ]
    return found, best
