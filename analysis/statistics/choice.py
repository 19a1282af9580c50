"""Which configuration of an arm is looked at, and its test scores, one a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cells import Axis, Cells
from analysis.statistics.cross_fitting import half_widening, held_out_cells, held_out_estimate
from analysis.statistics.intervals import Estimate, mean_and_spread, student_estimate
from analysis.statistics.selection import NONE, best_cell, scored_at

_SAME_SEED = "chosen and scored on the same seed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A configuration of an arm and its test scores, one a seed."""

    at: int  # the cell
    place: Mapping[str, float | str]  # its value of every axis, by column
    scores: np.ndarray  # (S,), a failed seed at chance, NaN where missing
    seeds: np.ndarray  # (S,)
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class TunedChoice(Choice):
    """The cell that validation chooses over all seeds; its `scores` are cross-fitted (`cross_fit`)."""

    held_out: tuple[int | None, ...]  # a seed's choice by the other half of the seeds, None without any

    @property
    def choices(self) -> int:
        """Seeds for which seeds of the other half could choose."""
        return sum(cell is not None for cell in self.held_out)

    @property
    def agreeing(self) -> int:
        """Seeds for which the other half chooses the cell that all seeds choose."""
        return sum(cell == self.at for cell in self.held_out)

    @property
    def widen(self) -> float:
        """Factor on the standard error of the cross-fitted mean (`cross_fitting.half_widening`)."""
        return cross_fit_widening(self.held_out)


def cross_fit(scores: np.ndarray, validation: np.ndarray) -> tuple[np.ndarray, tuple[int | None, ...]]:
    """Test scores `(S,)` of the cells that validation on the other half of the seeds chooses, and those cells.

    `score_s = test[c_s, s]` with `c_s = argmax_c mean_r validation[c, r]` over the seeds r of the half without s,
    both `(C, S)`. One seed gives the test and the validation score of a trial from one encoder, so they share its
    luck. Were the same seeds to choose and to report, a loss with many equally good cells would pick the luckiest
    of them, and flatness, which is what this package compares, would look like accuracy. Halves rather than all other
    seeds: see `statistics.cross_fitting`. NaN where the other half knows nothing, or the chosen cell lacks the seed.
    """
    cells = held_out_cells(validation)
    return scored_at(scores, cells), tuple(None if cell == NONE else int(cell) for cell in cells)


def cross_fit_widening(cells: Sequence[int | None]) -> float:
    """Factor on the standard error of a cross-fitted mean over seeds with a choice (`cross_fitting.half_widening`)."""
    return half_widening(sum(cell is not None for cell in cells))


def tuned_choice(cells: Cells, note: str) -> TunedChoice:
    """The configuration tuned on validation, its scores on test cross-fitted.

    Where no seed can be held out, as with one seed, the seeds that choose also score: without an interval,
    and the note says so.
    """
    scores, validation = cells.test, cells.validation
    at = max(best_cell(validation), 0)  # of no trials any cell will do
    held_out_scores, held_out = cross_fit(scores, validation)
    chosen = scores[at]
    estimate = held_out_estimate(held_out_scores, bounds=cells.metric.score_bounds, note=note)
    if np.isfinite(held_out_scores).any() or not np.isfinite(chosen).any():
        chosen = held_out_scores
    else:
        mean, _, count = mean_and_spread(chosen)
        told = "; ".join(filter(None, [note, _SAME_SEED]))
        estimate = Estimate(value=float(mean), seeds=int(count), note=told)
    return TunedChoice(
        at=at, place=cells.place(at), scores=chosen, seeds=cells.seeds, estimate=estimate, held_out=held_out
    )


def default_choice(cells: Cells) -> Choice:
    """The configuration nearest to the loss's default, at the middle batch size, on test."""
    at = default_cell(cells)
    scores = cells.test[at]
    estimate = student_estimate(scores, bounds=cells.metric.score_bounds)
    return Choice(at=at, place=cells.place(at), scores=scores, seeds=cells.seeds, estimate=estimate)


def default_cell(cells: Cells) -> int:
    """The planned cell nearest to the defaults of the axes, in shares of their spans; the lower of two middles.

    An axis without a default, such as batch size, stands at its middle value; so does a category.
    """
    distance = np.zeros(len(cells.codes))
    for index, axis in enumerate(cells.axes):
        distance += _distance(axis)[cells.codes[:, index]]
    planned = cells.planned.any(axis=-1)
    return int(np.argmin(np.where(planned, distance, np.inf)))


def _distance(axis: Axis) -> np.ndarray:
    """Distance `(L,)` of an axis' values from its default, in logarithms where they are positive."""
    default = axis.info.default
    if default is None or not axis.numeric or isinstance(default, str):
        middle = (len(axis.values) - 1) // 2
        places = list(axis.values)
        at = places.index(default) if default in places else middle
        return np.abs(np.arange(len(places)) - at) / len(places)
    if default > 0 and np.all(axis.values > 0):
        away = np.abs(np.log(axis.values / default))
    else:
        away = np.abs(axis.values - float(default))
    return away / (away.max() or 1.0)
