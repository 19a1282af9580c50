"""Analysis of variance of a balanced grid: tests of its effects, and the share of the variance of each effect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals.jackknife import TOO_FEW, jackknife_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.sensitivity.decomposition import (
    complete_seeds,
    cross_variances,
    effect_grams,
    effects_of,
    seed_counts,
)

#: F and p where no test is possible.
_NO_TEST = (float("nan"), float("nan"))
#: Below this share of an effect's sum of squares, its differences between seeds are rounding errors.
_ROUNDING = 1e-13


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A main effect (one axis) or an interaction (several)."""

    axes: tuple[int, ...]
    freedom: int
    square_sum: float  # over all trials; all cells have equal weight
    f: float  # against cell x seed
    p: float
    p_own: float  # against this effect x seed, corrected after Greenhouse and Geisser
    share: Estimate  # of the variance between configurations, under the measure


@dataclass(frozen=True, kw_only=True)
class Anova:
    """The ANOVA table of a grid. Variances are those of one trial."""

    effects: tuple[Effect, ...]
    between: float  # variance between configurations under the measure, without noise
    seed: float  # variance of the shift that a seed gives to all cells
    residual: float  # variance of cell x seed
    seeds: int  # seeds with a score in every cell
    note: str = ""


def anova(scores: np.ndarray, axis_weights: Sequence[np.ndarray], *, note: str = "") -> Anova:
    """Exact ANOVA of `(A1, ..., Ak, S)`, with seeds as blocks and cell x seed as the error.

    Trials of one seed share their random streams. The seed is therefore a block and not a nested replicate
    (randomised complete block design, Fisher 1935). The shift of each seed is removed, and the error is the
    interaction cell x seed, `MS_e` with `(C - 1)(S - 1)` degrees of freedom; `F_u = MS_u / MS_e`. This is exact for
    errors of equal variance. Cells near divergence are noisier. So `p_own` tests each effect against its own
    interaction with the seed, `F_u = MS_u / MS_(u x seed)`, with both degrees of freedom multiplied by the epsilon of
    Greenhouse and Geisser (1959). Where the two tests differ, trust `p_own`. Both tests give all cells equal weight,
    as the classical hypotheses do. Where axes interact, a main effect under another measure is a different quantity.

    `share_u = V_u / sum_v V_v` under the measure, from unbiased variances (`decomposition.cross_variances`), with a
    jackknife interval over seeds (at least 5 seeds). Seeds that lack a cell are left out. The tests need two seeds.
    """
    whole = complete_seeds(scores)
    known, axes = scores[..., whole], scores.ndim - 1
    seeds, effects = int(whole.sum()), effects_of(axes)
    if seeds < 2:
        note = note or (TOO_FEW if seeds else "no complete seed")
        return Anova(
            effects=tuple(_untested(effect, scores.shape, seeds, note) for effect in effects),
            between=float("nan"),
            seed=float("nan"),
            residual=float("nan"),
            seeds=seeds,
            note=note,
        )
    grams = effect_grams(known, [np.full(size, 1 / size) for size in scores.shape[:-1]])
    cells = int(np.prod(scores.shape[:-1]))
    errors = cells * np.array([_between_seeds(gram) for gram in grams])
    freedom = (cells - 1) * (seeds - 1)
    residual = float(errors.sum() / freedom) if freedom else float("nan")
    shares, between = variance_shares(known, axis_weights, note=note)
    rows = [
        _tested(effect, gram, scores.shape, residual, share)
        for effect, gram, share in zip(effects, grams, shares, strict=True)
    ]
    of_seed = float(known.reshape(cells, seeds).mean(axis=0).var(ddof=1) - np.nan_to_num(residual) / cells)
    return Anova(
        effects=tuple(rows),
        between=between,
        seed=max(of_seed, 0.0),
        residual=residual,
        seeds=seeds,
        note=note,
    )


def variance_shares(
    scores: np.ndarray, axis_weights: Sequence[np.ndarray], *, note: str = ""
) -> tuple[list[Estimate], float]:
    """Share of each effect in the variance between configurations, and that variance, over complete seeds."""
    variances = cross_variances(effect_grams(scores, axis_weights), seed_counts(scores.shape[-1]))
    total = variances.sum(axis=1, keepdims=True)
    shares = np.divide(variances, total, out=np.full(variances.shape, np.nan), where=total > 0)
    return [share_estimate(share, note) for share in shares.T], float(total[0, 0])


def share_estimate(shares: np.ndarray, note: str) -> Estimate:
    """An estimate from shares `(S + 1,)`, clipped to [0, 1]: the first of all seeds, then with each seed left out."""
    value = float(np.clip(shares[0], 0.0, 1.0))
    return jackknife_estimate(value, shares[1:], bounds=(0.0, 1.0), note=note or _no_variance(shares))


def _no_variance(shares: np.ndarray) -> str:
    if np.isfinite(shares[0]):
        return ""
    return TOO_FEW if len(shares) < 3 else "no variance between configurations"


def _tested(
    effect: tuple[int, ...], gram: np.ndarray, shape: tuple[int, ...], residual: float, share: Estimate
) -> Effect:
    seeds, cells = len(gram), int(np.prod(shape[:-1]))
    freedom = _freedom(effect, shape)
    square_sum = float(cells * gram.sum() / seeds)
    f, p = _f_test(square_sum, residual, freedom, (cells - 1) * (seeds - 1))
    return Effect(
        axes=effect,
        freedom=freedom,
        square_sum=square_sum,
        f=f,
        p=p,
        p_own=_own_p(gram, square_sum, cells, freedom),
        share=share,
    )


def _f_test(square_sum: float, error: float, freedom: float, error_freedom: float) -> tuple[float, float]:
    """F and p. Without error, an effect has p = 0; without error and effect, there is no test."""
    if not freedom or not error_freedom or (error == 0 and square_sum == 0):
        return _NO_TEST
    if error == 0:
        return float("inf"), 0.0
    f = square_sum / freedom / error
    return float(f), float(stats.f.sf(f, freedom, error_freedom))


def _between_seeds(gram: np.ndarray) -> float:
    """Sum of squares `sum_s |f_s - f|^2` from a Gram matrix `(S, S)`; 0 where it is only rounding error."""
    own = float(np.trace(gram))
    apart = own - float(gram.sum()) / len(gram)
    return apart if apart > _ROUNDING * own else 0.0


def _own_p(gram: np.ndarray, square_sum: float, cells: int, freedom: int) -> float:
    """p against effect x seed, with `epsilon = tr(Q)^2 / (freedom tr(Q^2))` from the centred Gram matrix Q."""
    seeds = len(gram)
    centre = np.eye(seeds) - 1 / seeds
    centred = centre @ gram @ centre
    trace = _between_seeds(gram)
    if not freedom or trace <= 0:
        return _f_test(square_sum, 0.0, freedom, freedom)[1]
    epsilon = min(trace**2 / (freedom * float(np.square(centred).sum())), 1.0)
    error = cells * trace / (freedom * (seeds - 1))
    f = square_sum / freedom / error
    return float(stats.f.sf(f, epsilon * freedom, epsilon * freedom * (seeds - 1)))


def _freedom(effect: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.prod([shape[axis] - 1 for axis in effect]))


def _untested(effect: tuple[int, ...], shape: tuple[int, ...], seeds: int, note: str) -> Effect:
    nothing = float("nan")
    return Effect(
        axes=effect,
        freedom=_freedom(effect, shape),
        square_sum=nothing,
        f=nothing,
        p=nothing,
        p_own=nothing,
        share=Estimate(value=nothing, seeds=seeds, note=note),
    )
