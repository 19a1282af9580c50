"""The tuned and the default configuration of an arm, and their test scores by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.model.axis_values import category
from analysis.model.cells import Axis, Cells
from analysis.statistics.intervals.student import Estimate, mean_and_spread, student_estimate
from analysis.statistics.scores.cross_fitting import half_widening, held_out_cells, held_out_estimate
from analysis.statistics.scores.selection import NONE, best_cell, scored_at

_SAME_SEED = "chosen and scored on the same seed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A configuration of an arm, and its test score at each seed."""

    at: int  # the cell
    place: Mapping[str, float | str]  # its value of every axis, by column
    scores: np.ndarray  # (S,), the worst score where the trial failed, NaN where it is missing
    seeds: np.ndarray  # (S,)
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class TunedChoice(Choice):
    """The cell that is best by validation over all seeds. Its `scores` are cross-fitted (`cross_fit`)."""

    held_out: tuple[int | None, ...]  # for each seed the cell that the other half chooses, or None

    @property
    def choices(self) -> int:
        """Number of seeds for which the other half of the seeds could choose."""
        return sum(cell is not None for cell in self.held_out)

    @property
    def agreeing(self) -> int:
        """Number of seeds for which the other half chooses the same cell as all seeds."""
        return sum(cell == self.at for cell in self.held_out)

    @property
    def widen(self) -> float:
        """Factor on the standard error of the cross-fitted mean (`cross_fitting.half_widening`)."""
        return cross_fit_widening(self.held_out)


def cross_fit(scores: np.ndarray, validation: np.ndarray) -> tuple[np.ndarray, tuple[int | None, ...]]:
    """Test scores `(S,)` of the cells that are best by validation on the other half of the seeds, and those cells.

    `score_s = test[c_s, s]` with `c_s = argmax_c mean_r validation[c, r]` over the seeds r of the half without s,
    both `(C, S)`. The test and the validation score of a trial come from one encoder, so they share its luck. If the
    same seeds chose and reported, a loss with many equally good cells would report the luckiest of them. Flatness,
    which is what this package compares, would then look like accuracy. The reason for halves instead of all other
    seeds is in `statistics.cross_fitting`. NaN where the other half has no scores, or the chosen cell has none at the
    seed.
    """
    cells = held_out_cells(validation)
    return scored_at(scores, cells), tuple(None if cell == NONE else int(cell) for cell in cells)


def cross_fit_widening(cells: Sequence[int | None]) -> float:
    """Factor on the standard error of the mean of cross-fitted scores, from the choice for each seed.

    See `cross_fitting.half_widening`; seeds without a choice do not count.
    """
    return half_widening(sum(cell is not None for cell in cells))


def tuned_choice(cells: Cells, note: str) -> TunedChoice:
    """The configuration that is best by validation, with cross-fitted test scores.

    Where no seed can be held out, for example with one seed, the same seeds choose and score. The estimate then has
    no interval, and its note says so.
    """
    scores, validation = cells.test, cells.validation
    at = max(best_cell(validation), 0)  # without any trial, take the first cell
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
    """The configuration nearest to the loss's defaults, at the middle batch size, with its test scores."""
    at = default_cell(cells)
    scores = cells.test[at]
    estimate = student_estimate(scores, bounds=cells.metric.score_bounds)
    return Choice(at=at, place=cells.place(at), scores=scores, seeds=cells.seeds, estimate=estimate)


def default_cell(cells: Cells) -> int:
    """The planned cell nearest to the defaults of the axes; distances are shares of the axes' spans.

    An axis without a default, such as batch size, counts as having its middle value as default (the lower of two). So
    does a categorical axis whose default is not among its values.
    """
    distance = np.zeros(len(cells.codes))
    for index, axis in enumerate(cells.axes):
        distance += _distance(axis)[cells.codes[:, index]]
    planned = cells.planned.any(axis=-1)
    return int(np.argmin(np.where(planned, distance, np.inf)))


def _distance(axis: Axis) -> np.ndarray:
    """Distance `(L,)` of an axis' values from its default, in logarithms where all are positive."""
    default = axis.info.default
    if default is None or not axis.numeric or isinstance(default, str):
        middle = (len(axis.values) - 1) // 2
        places = [category(value) for value in axis.values.tolist()]
        at = (
            places.index(category(default)) if category(default) in places and default is not None else middle
        )
        return np.abs(np.arange(len(places)) - at) / len(places)
    if default > 0 and np.all(axis.values > 0):
        away = np.abs(np.log(axis.values / default))
    else:
        away = np.abs(axis.values - float(default))
    return away / (away.max() or 1.0)
