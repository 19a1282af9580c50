"""How likely one loss beats another at a random configuration."""

import numpy as np

from analysis.statistics.intervals.jackknife import jackknife_estimate
from analysis.statistics.intervals.student import Estimate


def probability_of_improvement(
    a: np.ndarray, b: np.ndarray, weights: np.ndarray, *, note: str = ""
) -> Estimate:
    """Chance that one run of a beats one run of b at a random configuration, from `(C, S)` and `(C, S)`.

    `sum_c w_c P_c`, `P_c = mean_(s != t) [a_cs > b_ct] + 1/2 [a_cs = b_ct]`, the Mann-Whitney statistic of the cell
    (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice", with configurations in place of tasks).
    The runs of a and b have different seeds. Runs of one seed share its luck, and would move the chance too far from
    a half (by 0.003 at five seeds of the demo study, where its interval then covers 92 %). Jackknife interval over
    seeds, where each step leaves one seed out of both losses (at least 5 seeds). Cells without such a pair are left
    out. With a single seed, its own runs are compared. With a `note` that the scores are provisional, there is no
    interval.
    """
    ahead = _ahead(a, b)  # (C, S, S)
    seeds = a.shape[-1]
    rows, columns = np.nansum(ahead, axis=2), np.nansum(ahead, axis=1)
    own = np.nan_to_num(np.diagonal(ahead, axis1=1, axis2=2))
    pairs = np.isfinite(ahead)
    counts = pairs.sum(axis=2) + pairs.sum(axis=1) - np.diagonal(pairs, axis1=1, axis2=2)
    won, tried = rows.sum(axis=1), pairs.sum(axis=(1, 2))
    value = _over_cells(won[:, None], tried[:, None], weights)
    left_out = _over_cells(won[:, None] - (rows + columns - own), tried[:, None] - counts, weights)
    found = value[0] if seeds else float("nan")
    if note:
        return Estimate(value=float(found), seeds=seeds, note=note)
    return jackknife_estimate(float(found), left_out, bounds=(0.0, 1.0))


def _ahead(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 where a run of a beats one of b, 1/2 where they tie, NaN where either is missing: `(C, S, S)`.

    Runs of the same seed form no pair, unless there is only one seed.
    """
    seeds = a.shape[-1]
    pair = ~np.eye(seeds, dtype=bool) if seeds > 1 else True
    left, right = a[:, :, None], b[:, None, :]
    won = (left > right) + 0.5 * (left == right)
    return np.where(np.isfinite(left) & np.isfinite(right) & pair, won, np.nan)


def _over_cells(won: np.ndarray, tried: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the space `(N,)` of `won / tried` `(C, N)`, over the cells with at least one pair."""
    share = weights[:, None] * (tried > 0)
    total = share.sum(axis=0)
    rate = np.divide(won, tried, out=np.zeros(np.broadcast(won, tried).shape), where=tried > 0)
    return np.divide((share * rate).sum(axis=0), total, out=np.full(total.shape, np.nan), where=total > 0)
