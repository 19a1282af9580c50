"""How often trials fail, by cell and over the space, and the scores with and without failures."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.student import LEVEL, Estimate, student_estimate

WILSON, EXACT = "wilson", "clopper-pearson"


@dataclass(frozen=True, kw_only=True)
class FailureSurface:
    """Failure rate of every cell with its interval over trials; NaN where no trial was tried."""

    rate: np.ndarray  # (C,)
    low: np.ndarray  # (C,)
    high: np.ndarray  # (C,)
    failed: np.ndarray  # (C,) of int
    tried: np.ndarray  # (C,) of int
    overall: Estimate  # mean rate over the space


@dataclass(frozen=True, kw_only=True)
class FailureScores:
    """The mean over the space with failures at the worst score, and with failures left out."""

    with_failures: Estimate
    without_failures: Estimate
    cost: Estimate  # the second less the first, paired by seed
    share_lost: float  # of the space: cells where every trial failed, which no mean without failures contains


def failure_surface(
    failed: np.ndarray, tried: np.ndarray, weights: np.ndarray, *, method: str = WILSON, level: float = LEVEL
) -> FailureSurface:
    """Rates of `failed` among `tried`, both `(C, S)` of bool.

    The trials of a cell are binomial. Their interval is Wilson's (1927) score interval, which Brown, Cai and DasGupta
    (2001) recommend for few trials and which is near the level on average; or that of Clopper and Pearson (1934),
    which is never below the level. The overall rate `sum_c w_c p_c` is a mean over seeds, because the trials of a
    seed share their random streams. Its interval is Student's over the seeds that tried every cell (at least two).
    Where no seed did, the rate is the mean over the tried cells, without an interval. If no trial failed, or all
    failed, there is no spread. Each seed then counts as one trial in the interval of Clopper and Pearson.

    Raises `ValueError` for an unknown method.
    """
    if method not in (WILSON, EXACT):
        raise ValueError(f"method: got {method!r}; one of {WILSON!r}, {EXACT!r} is needed")
    trials, failures = tried.sum(axis=-1), (failed & tried).sum(axis=-1)
    rate = np.divide(failures, trials, out=np.full(len(trials), np.nan), where=trials > 0)
    low, high = (wilson if method == WILSON else clopper_pearson)(failures, trials, level=level)
    return FailureSurface(
        rate=rate, low=low, high=high, failed=failures, tried=trials, overall=_overall(failed, tried, weights)
    )


def wilson(
    failures: np.ndarray, trials: np.ndarray, *, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of Wilson's interval, `(k + z^2/2 -+ z sqrt(k (n - k)/n + z^2/4)) / (n + z^2)`; NaN without trials."""
    z = stats.norm.ppf(0.5 + level / 2)
    n = np.where(trials > 0, trials, np.nan)
    half = z * np.sqrt(failures * (n - failures) / n + z**2 / 4)
    centre = failures + z**2 / 2
    return np.clip((centre - half) / (n + z**2), 0.0, 1.0), np.clip((centre + half) / (n + z**2), 0.0, 1.0)


def clopper_pearson(
    failures: np.ndarray, trials: np.ndarray, *, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of Clopper and Pearson, quantiles of `Beta(k, n - k + 1)` and `Beta(k + 1, n - k)`."""
    tail = (1 - level) / 2
    rest = np.asarray(trials) - failures
    low = np.where(failures > 0, stats.beta.ppf(tail, np.maximum(failures, 1), rest + 1), 0.0)
    high = np.where(rest > 0, stats.beta.ppf(1 - tail, failures + 1, np.maximum(rest, 1)), 1.0)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def failure_scores(
    scores: np.ndarray,
    failed: np.ndarray,
    weights: np.ndarray,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    note: str = "",
) -> FailureScores:
    """Mean over the space of `(C, S)`, where `failed` trials have the worst score, with and without failures.

    The mean of a seed without failures is that of `means_without_failures`. It favours a loss that fails where it
    would have scored badly, so it is shown as an alternative and not used as the score. A few missing trials are
    imputed (`imputation`). Intervals are Student's over the seeds that then have every cell (at least two).
    """
    filled, span, empty = fill_gaps(scores, weights), bounds[1] - bounds[0], "no complete seed"
    told = partial(student_estimate, note=filled.with_count(note), empty=empty, widen=filled.widen)
    with_failures = means_over_space(filled.scores, weights)
    without = means_without_failures(filled.scores, failed, weights)
    return FailureScores(
        with_failures=told(with_failures, bounds=bounds),
        without_failures=told(without, bounds=bounds),
        cost=told(without - with_failures, bounds=(-span, span)),
        share_lost=float(weights[failed.all(axis=1)].sum()) if scores.shape[1] else float("nan"),
    )


def means_over_space(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`sum_c w_c s_cs` `(S,)` of `(C, S)`; NaN for a seed without a score in a cell of nonzero weight."""
    used = weights > 0
    if not used.any():
        return np.full(scores.shape[-1], np.nan)
    return (scores[used] * weights[used][:, None]).sum(axis=0)


def means_without_failures(scores: np.ndarray, failed: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`sum_c w_c s_cs / sum_c w_c` `(S,)` over the cells that did not fail at that seed.

    NaN for a seed without a score in a cell of nonzero weight, and for a seed at which all cells failed.
    """
    kept = weights[:, None] * ~failed
    total = kept.sum(axis=0)
    mean = np.where(kept > 0, kept * scores, 0.0).sum(axis=0) / np.where(total > 0, total, np.nan)
    whole = means_over_space(scores, weights)
    # without failures both means must be equal to the bit, whatever the order of summation
    return np.where(np.isfinite(whole), np.where(failed[weights > 0].any(axis=0), mean, whole), np.nan)


def _overall(failed: np.ndarray, tried: np.ndarray, weights: np.ndarray) -> Estimate:
    used = weights > 0
    shares = weights[used] / weights[used].sum() if used.any() else weights[used]
    complete = tried[used].all(axis=0) & bool(used.any())
    if not complete.any():
        return _of_known_cells(failed[used], tried[used], shares)
    by_seed = np.where(complete, shares @ failed[used].astype(float), np.nan)
    found = student_estimate(by_seed, bounds=(0.0, 1.0))
    if not (found.seeds and found.value in (0.0, 1.0)):
        return found
    low, high = clopper_pearson(np.array(found.seeds * found.value), np.array(found.seeds))
    return Estimate(
        value=found.value,
        low=float(low),
        high=float(high),
        seeds=found.seeds,
        method="Clopper and Pearson, a seed a trial",
    )


def _of_known_cells(failed: np.ndarray, tried: np.ndarray, shares: np.ndarray) -> Estimate:
    """The rate over the cells with at least one tried trial, used where no seed tried every cell."""
    trials = tried.sum(axis=-1)
    known = trials > 0
    if not known.any():
        return Estimate(value=float("nan"), note="no trials")
    rates = (failed & tried)[known].sum(axis=-1) / trials[known]
    value = float(rates @ shares[known] / shares[known].sum())
    return Estimate(value=value, note="provisional: no seed has tried every configuration")
