"""Which loss to use, and what another choice can cost: multiple comparisons with the best.

A loss is judged by its expected test score where validation of one seed chooses its setting and another seed scores
it (`statistics.scores.pairs_of_seeds`). The score and what it is compared with come from seeds that did not choose,
so no loss gains by having many settings to choose from. The regret of a loss is the expected score of the best loss
minus its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import stats

from analysis.model.cells import Cells
from analysis.statistics.intervals.pairs import pair_mean, pseudo_values
from analysis.statistics.intervals.student import LEVEL, Estimate
from analysis.statistics.scores.choice import default_cell

#: Least number of seeds. With two there is one difference of ordered pairs, and its error has one degree of freedom.
LEAST_SEEDS = 3
#: Standard error of scores below which they are equal, because rounding of a mean can cause it.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A loss with the setting that validation of all seeds chooses, or with its default setting."""

    loss: str
    variant: int  # index into the variants of the loss
    cell: int  # index into the cells of the variant
    agreeing: int  # number of seeds that alone choose this setting
    score: float  # expected test score, estimated
    regret: Estimate  # expected score of the best candidate minus this one's, from 0
    may_be_best: bool  # whether the records do not exclude that it is the best candidate
    gain: Estimate | None = None  # of tuning it, where the setting is the default


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What validation chooses among the candidates, and what that choice is worth.

    The score is that of the choice that validation of one seed makes among all losses and settings, as other seeds
    score it. So it contains no luck of the chosen loss. All seeds together choose the candidate that is named.
    """

    candidates: tuple[Candidate, ...]  # the chosen one first, then by their scores
    score: Estimate
    seeds: int
    error: float  # chance that any regret is larger than its interval says; also that a best candidate is excluded
    reason: str = ""  # why there are no intervals, and so no choice is supported

    @property
    def chosen(self) -> Candidate:
        """The candidate that validation of all seeds chooses."""
        return self.candidates[0]

    @property
    def regret(self) -> Estimate:
        """Of the chosen candidate."""
        return self.chosen.regret

    @property
    def rivals(self) -> tuple[Candidate, ...]:
        """The other candidates that may be the best."""
        return tuple(each for each in self.candidates[1:] if each.may_be_best)

    @property
    def is_clear(self) -> bool:
        """Whether the chosen candidate alone may be the best."""
        return not self.reason and self.chosen.may_be_best and not self.rivals


def recommend_loss(
    losses: Mapping[str, Sequence[Cells]], *, tuned: bool = True, error: float = 1 - LEVEL
) -> Recommendation:
    """The loss and setting that validation of all seeds chooses, with expected score and regret.

    `losses` maps each loss to the cells of its variants. Only seeds that all of them have are used. With `tuned`,
    validation chooses the setting of each loss; otherwise the first variant has its default setting. Failed trials
    count as the worst outcome. There are no intervals below three common seeds, with missing trials, where the
    settings were drawn at random, because seeds show no error over settings, where a trial failed at a compared
    setting or one step beside it, because a few seeds do not show how often it fails, and where scores are equal at
    all seeds and the step of the metric is unknown.

    The regrets of all candidates hold at once with the chance `1 - error`, and with the same chance no best candidate
    is excluded (`best_bounds`). The interval of the score is of that level alone. Everything is resampled over seeds.

    Raises `ValueError` without any loss, and for losses without a common seed.
    """
    if not losses:
        raise ValueError("losses: got none; at least one is needed")
    common = common_seeds(losses)
    if not len(common):
        raise ValueError("losses: they have no seed in common")
    shared = [[cells.on_seeds(common) for cells in variants] for variants in losses.values()]
    picked = [_chosen_by_seed(variants) if tuned else _defaults(variants) for variants in shared]
    values = [_scored(variants, cells) for variants, cells in zip(shared, picked, strict=True)]
    choosing = _choosing_values(shared, picked)  # (K, S)
    seeds = choosing.shape[1]
    choice = np.argmax(np.where(np.isfinite(choosing), choosing, -np.inf), axis=0)
    matrices = np.stack(values)  # (K, S, S)
    metric = shared[0][0].metric
    span, least = metric.span, least_error(metric.step, seeds)
    every = [cells for variants in losses.values() for cells in variants]
    reason = _reason(
        matrices,
        fewer=any(len(cells.seeds) > seeds for cells in every),
        drawn=any(cells.drawn for cells in every),
        failed=any(map(_fails_near, shared, picked)),
    )
    reason = reason or _no_spread(matrices, least)
    regrets, best = _regrets(matrices, error, reason, span, least)
    gains: list[Estimate | None] = [None] * len(values)
    if not tuned:
        change = np.stack([_scored(each, _chosen_by_seed(each)) for each in shared]) - matrices
        gains = list(_estimates(change, 1 - error / len(values), (-span, span), reason, least))
    found = []
    for place, (loss, variants, cells) in enumerate(zip(losses, shared, picked, strict=True)):
        chosen = _chosen_by_all(variants) if tuned else (0, int(cells[0, 1]))
        candidate = Candidate(
            loss=loss,
            variant=chosen[0],
            cell=chosen[1],
            agreeing=int((cells == chosen).all(axis=1).sum()),
            score=float(pair_mean(matrices[place])),
            regret=regrets[place],
            may_be_best=bool(best[place]),
            gain=gains[place],
        )
        found.append((_mean(choosing[place]), candidate))
    (_, first), *rest = sorted(found, key=lambda item: -np.nan_to_num(item[0], nan=-np.inf))
    others = sorted((each for _, each in rest), key=lambda each: -np.nan_to_num(each.score, nan=-np.inf))
    return Recommendation(
        candidates=(first, *others),
        score=_estimates(
            matrices[choice, np.arange(seeds)][None], 1 - error, metric.score_bounds, reason, least
        )[0],
        seeds=seeds,
        error=error,
        reason=reason,
    )


def best_bounds(
    differences: np.ndarray, errors: np.ndarray, *, quantile: float, excluding: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which of K candidates may be the best `(..., K)`, and the upper ends of their regrets `(..., K)`.

    `differences` and their standard `errors` are `(..., K, K)`: candidate k minus candidate i, at `[k, i]`. Candidate
    k may be the best if `d[k, i] + r se[k, i] >= 0` for all i, with the quantile r = `excluding` of Bonferroni's
    correction for all K (K - 1) ordered pairs. So no candidate is excluded that is as good as all others, also where
    several are.

    With k* a best candidate, the K - 1 statements `theta_k* - theta_i <= d[k*, i] + q se[k*, i]` hold at once with
    the chance that Bonferroni's `quantile` q <= r gives. Where they hold, k* may be the best, and the regret of each
    i is at most the largest `d[k, i] + q se[k, i]` over the candidates k that may be. So these bounds hold for all
    candidates at once, also for one that the same data chose.

    Source: Hsu, J. C. (1984), Constrained simultaneous confidence intervals for multiple comparisons with the best,
    Annals of Statistics 12(3), 1136-1144; here with Bonferroni's quantiles and an error of its own for each pair.
    """
    same = np.arange(differences.shape[-1])
    upper, wider = differences + quantile * errors, differences + excluding * errors
    upper[..., same, same] = wider[..., same, same] = 0.0
    best: np.ndarray = np.all(wider >= 0, axis=-1)
    return best, np.max(np.where(best[..., :, None], np.maximum(upper, 0.0), 0.0), axis=-2)


def compared_with_best(
    matrices: np.ndarray, error: float, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimated regrets, which candidates may be the best, and upper ends of the regrets, each `(..., K)`.

    `matrices` `(..., K, S, S)` has the test score of each seed, the last axis, at the setting that each seed chooses.
    K is at least 2, and S at least 3. No standard error is below `least`. See `best_bounds`.
    """
    count, freedom = matrices.shape[-3], matrices.shape[-1] - 1
    gaps = matrices[..., :, None, :, :] - matrices[..., None, :, :, :]
    differences, errors = pair_mean_and_error(gaps)
    best, upper = best_bounds(
        differences,
        np.maximum(errors, least),
        quantile=float(stats.t.ppf(1 - error / (count - 1), freedom)),
        excluding=float(stats.t.ppf(1 - error / (count * (count - 1)), freedom)),
    )
    return np.maximum(differences.max(axis=-2), 0.0), best, upper


def least_error(step: float, seeds: int) -> float:
    """The standard error over seeds that rounding to steps of the metric gives; 0 where the step is unknown.

    Accuracies come in steps, so equal ones are not certain.
    """
    return step / math.sqrt(12 * seeds)


def pair_mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over ordered pairs of seeds, and its standard error, of values `(..., S, S)`; the diagonal is not read.

    The jackknife leaves out one seed with all of its pairs: `(S - 1) / S sum_j (theta_(-j) - theta)^2`.
    """
    by_seed = pseudo_values(values)
    return pair_mean(values), by_seed.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])


def common_seeds(losses: Mapping[str, Sequence[Cells]]) -> np.ndarray:
    """The seeds that all variants of all losses have."""
    return reduce(np.intersect1d, [cells.seeds for variants in losses.values() for cells in variants])


def _chosen_by_seed(variants: Sequence[Cells]) -> np.ndarray:
    """The variant and the cell `(S, 2)` that validation of each seed chooses."""
    known = [np.where(np.isfinite(cells.validation), cells.validation, -np.inf) for cells in variants]
    cell = np.stack([np.argmax(each, axis=0) for each in known])  # (V, S)
    best = np.argmax(np.stack([each.max(axis=0) for each in known]), axis=0)
    return np.stack([best, cell[best, np.arange(cell.shape[1])]], axis=1)


def _defaults(variants: Sequence[Cells]) -> np.ndarray:
    return np.tile([0, default_cell(variants[0])], (len(variants[0].seeds), 1))


def _chosen_by_all(variants: Sequence[Cells]) -> tuple[int, int]:
    means = [_over_seeds(cells.validation) for cells in variants]
    variant = int(np.argmax([mean.max() for mean in means]))
    return variant, int(np.argmax(means[variant]))


def _over_seeds(values: np.ndarray) -> np.ndarray:
    """The mean over seeds, the last axis; minus infinity where one is missing."""
    known = np.isfinite(values)
    return np.where(known.all(axis=-1), np.where(known, values, 0.0).mean(axis=-1), -np.inf)


def _choosing_values(losses: Sequence[Sequence[Cells]], picked: Sequence[np.ndarray]) -> np.ndarray:
    """The value `(K, S)` by which each seed chooses among losses: validation at the setting that it chooses.

    Where another quantity chooses settings, such as a validation loss, it does not compare losses. Then it is the
    test score of the seed that chooses, which scores nothing else.
    """
    apart = any(cells.metric.selecting_apart for variants in losses for cells in variants)
    return np.array(
        [
            [
                (variants[v].test if apart else variants[v].validation)[c, seed]
                for seed, (v, c) in enumerate(cells)
            ]
            for variants, cells in zip(losses, picked, strict=True)
        ]
    )


def _scored(variants: Sequence[Cells], cells: np.ndarray) -> np.ndarray:
    """The test score `(S, S)` of each seed, the last axis, in the cell that each seed chooses."""
    return np.stack([variants[variant].test[cell] for variant, cell in cells.tolist()])


def _fails_near(variants: Sequence[Cells], picked: np.ndarray) -> bool:
    """Whether a trial failed in a cell that some seed chooses, or one step beside it on the axes."""
    for place, cells in enumerate(variants):
        chosen = cells.codes[np.unique(picked[picked[:, 0] == place, 1])]
        near = (np.abs(cells.codes[:, None] - chosen[None]) <= 1).all(axis=-1).any(axis=-1)
        if cells.failed[near].any():
            return True
    return False


def _mean(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")


def _reason(matrices: np.ndarray, *, fewer: bool, drawn: bool, failed: bool) -> str:
    """Why there are no intervals; "" otherwise. `fewer` says whether some loss has more than the common seeds."""
    seeds = matrices.shape[-1]
    if seeds < LEAST_SEEDS:
        number = "1 seed" if seeds == 1 else f"{seeds} seeds"
        told = (
            f"the losses have {number} in common"
            if fewer
            else f"there {'is' if seeds == 1 else 'are'} {number}"
        )
        return f"{told}, and at least {LEAST_SEEDS} are needed"
    if not np.isfinite(matrices[:, ~np.eye(seeds, dtype=bool)]).all():
        return "trials are missing"
    if drawn:
        return "the settings were drawn at random: seeds do not show how scores differ with another draw"
    if failed:
        return "trials failed at or beside a compared setting, and a few seeds do not show how often"
    return ""


def _no_spread(matrices: np.ndarray, least: float) -> str:
    """The reason where scores or their differences are equal at all seeds, and the metric's step is unknown."""
    if least:
        return ""
    pairs = [matrices[i] - matrices[k] for k in range(len(matrices)) for i in range(k)]
    _, errors = pair_mean_and_error(np.stack([*matrices, *pairs]))
    return (
        "scores or differences are equal at all seeds"
        if (errors <= _ROUNDING * _size(matrices)).any()
        else ""
    )


def _size(matrices: np.ndarray) -> float:
    return float(np.abs(matrices[:, ~np.eye(matrices.shape[-1], dtype=bool)]).max())


def _estimates(
    matrices: np.ndarray, level: float, bounds: tuple[float, float], reason: str, least: float
) -> list[Estimate]:
    seeds = matrices.shape[-1]
    if reason:
        return [Estimate(value=float(pair_mean(matrix)), seeds=seeds, note=reason) for matrix in matrices]
    mean, error = pair_mean_and_error(matrices)
    half = stats.t.ppf(0.5 + level / 2, seeds - 1) * np.maximum(error, least)
    low, high = np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)
    method = f"jackknife over pairs of seeds, {seeds - 1} df"
    return [
        Estimate(value=float(v), low=float(a), high=float(b), seeds=seeds, method=method)
        for v, a, b in zip(mean, low, high, strict=True)
    ]


def _regrets(
    matrices: np.ndarray, error: float, reason: str, span: float, least: float
) -> tuple[list[Estimate], np.ndarray]:
    """The regret of each candidate, and which candidates may be the best."""
    count, seeds = matrices.shape[0], matrices.shape[-1]
    reason = reason or ("one loss is not compared" if count == 1 else "")
    if reason:
        return [Estimate(value=float("nan"), seeds=seeds, note=reason)] * count, np.ones(count, dtype=bool)
    values, best, upper = compared_with_best(matrices, error, least)
    method = f"comparisons with the best of {count}, jackknife over pairs of seeds, {seeds - 1} df"
    found = [
        Estimate(value=float(value), low=0.0, high=float(min(high, span)), seeds=seeds, method=method)
        for value, high in zip(values, upper, strict=True)
    ]
    return found, best
