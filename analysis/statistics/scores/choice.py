"""The tuned and the default configuration of an arm, and their test scores by seed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.model.axis_values import category
from analysis.model.cells import Axis, Cells
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import Estimate, mean_and_spread, student_estimate
from analysis.statistics.scores.pairs_of_seeds import (
    SAME_SEED,
    choice_chances,
    first_chosen,
    scored,
    tuned_pairs,
)
from analysis.statistics.scores.selection import NONE, best_cell


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
    """The cell that is best by validation over all seeds, with the scores of what single seeds select.

    `scores` `(S,)` holds, for each seed, the mean test score of what the other seeds select. `estimate` is the
    expected test score of the configuration that one seed's validation selects (`scores.pairs_of_seeds`).
    """

    pairs: np.ndarray  # (S, S), by selecting seed and by scoring seed
    selected: tuple[int | None, ...]  # the first cell that each seed selects, None where it selects none
    agreeing: int  # number of seeds that select the cell `at`, alone or among equals

    @property
    def choices(self) -> int:
        """Number of seeds that select a configuration for another seed."""
        return sum(cell is not None for cell in self.selected)


def tuned_choice(cells: Cells, note: str) -> TunedChoice:
    """The configuration that is best by validation, with the scores of what single seeds select.

    Where no two seeds share what one of them selects, for example with one seed, the same seed selects and scores.
    The estimate then has no interval, and its note says so.
    """
    test, validation = cells.test, cells.validation
    at = max(best_cell(validation), 0)  # without any trial, take the first cell
    chances = choice_chances(validation)
    pairs = scored(test, chances)
    known = np.isfinite(pairs)
    count = known.sum(axis=0)
    by_seed = np.where(count > 0, np.where(known, pairs, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    selecting = first_chosen(chances) if known.any() else np.full(len(cells.seeds), NONE)
    return TunedChoice(
        at=at,
        place=cells.place(at),
        scores=by_seed if known.any() else test[at],
        seeds=cells.seeds,
        estimate=tuned_estimate(
            test, validation, bounds=cells.metric.score_bounds, step=cells.metric.step, note=note
        ),
        pairs=pairs,
        selected=tuple(None if cell == NONE else int(cell) for cell in selecting),
        agreeing=int((chances[at] > 0).sum()) if known.any() else 0,
    )


def tuned_estimate(
    test: np.ndarray,
    validation: np.ndarray,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    step: float = 0.0,
    note: str = "",
) -> Estimate:
    """The expected test score of what one seed's validation selects, from `(C, S)` and `(C, S)`.

    Where no pair of seeds is known, the mean score of the best cell of all seeds, without an interval.
    """
    pairs = tuned_pairs(test, validation)
    at = best_cell(validation)
    if np.isfinite(pairs).any() or at == NONE or not np.isfinite(test[at]).any():
        return pair_estimate(pairs, bounds=bounds, step=step, note=note)
    mean, _, count = mean_and_spread(test[at])
    told = "; ".join(filter(None, [note, SAME_SEED]))
    return Estimate(value=float(mean), seeds=int(count), note=told)


def default_choice(cells: Cells) -> Choice:
    """The configuration nearest to the loss's defaults, at the middle batch size, with its test scores."""
    at = default_cell(cells)
    scores = cells.test[at]
    estimate = student_estimate(scores, bounds=cells.metric.score_bounds, step=cells.metric.step)
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
