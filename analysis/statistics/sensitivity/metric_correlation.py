"""How representation metrics correlate with the score: rank correlations, seed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.comparisons.compare import holm
from analysis.statistics.comparisons.differences import paired_tests
from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW, jackknife_estimate
from analysis.statistics.intervals.student import Estimate, mean_and_spread, student_interval

#: Least number of cells for a rank correlation.
LEAST_CELLS = 4


@dataclass(frozen=True, kw_only=True)
class MetricCorrelation:
    """Spearman's correlation of one metric with the score."""

    metric: str
    overall: Estimate  # over the cells of all losses
    within: Estimate  # within a loss, averaged over losses
    by_loss: tuple[Estimate, ...]  # in increasing order of the loss numbers
    noise: Estimate  # between seeds of one cell: with the effect of the configuration removed


@dataclass(frozen=True, kw_only=True)
class MetricRank:
    """Rank of one metric by the size of its correlation within a loss."""

    metric: str
    strength: float  # |mean over seeds of the correlation within a loss|
    behind: Estimate  # strength of the first metric less that of this one, paired by seed
    p_holm: float  # of `behind`, over all metrics but the first; NaN where there is no test


def metric_correlations(
    metrics: np.ndarray, scores: np.ndarray, losses: np.ndarray, names: Sequence[str]
) -> tuple[MetricCorrelation, ...]:
    """Correlations of metrics `(M, C, S)` with scores `(C, S)`; `losses` `(C,)` holds the number of each cell's loss.

    `overall` and `within` are Spearman's coefficients over cells, computed for each seed separately. Their values are
    then independent, and Student's interval of their Fisher transforms `atanh r` applies (two seeds). Trials are not
    independent, because those of one cell share their configuration. A correlation over all losses may only show that
    some losses are better (Simpson's paradox), so read it beside the one within a loss. `noise` correlates deviations
    from the mean of each cell and of each seed, over all trials: it shows whether the luckier seed of a configuration
    has the better metric. Its interval is a jackknife over seeds (5 seeds).

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
            by_loss=tuple(fisher_estimate(row) for row in each[at]),
            noise=_noise_correlation(metrics[at], scores),
        )
        for at, name in enumerate(names)
    )


def rank_metrics(
    metrics: np.ndarray, scores: np.ndarray, losses: np.ndarray, names: Sequence[str]
) -> tuple[MetricRank, ...]:
    """Metrics by `|r|` within a loss, strongest first, each compared with the first over seeds.

    Intervals are Student's for the paired differences of `sign * r`, with the sign of the metric's mean correlation.
    The t tests have Holm's correction over the metrics. The first metric is picked and compared on the same seeds, so
    the intervals are exploratory and confirm nothing. Metrics without a correlation come last.
    """
    each = [
        rank_correlations(metrics[:, losses == loss], scores[losses == loss]) for loss in np.unique(losses)
    ]
    within = _known_mean(np.stack(each, axis=1))
    mean = mean_and_spread(within)[0]
    signed = np.sign(mean)[:, None] * within
    order = np.argsort(-np.nan_to_num(np.abs(mean), nan=-1.0), kind="stable")
    behind = signed[order[0]] - signed[order]
    p = np.append(np.nan, holm(paired_tests(behind[1:]))) if len(order) > 1 else np.full(len(order), np.nan)
    center, low, high = student_interval(behind, bounds=(-2.0, 2.0))
    count = np.isfinite(behind).sum(axis=-1)
    return tuple(
        MetricRank(
            metric=names[at],
            strength=float(np.abs(mean[at])),
            behind=_plain(center[place], low[place], high[place], int(count[place])),
            p_holm=float(p[place]),
        )
        for place, at in enumerate(order)
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


def _noise_correlation(metric: np.ndarray, scores: np.ndarray) -> Estimate:
    """Pearson's correlation of `(C, S)` and `(C, S)` after the means of cells and seeds are removed."""

    def coefficient(used: np.ndarray) -> float:
        return float(
            _correlation(*(_double_centred(part[:, used]).ravel() for part in (metric, scores)), axis=0)
        )

    seeds = scores.shape[1]
    both = np.isfinite(metric) & np.isfinite(scores)
    whole = both.all(axis=1)
    if whole.sum() < LEAST_CELLS or seeds < 2:
        return Estimate(
            value=float("nan"), seeds=seeds, note=TOO_FEW if seeds < LEAST_SEEDS else "too few cells"
        )
    metric, scores = metric[whole], scores[whole]
    value = coefficient(np.ones(seeds, dtype=bool))
    left_out = np.array([coefficient(np.arange(seeds) != seed) for seed in range(seeds)])
    note = "" if np.isfinite(value) else "nothing varies"
    return jackknife_estimate(value, left_out, bounds=(-1.0, 1.0), note=note)


def _double_centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()


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


def _plain(value: float, low: float, high: float, count: int) -> Estimate:
    if count < 2:
        return Estimate(value=float(value), seeds=count, note=TOO_FEW)
    return Estimate(
        value=float(value), low=float(low), high=float(high), seeds=count, method=f"Student, {count - 1} df"
    )
