"""How robust one arm is to its hyperparameters: scores over its space, each with an interval over seeds.

For all scores: a failed trial has the worst score, which is chance for an accuracy. The measure over the space is the
study's, by default uniform in the logarithms of the axes (`statistics.weights`). The unit of resampling is the seed.
Tuned and worst scores average over ordered pairs of seeds, of which one chooses and the other one scores
(`scores.pairs_of_seeds`). Scores of an unfinished grid are provisional. They
have an interval only where some seeds are complete, or lack so few trials that these can be imputed
(`statistics.imputation`).
"""

from dataclasses import dataclass, replace

import numpy as np

from analysis.model.cells import PRUNED, Cells
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate, mean_and_spread, student_estimate
from analysis.statistics.scores.choice import Choice, TunedChoice, default_choice, tuned_choice
from analysis.statistics.scores.failure_rates import means_over_space, means_without_failures
from analysis.statistics.scores.pairs_of_seeds import TAIL, worst_pairs
from analysis.statistics.scores.tolerance import known_cells, tolerance_volume

#: Effective rank, in dimensions, below which a representation counts as collapsed.
COLLAPSE_RANK = 1.5
#: Why rows of an adaptive search, which concentrate near the optimum, have no scores over the space.
ADAPTIVE = "adaptive search: no measure over the space"


@dataclass(frozen=True, kw_only=True)
class RobustnessSummary:
    """Every score of one arm, in raw units of its metric, with the sign for which higher is better."""

    arm: str
    tuned: TunedChoice  # chosen by the validation of one seed, scored on the test of another one
    default: Choice  # the grid cell nearest to the default, at the middle batch size
    mean: Estimate  # over the space
    mean_finished: Estimate  # the same over finished trials only, without the failed ones
    mean_by_seed: np.ndarray  # (S,), a few missing trials imputed; NaN for a seed that lacks too many
    mean_widen: float  # factor on the standard error of their mean: above 1 where trials were imputed
    worst: Estimate  # mean of the tenth of the space that one seed's validation ranks lowest
    tolerance: Estimate  # share of the space within eps of the arm's own best
    planned: int
    finished: int
    failed: int
    missing: int
    unknown: int  # pairs of seed and cell of nonzero weight without a score, planned or not
    pruned: int  # stopped early by an adaptive search, and final; in other designs they count as missing
    collapsed: int  # finished trials with effective rank near 1
    ranked: int  # finished trials whose effective rank is known
    step: float = 0.0  # of the metric, 0 where unknown

    @property
    def ended(self) -> int:
        """Trials that finished or failed."""
        return self.planned - self.missing - self.pruned

    @property
    def complete(self) -> bool:
        """Whether no trial is missing."""
        return self.missing == 0

    @property
    def provisional(self) -> str:
        """Why the scores are provisional, or empty."""
        return _missing_note(self.missing, self.planned)


def summarise_robustness(
    cells: Cells, *, eps: float, rank: np.ndarray | None = None, adaptive: bool = False
) -> RobustnessSummary:
    """The scores of one arm. `rank` `(C, S)` holds the effective ranks of the trials, NaN where unknown.

    For an `adaptive` search, scores over the space are NaN with the note `ADAPTIVE`.
    """
    scores, weights, bounds = cells.test, cells.weights, cells.metric.score_bounds
    step = cells.metric.step
    pruned = cells.status == PRUNED if adaptive else np.zeros_like(cells.finished)
    missing = cells.missing & ~pruned
    note = _missing_note(int(missing.sum()), int(cells.planned.sum()))
    filled = fill_gaps(scores, weights)
    by_seed = means_over_space(filled.scores, weights)
    without_failures = means_without_failures(filled.scores, cells.failed, weights)
    known_rank = np.full(cells.status.shape, np.nan) if rank is None else rank
    alive = np.any(cells.finished, axis=-1)
    summary = RobustnessSummary(
        arm=cells.arm,
        tuned=tuned_choice(cells, note),
        default=default_choice(cells),
        mean=_mean_estimate(
            scores, weights, by_seed, filled.with_count(note), bounds, widen=filled.widen, step=step
        ),
        mean_finished=_mean_estimate(
            cells.finished_test,
            weights,
            without_failures,
            filled.with_count(note),
            bounds,
            widen=filled.widen,
            step=step,
        ),
        mean_by_seed=by_seed,
        mean_widen=filled.widen,
        worst=worst_case(
            filled.scores, cells.validation, weights, note=filled.with_count(note), bounds=bounds, step=step
        ),
        tolerance=tolerance_volume(scores, weights, eps=eps, alive=alive, note=note),
        planned=int(cells.planned.sum()),
        finished=int(cells.finished.sum()),
        failed=int(cells.failed.sum()),
        missing=int(missing.sum()),
        unknown=int((~np.isfinite(scores[weights > 0])).sum()),
        pruned=int(pruned.sum()),
        collapsed=int((known_rank < COLLAPSE_RANK).sum()),
        ranked=int(np.isfinite(known_rank).sum()),
        step=step,
    )
    return _without_space(summary) if adaptive else summary


def _without_space(summary: RobustnessSummary) -> RobustnessSummary:
    nothing = Estimate(value=float("nan"), note=ADAPTIVE)
    by_seed = np.full_like(summary.mean_by_seed, np.nan)
    return replace(
        summary, mean=nothing, mean_finished=nothing, mean_by_seed=by_seed, worst=nothing, tolerance=nothing
    )


def without_choice(summary: RobustnessSummary, reason: str) -> RobustnessSummary:
    """The summary without a tuned score, for a `reason`. Figures that need one place show the default instead."""
    default, seeds = summary.default, len(summary.default.seeds)
    tuned = TunedChoice(
        at=default.at,
        place=default.place,
        scores=np.full(seeds, np.nan),
        seeds=default.seeds,
        estimate=Estimate(value=float("nan"), note=reason),
        pairs=np.full((seeds, seeds), np.nan),
        selected=(None,) * seeds,
        agreeing=0,
    )
    return replace(summary, tuned=tuned)


def worst_case(
    test: np.ndarray,
    validation: np.ndarray,
    weights: np.ndarray,
    *,
    tail: float = TAIL,
    note: str = "",
    bounds: tuple[float, float] = (0.0, 1.0),
    step: float = 0.0,
) -> Estimate:
    """The expected test score `(C, S)` of the `tail` of the space that one seed's validation ranks lowest.

    The mean over ordered pairs of seeds (`pairs_of_seeds.worst_pairs`), so the noise that makes a cell look bad does
    not lower its score.
    """
    if not known_cells(test, weights)[0].any():
        return Estimate(value=float("nan"), note="no trials")
    pairs = worst_pairs(test, validation, weights, tail=tail)
    return pair_estimate(pairs, bounds=bounds, step=step, note=note)


def _missing_note(missing: int, planned: int) -> str:
    return f"provisional: {missing} of {planned} missing" if missing else ""


def _partial_mean_by_seed(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean `(S,)` over the cells with a score, with weights scaled to sum 1; NaN for a seed without any."""
    share = weights[..., None] * np.isfinite(values)
    total = share.sum(axis=0)
    weighted = (np.nan_to_num(values) * share).sum(axis=0)
    return np.where(total > 0, weighted / np.where(total > 0, total, 1.0), np.nan)


def _mean_estimate(
    scores: np.ndarray,
    weights: np.ndarray,
    by_seed: np.ndarray,
    note: str,
    bounds: tuple[float, float],
    *,
    widen: float = 1.0,
    step: float = 0.0,
) -> Estimate:
    """Estimate over the seeds with a score in every cell.

    Where no seed is complete, the mean over the known cells, without an interval.
    """
    if np.isfinite(by_seed).any():
        return student_estimate(by_seed, bounds=bounds, note=note, widen=widen, step=step)
    mean, _, count = mean_and_spread(_partial_mean_by_seed(scores, weights))
    return Estimate(
        value=float(mean), seeds=int(count), note=note or ("no complete seed" if count else "no trials")
    )
