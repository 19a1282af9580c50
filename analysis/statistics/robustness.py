"""How robust one arm is to its hyperparameters: scores of its surfaces, each with its interval over seeds.

Common to all scores: a failed trial scores chance, the worst outcome; the measure over the space is the study's, by
default uniform in the axes' logarithms (`statistics.measure`); the unit of resampling is the seed. The tuned score is
cross-fitted over seeds (`statistics.choice`). Scores of an unfinished grid are provisional and carry no interval
unless whole seeds are there.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.choice import Choice, TunedChoice, default_choice, tuned_choice
from analysis.statistics.intervals import Estimate, mean_and_spread, simultaneous_bands, student_estimate
from analysis.statistics.measure import LOG, cell_weights
from analysis.surface import Surface

#: Share of the space that the worst-case score averages over.
TAIL = 0.10
#: Effective rank, in dimensions, below which a representation counts as collapsed.
COLLAPSE_RANK = 1.5
#: Least number of seeds for an interval of a score built on a maximum or a minimum.
MIN_SEEDS_EXTREMES = 5

_BOUNDS = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class RobustnessSummary:
    """Every score of one arm, as shares of 1."""

    arm: str
    tuned: TunedChoice  # chosen by validation, scored on test, cross-fitted over seeds
    default: Choice  # the grid cell nearest to the default, at the middle batch size
    mean: Estimate  # over the space
    mean_finished: Estimate  # the same over finished trials only: failures left out instead of at chance
    mean_by_seed: np.ndarray  # (S,), NaN for a seed whose grid is not finished
    worst: Estimate  # mean of the worst tenth of the space (CVaR)
    tolerance: Estimate  # share of the space within eps of the arm's own best
    planned: int
    finished: int
    failed: int
    missing: int
    collapsed: int  # finished trials with effective rank near 1
    ranked: int  # finished trials whose effective rank is known

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.missing == 0


def summarise_robustness(
    test: Surface,
    validation: Surface,
    rank: Surface | None,
    *,
    default: float,
    chance: float,
    eps: float,
    measures: tuple[str, str] = (LOG, LOG),
) -> RobustnessSummary:
    """The scores of one arm from its test and validation surfaces `(X, Y, S)` of the same trials."""
    scores, weights = test.scored(chance), cell_weights(test, measures)
    note = _missing_note(test)
    by_seed = _mean_by_seed(scores, weights)
    without_failures = np.where(np.isfinite(by_seed), _partial_mean_by_seed(test.values, weights), np.nan)
    finished = test.status == "ok"
    known_rank = np.full(test.status.shape, np.nan) if rank is None else rank.values
    return RobustnessSummary(
        arm=test.arm,
        tuned=tuned_choice(test, scores, validation.scored(chance), note),
        default=default_choice(test, scores, default),
        mean=_mean_estimate(scores, weights, by_seed, note),
        mean_finished=_mean_estimate(test.values, weights, without_failures, note),
        mean_by_seed=by_seed,
        worst=worst_case(scores, weights, note=note),
        tolerance=tolerance_volume(scores, weights, finished.any(axis=-1), eps=eps, note=note),
        planned=int(test.planned.sum()),
        finished=int(finished.sum()),
        failed=int(test.failed.sum()),
        missing=int(test.missing.sum()),
        collapsed=int((known_rank < COLLAPSE_RANK).sum()),
        ranked=int(np.isfinite(known_rank).sum()),
    )


def worst_case(scores: np.ndarray, weights: np.ndarray, *, tail: float = TAIL, note: str = "") -> Estimate:
    """CVaR: the mean of the lowest `tail` of the space's measure, of cell means over seeds.

    `1 / tail * integral_0^tail Q(p) dp` with Q the quantile function of the cell means under the measure
    (Acerbi and Tasche 2002, expected shortfall). The interval is conservative: CVaR rises with every cell, so
    it lies between the CVaR of the lower and that of the upper simultaneous bands. It needs 5 seeds.
    """
    cells, shares = _known_cells(scores, weights)
    if not len(cells):
        return Estimate(value=float("nan"), note="no trials")
    value = _tail_mean(mean_and_spread(cells)[0], shares, tail)
    if refusal := _refusal(cells, note):
        return Estimate(value=value, seeds=scores.shape[-1], note=refusal)
    low, high = simultaneous_bands(cells, bounds=_BOUNDS)
    return _conservative(
        value, _tail_mean(low, shares, tail), _tail_mean(high, shares, tail), scores.shape[-1]
    )


def tolerance_volume(
    scores: np.ndarray, weights: np.ndarray, alive: np.ndarray, *, eps: float, note: str = ""
) -> Estimate:
    """Share of the space whose mean over seeds lies within `eps` of the arm's best cell.

    `sum_c w_c [ m_c >= max_b m_b - eps ]`; a cell of which no trial finished (`alive` `(X, Y)` false) is
    outside. The best of noisy cells is biased upwards, so the interval is conservative: a cell is surely
    inside when its lower band exceeds every upper band minus eps, surely outside when its upper band falls
    below the highest lower band minus eps. It needs 5 seeds.
    """
    cells, shares = _known_cells(scores, weights)
    if not len(cells):
        return Estimate(value=float("nan"), note="no trials")
    alive_cells = alive[_known(scores, weights)]
    mean = mean_and_spread(cells)[0]
    # the tolerance absorbs rounding of the mean: a cell exactly eps below the best is inside
    value = float(shares[(mean >= mean.max() - eps - 1e-12) & alive_cells].sum())
    if refusal := _refusal(cells, note):
        return Estimate(value=value, seeds=scores.shape[-1], note=refusal)
    low, high = simultaneous_bands(cells, bounds=_BOUNDS)
    inside = (low >= high.max() - eps) & alive_cells
    outside = (high < low.max() - eps) | ~alive_cells
    return _conservative(value, shares[inside].sum(), 1 - shares[outside].sum(), scores.shape[-1])


def _conservative(value: float, low: float, high: float, seeds: int) -> Estimate:
    # the ends are sums of weights, so rounding may put them past the value by an ulp
    return Estimate(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        seeds=seeds,
        method="simultaneous bands, conservative",
    )


def _tail_mean(cells: np.ndarray, shares: np.ndarray, tail: float) -> float:
    order = np.argsort(cells, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    taken = np.clip(tail - before, 0.0, shares[order])
    return float((cells[order] * taken).sum() / taken.sum())


def _known(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.isfinite(scores).any(axis=-1) & (weights > 0)


def _known_cells(scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores `(C, S)` of the cells of which anything is known, and their shares `(C,)`, summing to 1."""
    known = _known(scores, weights)
    return scores[known], weights[known] / max(weights[known].sum(), np.finfo(float).tiny)


def _refusal(cells: np.ndarray, note: str) -> str:
    return note or ("too few seeds" if cells.shape[-1] < MIN_SEEDS_EXTREMES else "")


def _missing_note(surface: Surface) -> str:
    missing, planned = int(surface.missing.sum()), int(surface.planned.sum())
    return f"provisional: {missing} of {planned} missing" if missing else ""


def _mean_by_seed(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the space `(S,)`; NaN for a seed that lacks a cell."""
    used = weights > 0
    return (
        (scores[used] * weights[used][:, None]).sum(axis=0)
        if used.any()
        else np.full(scores.shape[-1], np.nan)
    )


def _partial_mean_by_seed(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over those cells that are known, their weights scaled to 1, `(S,)`; NaN for a seed without any."""
    share = weights[..., None] * np.isfinite(values)
    total = share.sum(axis=(0, 1))
    weighted = (np.nan_to_num(values) * share).sum(axis=(0, 1))
    return np.where(total > 0, weighted / np.where(total > 0, total, 1.0), np.nan)


def _mean_estimate(scores: np.ndarray, weights: np.ndarray, by_seed: np.ndarray, note: str) -> Estimate:
    """Over the seeds whose grid is finished; where there is none, over what is known, without interval."""
    if np.isfinite(by_seed).any():
        return student_estimate(by_seed, bounds=_BOUNDS, note=note)
    mean, _, count = mean_and_spread(_partial_mean_by_seed(scores, weights))
    return Estimate(value=float(mean), seeds=int(count), note=note or "no trials")
