"""Which configuration of an arm is looked at, and its test scores, one a seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals import Estimate, mean_and_spread, student_estimate
from analysis.surface import Surface

_BOUNDS = (0.0, 1.0)
_SAME_SEED = "chosen and scored on the same seed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A configuration of an arm and its test scores, one a seed."""

    at: tuple[int, int]  # indices of the cell
    x: float
    y: float
    scores: np.ndarray  # (S,), a failed seed at chance, NaN where missing
    seeds: np.ndarray  # (S,)
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class TunedChoice(Choice):
    """The cell that validation chooses over all seeds; its `scores` are cross-fitted (`cross_fit`)."""

    held_out: tuple[tuple[int, int] | None, ...]  # a seed's choice by the other seeds, None without any

    @property
    def choices(self) -> int:
        """Seeds for which the other seeds could choose."""
        return sum(cell is not None for cell in self.held_out)

    @property
    def agreeing(self) -> int:
        """Seeds for which the other seeds choose the cell that all seeds choose."""
        return sum(cell == self.at for cell in self.held_out)

    @property
    def widen(self) -> float:
        """Factor on the standard error of the cross-fitted mean; see `cross_fit_widening`."""
        return cross_fit_widening(self.held_out)


def cross_fit(
    scores: np.ndarray, validation: np.ndarray
) -> tuple[np.ndarray, tuple[tuple[int, int] | None, ...]]:
    """Test scores `(S,)` of the cells that validation on the other seeds chooses, and those cells.

    `score_s = test[c_s, s]` with `c_s = argmax_c mean_{r != s} validation[c, r]`, both `(X, Y, S)`. One seed
    gives the test and the validation score of a trial from one encoder, so they share its luck. Were the same
    seeds to choose and to report, the score would be biased upwards (winner's curse), more for an arm of many
    equal cells than for one of a single peak, which is what a study of robustness compares. Left out of the
    choice, a seed reports without that bias the accuracy of tuning on S - 1 seeds. NaN where the other seeds
    know nothing, or the chosen cell lacks the seed.
    """
    cells = tuple(best_cell(np.delete(validation, seed, axis=-1)) for seed in range(scores.shape[-1]))
    known = [np.nan if cell is None else scores[cell][seed] for seed, cell in enumerate(cells)]
    return np.array(known), cells


def cross_fit_widening(cells: Sequence[tuple[int, int] | None]) -> float:
    """Factor on the standard error of a cross-fitted mean, `sqrt(1 + S / (S - 1))` or 1.

    Scores of cells that other seeds choose are correlated between seeds, as in cross-validation, so the plain
    standard error is too small: in simulations of arms of equal cells, 12 % false positives at five seeds where
    5 % are claimed. The correction is that of Nadeau and Bengio (2003), "Inference for the generalization
    error", with one seed held out of S. Where all held-out choices are one cell the scores are those of a fixed
    configuration and none is made; simulated errors then stay at or below the level in either case.
    """
    chosen = [cell for cell in cells if cell is not None]
    return math.sqrt(1 + len(chosen) / (len(chosen) - 1)) if len(set(chosen)) > 1 else 1.0


def tuned_choice(surface: Surface, scores: np.ndarray, validation: np.ndarray, note: str) -> TunedChoice:
    """The configuration tuned on `validation`, its `scores` on test cross-fitted; both `(X, Y, S)`.

    Where no seed can be held out, as with one seed, the seeds that choose also score: without an interval,
    and the note says so.
    """
    at = best_cell(validation) or (0, 0)
    held_out_scores, cells = cross_fit(scores, validation)
    chosen = scores[at]
    estimate = student_estimate(held_out_scores, bounds=_BOUNDS, note=note, widen=cross_fit_widening(cells))
    if np.isfinite(held_out_scores).any() or not np.isfinite(chosen).any():
        chosen = held_out_scores
    else:
        mean, _, count = mean_and_spread(chosen)
        told = "; ".join(filter(None, [note, _SAME_SEED]))
        estimate = Estimate(value=float(mean), seeds=int(count), note=told)
    x, y = float(surface.x[at[0]]), float(surface.y[at[1]])
    return TunedChoice(at=at, x=x, y=y, scores=chosen, seeds=surface.seeds, estimate=estimate, held_out=cells)


def default_choice(surface: Surface, scores: np.ndarray, default: float) -> Choice:
    """The grid cell nearest to the default, at the middle batch size, with its `scores` `(X, Y, S)` on test."""
    at = _default_cell(surface, default)
    estimate = student_estimate(scores[at], bounds=_BOUNDS)
    x, y = float(surface.x[at[0]]), float(surface.y[at[1]])
    return Choice(at=at, x=x, y=y, scores=scores[at], seeds=surface.seeds, estimate=estimate)


def best_cell(scores: np.ndarray) -> tuple[int, int] | None:
    """Highest mean over seeds, among the cells with the most seeds known; the first of equals, None of none."""
    mean, _, count = mean_and_spread(scores)
    if not count.any():
        return None
    best = int(np.argmax(np.where(count == count.max(), mean, -np.inf)))
    return best // scores.shape[1], best % scores.shape[1]


def _default_cell(surface: Surface, default: float) -> tuple[int, int]:
    """Nearest main-axis value (in log where it can be) at the middle batch size, the lower of two middles."""
    y = surface.y
    if default > 0 and np.all(y > 0):
        nearest = np.argmin(np.abs(np.log(y / default)))
    else:
        nearest = np.argmin(np.abs(y - default))
    return (len(surface.x) - 1) // 2, int(nearest)
