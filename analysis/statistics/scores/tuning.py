"""Tuning curves: the expected score of the best of n random configurations, and trials to parity."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.bands import curve_band
from analysis.statistics.intervals.student import student_interval

#: Least number of seeds for the interval of a curve.
MIN_SEEDS_TUNING = 3
#: Start of the note on a curve that covers only a part of the space.
_PART = "provisional: over"
#: Why the curve of drawn configurations has no interval.
DRAWN = "drawn configurations: no interval"
METHOD = "Student; band by the largest t over the curve"
METHOD_TRAINED_ANEW = "Student over jackknife values, conservative; band by the largest t over the curve"


@dataclass(frozen=True, kw_only=True)
class TuningCurve:
    """Expected score of the best of n configurations, for each n. Where ends are NaN, `note` gives the reason."""

    trials: np.ndarray  # (N,) n, increasing
    mean: np.ndarray  # (N,)
    low: np.ndarray  # (N,) of the interval at each n alone
    high: np.ndarray  # (N,)
    band_low: np.ndarray  # (N,) of the band that holds for all n at once
    band_high: np.ndarray  # (N,)
    by_seed: np.ndarray  # (N, S), used by intervals and paired comparisons; NaN for a seed that lacks a cell
    seeds: int
    method: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Least number of trials that reaches a target: inf if `most` trials do not, NaN if the scores are unknown."""

    trials: float
    low: float
    high: float
    most: int  # the largest number tried
    seeds: int
    note: str = ""


def tuning_curve(
    test: np.ndarray,
    validation: np.ndarray,
    weights: np.ndarray,
    trials: np.ndarray,
    *,
    rng: np.random.Generator,
    same_trials: bool = False,
    drawn: bool = False,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> TuningCurve:
    """Expected test score of the configuration that validation picks among n drawn from the space, for each n.

    `T(n) = sum_c ( F(v_c)^n - F(v_c-)^n ) test_c` over the cells `(C, S)`: n configurations are drawn independently
    by `weights` `(C,)`, one seed trains each of them once, and the best validation score `v` picks one. `F` is the
    distribution function of v under the weights. This is the exact expectation, not a simulation. Cells of equal
    score share their chance by weight.

    Of `drawn` configurations, n different ones are picked (`drawn_chances`), because with repetition the best of n
    drawn points is too low: by 0.6 to 0.9 points at n = 64. The curve ends at n = C, and is unknown where the points
    were drawn by another measure than the one scored. It has neither interval nor band: over seeds alone they covered
    26 to 85 %.

    Source: Dodge et al. (2019), "Show your work", equation 1, which takes the maximum of validation scores. That
    maximum is too high, because the same data pick and score it. Here validation picks and test reports. The pick at
    seed s is scored by the mean of the same configuration at the other seeds, as if it were trained again, so that a
    lucky run does not look like tuning. With `same_trials` the picked trial itself is scored, as if its encoder were
    kept.

    Intervals and band are over seeds, with the configurations of the space given. The bands of Lourie, Cho and He
    (2024), "Show your work with confidence" (OPDA), are over the configurations that a search draws.

    `by_seed` holds each seed's part of the mean. With `same_trials` this is the seed's curve. Otherwise it is the
    jackknife pseudo-values of this U-statistic of pairs of seeds, whose variance errs upwards (Efron and Stein 1981).
    Intervals are Student's over them and need three seeds. Seeds that lack a cell are left out. Where all seeds lack
    one, the curve is that of the cells known at all seeds, without an interval. With a single seed the curve is that
    of `same_trials`.
    """
    trials = np.asarray(trials)
    test, validation, shares, whole, note = _usable(test, validation, weights)
    by_seed = np.full((len(trials), len(whole)), np.nan)
    seeds = int(whole.sum())
    if seeds:
        by_seed[:, whole] = _by_seed(
            test[:, whole], validation[:, whole], shares, trials, same_trials or seeds < 2, drawn
        )
    if seeds == 1 and not same_trials:
        note = "; ".join(filter(None, [note, "chosen and scored on the same seed"]))
    mean, low, high = student_interval(by_seed, bounds=bounds)
    band_low, band_high = curve_band(by_seed, rng=rng, bounds=bounds)
    if drawn or note.startswith(_PART) or seeds < MIN_SEEDS_TUNING:
        low, high, band_low, band_high = np.full((4, len(trials)), np.nan)
        note = note or (DRAWN if drawn else "")
        note = note or ("too few seeds" if seeds else "no trials")
    return TuningCurve(
        trials=trials,
        mean=mean,
        low=low,
        high=high,
        band_low=band_low,
        band_high=band_high,
        by_seed=by_seed,
        seeds=seeds,
        method="" if not np.isfinite(low).any() else METHOD if same_trials else METHOD_TRAINED_ANEW,
        note=note,
    )


def trials_to_parity(
    by_seed: np.ndarray, target: np.ndarray, trials: np.ndarray, *, margin: float = 0.0, note: str = ""
) -> Parity:
    """Least n at which one loss's tuning curve `(N, S)` reaches another's score `(S,)` less `margin`, paired by seed.

    The target is the other loss's default score, or its curve at some n, at the same seeds. `trials` `(N,)` holds the
    numbers n. The interval inverts Student's intervals of the difference: it reaches from the first n whose upper end
    is at least 0 to the first n from which on all lower ends are. Only the two differences beside the true crossing
    can push an end past it, so the interval has its level without a band. It is conservative, because n is discrete.
    It needs three seeds. With a `note`, for example on a curve over a part of the space, there is no interval.
    """
    difference = by_seed - (target - margin)
    mean, low, high = student_interval(difference)
    seeds = int(np.isfinite(difference).all(axis=0).sum())
    reached = _first(mean >= 0, trials) if np.isfinite(mean).all() else np.nan
    if note or seeds < MIN_SEEDS_TUNING:
        low, high = np.full((2, len(trials)), np.nan)
    known = bool(np.isfinite(low).all())
    settled = np.logical_and.accumulate((low >= 0)[::-1])[::-1]
    return Parity(
        trials=reached,
        low=_first(high >= 0, trials) if known else np.nan,
        high=_first(settled, trials) if known else np.nan,
        most=int(trials[-1]),
        seeds=seeds,
        note=note or ("" if known else "too few seeds" if seeds else "no trials"),
    )


def pick_chances(validation: np.ndarray, weights: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Chance `(N, C)` of each cell to be the pick of n draws, `(F(v)^n - F(v-)^n) w / w(v)`, from `(C,)` and `(C,)`.

    `w(v)` is the share of all cells of equal validation score; weights decide among them.
    """
    _, place = np.unique(validation, return_inverse=True)
    share = np.bincount(place, weights=weights)
    up_to = np.minimum(np.cumsum(share), 1.0)
    powers = up_to ** np.asarray(trials)[:, None]
    chance = np.diff(powers, axis=1, prepend=0.0)
    return (chance / np.where(share > 0, share, 1.0))[:, place] * weights


def drawn_chances(validation: np.ndarray, weights: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Chance `(N, C)` of each drawn configuration to be the best of n different ones, each n of them as probable.

    `[binom(K, n) - binom(K-, n)] / binom(C, n)` with K and K- the numbers of configurations whose validation score is
    at most, and below, that of the configuration; equal ones share the chance. The expectation is that of n fresh
    draws from the space, so it has no bias (a U-statistic, Hoeffding 1948). NaN for n above C, and where the weights
    are unequal.
    """
    count = len(validation)
    _, place = np.unique(validation, return_inverse=True)
    size = np.bincount(place)
    up_to = np.cumsum(size)
    taken = np.arange(int(trials.max(initial=1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        # log of binom(K, n) / binom(C, n) = sum over i < n of log((K - i) / (C - i))
        ratios = np.log(np.clip(up_to[:, None] - taken, 0, None) / np.clip(count - taken, 0, None))
        totals = np.exp(np.cumsum(ratios, axis=1))[:, np.asarray(trials) - 1].T  # (N, groups)
    chances = np.diff(totals, axis=1, prepend=0.0)[:, place] / size[place]
    unknown = np.asarray(trials) > count
    even = bool(np.allclose(weights, weights.mean(), rtol=1e-9, atol=0.0))
    return np.where(unknown[:, None] | (not even), np.nan, chances)


def _by_seed(
    test: np.ndarray,
    validation: np.ndarray,
    shares: np.ndarray,
    trials: np.ndarray,
    same_trials: bool,
    drawn: bool,
) -> np.ndarray:
    """Curves `(N, S)` of complete seeds. Their mean over seeds is the tuning curve."""
    chances = np.stack(
        [
            drawn_chances(column, shares, trials) if drawn else pick_chances(column, shares, trials)
            for column in validation.T
        ]
    )  # (S, N, C)
    scored = chances @ test  # (S, N, S): picked at one seed, scored at another
    seeds = test.shape[1]
    own = np.einsum("sns->ns", scored)
    if same_trials:
        return own
    # pairs without seed i: all except its row, its column and the diagonal
    pairs = scored.sum(axis=(0, 2)) - own.sum(axis=1)
    with_seed = scored.sum(axis=2).T + scored.sum(axis=0) - 2 * own
    mean = pairs / (seeds * (seeds - 1))
    if seeds < MIN_SEEDS_TUNING:
        return np.repeat(mean[:, None], seeds, axis=1)
    without = (pairs[:, None] - with_seed) / ((seeds - 1) * (seeds - 2))
    return seeds * mean[:, None] - (seeds - 1) * without


def _usable(
    test: np.ndarray, validation: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, str]:
    """The cells of nonzero weight, their shares, the complete seeds `(S,)`, and a note on what is left out.

    Where no seed is complete, only the cells that all seeds know are used.
    """
    known = np.isfinite(test) & np.isfinite(validation)
    cells = weights > 0
    whole = known[cells].all(axis=0) & cells.any()
    note = "" if whole.all() else f"provisional: {int((~whole).sum())} of {len(whole)} seeds lack a cell"
    if len(whole) and not whole.any():
        cells = cells & known.all(axis=1)
        whole = np.full(len(whole), bool(cells.any()))
        note = (
            f"{_PART} {weights[cells].sum():.0%} of the space, which every seed knows" if cells.any() else ""
        )
    shares = weights[cells] / max(weights[cells].sum(), np.finfo(float).tiny)
    return test[cells], validation[cells], shares, whole, note


def _first(holds: np.ndarray, trials: np.ndarray) -> float:
    return float(trials[int(np.argmax(holds))]) if holds.any() else np.inf
