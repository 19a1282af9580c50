"""How representation metrics correlate with the score: rank correlations, seed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals.jackknife import TOO_FEW
from analysis.statistics.intervals.student import Estimate, student_interval

#: Least number of cells for a rank correlation.
LEAST_CELLS = 4


@dataclass(frozen=True, kw_only=True)
class MetricCorrelation:
    """Spearman's correlation of one metric with the score."""

    metric: str
    overall: Estimate  # over the cells of all losses
    within: Estimate  # within a loss, averaged over losses


def metric_correlations(
    metrics: np.ndarray, scores: np.ndarray, losses: np.ndarray, names: Sequence[str]
) -> tuple[MetricCorrelation, ...]:
    """Correlations of metrics `(M, C, S)` with scores `(C, S)`; `losses` `(C,)` holds the number of each cell's loss.

    `overall` and `within` are Spearman's coefficients over cells, computed for each seed separately. Their values are
    then independent, and Student's interval of their Fisher transforms `atanh r` applies (two seeds). Trials are not
    independent, because those of one cell share their configuration. A correlation over all losses may only show that
    some losses are better (Simpson's paradox), so read it beside the one within a loss.

    Trials without the metric, such as failed ones, are left out of its correlations. NaN with a note where fewer than
    4 cells are known or nothing varies. Raises `ValueError` where the shapes of the arrays do not fit.
    """
    if metrics.shape != (len(names), *scores.shape) or len(losses) != len(scores):
        got = f"shape {metrics.shape}, {len(names)} names and {len(losses)} losses"
        raise ValueError(
            f"metrics: got {got}; scores of shape {scores.shape} need one a metric, loss and cell"
        )
    overall = rank_correlations(metrics, scores)
    groups = [losses == loss for loss in np.unique(losses)]
    # (M, L, S)
    each = np.stack([rank_correlations(metrics[:, group], scores[group]) for group in groups], axis=1)
    within = _known_mean(each)
    return tuple(
        MetricCorrelation(
            metric=name,
            overall=fisher_estimate(overall[at]),
            within=fisher_estimate(within[at]),
        )
        for at, name in enumerate(names)
    )


def rank_correlations(metrics: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Spearman's coefficient `(M, S)` over the cells, for each seed separately: `(M, C, S)` with `(C, S)`.

    Ties share their mean rank. NaN below 4 known cells, and where either side is constant.
    """
    both = np.isfinite(metrics) & np.isfinite(scores)
    x = _ranks(np.where(both, metrics, np.nan))
    y = _ranks(np.where(both, np.broadcast_to(scores, metrics.shape), np.nan))
    enough = both.sum(axis=1) >= LEAST_CELLS
    return np.where(enough, _correlation(x, y, axis=1), np.nan)


def fisher_estimate(correlations: np.ndarray) -> Estimate:
    """Mean of correlations `(S,)`, one at each seed, with Student's interval of their Fisher transforms; two seeds.

    `tanh( mean(atanh r) -+ t se )`. The value is the plain mean of r; the interval is extended to contain it. r of 1
    counts as 1 - 1e-9.
    """
    known = correlations[np.isfinite(correlations)]
    if not len(known):
        return Estimate(value=float("nan"), note="too few cells or nothing varies")
    value = float(known.mean())
    if len(known) < 2:
        return Estimate(value=value, seeds=len(known), note=TOO_FEW)
    limit = 1 - 1e-9
    _, low, high = np.tanh(student_interval(np.arctanh(np.clip(known, -limit, limit))))
    return Estimate(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        seeds=len(known),
        method=f"Student of Fisher's z, {len(known) - 1} df",
    )


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the second axis; ties share a rank, and NaN stays NaN."""
    known = np.isfinite(values)
    # unknown values come last, where they change no rank; the library's option to omit NaN is a slow loop
    return np.where(known, stats.rankdata(np.where(known, values, np.inf), axis=1), np.nan)


def _correlation(x: np.ndarray, y: np.ndarray, *, axis: int) -> np.ndarray:
    """Pearson's coefficient along an axis, ignoring NaN on both sides; NaN where either side is constant."""
    x, y = x - _nanmean(x, axis), y - _nanmean(y, axis)
    products = [np.nansum(a * b, axis=axis) for a, b in ((x, y), (x, x), (y, y))]
    scale = np.sqrt(products[1] * products[2])
    varies = scale > 1e-24
    return np.where(varies, np.clip(products[0] / np.where(varies, scale, 1.0), -1.0, 1.0), np.nan)


def _nanmean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of the known entries, with the axis kept; 0 where there is none."""
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    return np.nansum(values, axis=axis, keepdims=True) / np.maximum(count, 1)


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Mean over losses, `(M, S)` of `(M, L, S)`, of the losses that have a value."""
    count = np.isfinite(values).sum(axis=1)
    return np.nansum(values, axis=1) / np.where(count > 0, count, np.nan)
