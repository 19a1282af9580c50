"""How much each hyperparameter matters: shares of the variance between configurations, and Optuna's importances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.bootstrap import DRAWS, resampling_weights
from analysis.statistics.intervals.jackknife import TOO_FEW, jackknife_estimate
from analysis.statistics.intervals.student import Estimate
from analysis.statistics.sensitivity.decomposition import (
    complete_seeds,
    cross_variances,
    effect_grams,
    effects_of,
    seed_counts,
)
from analysis.statistics.sensitivity.given_data import first_order_shares

EXACT = "exact ANOVA of the grid"
GIVEN = "given-data estimate, main effects alone"
#: Least number of complete seeds. Two seeds give one product of seeds, so all draws are equal, and nothing shows the
#: error of a share. That error is 0.13 (root mean square) for effects as large as noise, and 0.32 for half as large.
LEAST_SEEDS = 3
_TOO_FEW = f"needs {LEAST_SEEDS} complete seeds"


@dataclass(frozen=True, kw_only=True)
class Importance:
    """One hyperparameter."""

    name: str
    main: Estimate  # alone
    total: Estimate | None  # including all its interactions; None where they are not known
    first: float  # share of bootstrap draws of the seeds in which this hyperparameter is the most important
    optuna: float  # Optuna's importance, which sums to 1 over hyperparameters; NaN where none is given


@dataclass(frozen=True, kw_only=True)
class Importances:
    """All hyperparameters of one arm."""

    rows: tuple[Importance, ...]
    method: str
    seeds: int  # with a score in every configuration used
    cells: int  # configurations used


def grid_importances(
    scores: np.ndarray,
    axis_weights: Sequence[np.ndarray],
    names: Sequence[str],
    *,
    rng: np.random.Generator,
    optuna: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> Importances:
    """Exact main and total shares of each axis of a grid `(A1, ..., Ak, S)` under the measure.

    `main_j = V_j / V`, `total_j = sum_(u with j) V_u / V` (Sobol 1993; Homma and Saltelli 1996), from unbiased
    variances (`decomposition.cross_variances`) over the seeds with a score in every cell, at least three. Where the
    estimate of the interactions is below 0, the total is the main share. Jackknife intervals over seeds (at least 5
    seeds).
    """
    known = scores[..., complete_seeds(scores)]
    grams, effects = effect_grams(known, axis_weights), effects_of(len(names))
    holds = np.array([[axis in effect for axis in range(len(names))] for effect in effects])
    alone = holds & (holds.sum(axis=1, keepdims=True) == 1)

    def shares(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        variances = cross_variances(grams, counts)
        total = variances.sum(axis=1, keepdims=True)
        part = np.divide(variances, total, out=np.full(variances.shape, np.nan), where=total > 0)
        return part @ alone, np.maximum(part @ holds, part @ alone)

    seeds = known.shape[-1]
    main, total = shares(seed_counts(seeds))
    drawn_main, drawn_total = shares(resampling_weights(max(seeds, 1), draws, rng)[:, :seeds])
    rows = _rows(names, main, drawn_main, optuna, total=total, drawn_total=drawn_total)
    return Importances(rows=rows, method=EXACT, seeds=seeds, cells=int(np.prod(known.shape[:-1])))


def given_importances(
    points: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    rng: np.random.Generator,
    optuna: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> Importances:
    """Main shares of each axis of points `(C, k)` with scores `(C, S)`: `given_data.first_order_shares`.

    Cells without a score at a seed that other cells have are left out. Jackknife intervals over seeds (at least 5
    seeds); they do not include the error from too few points.
    """
    some = np.isfinite(scores).any(axis=0)
    whole = np.isfinite(scores[:, some]).all(axis=1) & some.any()
    used, values = points[whole], scores[whole][:, some]
    drawn = resampling_weights(max(values.shape[1], 1), draws, rng)[:, : values.shape[1]]
    counts = np.concatenate([seed_counts(values.shape[1]), drawn])
    found = np.full((len(counts), len(names)), np.nan)
    if len(used):
        found = first_order_shares(used, values, counts, rng)
    split = values.shape[1] + 1
    rows = _rows(names, found[:split], found[split:], optuna)
    return Importances(rows=rows, method=GIVEN, seeds=values.shape[1], cells=len(used))


def _rows(
    names: Sequence[str],
    main: np.ndarray,
    drawn_main: np.ndarray,
    optuna: Mapping[str, float] | None,
    *,
    total: np.ndarray | None = None,
    drawn_total: np.ndarray | None = None,
) -> tuple[Importance, ...]:
    note = ""
    if main.shape[0] - 1 < LEAST_SEEDS:
        main, drawn_main, note = np.full_like(main, np.nan), np.full_like(drawn_main, np.nan), _TOO_FEW
        total = None if total is None else main
        drawn_total = None if drawn_total is None else drawn_main
    leading = drawn_main if drawn_total is None else drawn_total
    known = leading[np.isfinite(leading).all(axis=1)]
    first = np.bincount(known.argmax(axis=1), minlength=len(names)) / len(known) if len(known) else None
    return tuple(
        Importance(
            name=name,
            main=_share_estimate(main[:, axis], note),
            total=None if total is None else _share_estimate(total[:, axis], note),
            first=float("nan") if first is None else float(first[axis]),
            optuna=float((optuna or {}).get(name, float("nan"))),
        )
        for axis, name in enumerate(names)
    )


def _share_estimate(shares: np.ndarray, note: str) -> Estimate:
    """An estimate from shares `(S + 1,)`, clipped to [0, 1]: the first of all seeds, then with each seed left out."""
    value = float(np.clip(shares[0], 0.0, 1.0))
    return jackknife_estimate(value, shares[1:], bounds=(0.0, 1.0), note=note or _no_variance(shares))


def _no_variance(shares: np.ndarray) -> str:
    if np.isfinite(shares[0]):
        return ""
    return TOO_FEW if len(shares) < 3 else "no variance between configurations"
