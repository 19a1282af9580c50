"""Losses with the same scores in all trials, which no two methods have: one method, or one file under two names."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.model.aligned import places, same_axes
from analysis.model.cells import Cells

#: Least number of different scores among the shared trials. A few coarse or saturated scores are equal by chance.
LEAST_DIFFERENT = 5

#: Test and selecting score of each ended trial by configuration and seed; None where it failed.
_Trials = dict[Hashable, tuple[float, float] | None]


@dataclass(frozen=True, kw_only=True)
class Identical:
    """Losses that have the same scores in all the trials that they share."""

    losses: tuple[str, ...]
    trials: int  # finished ones of each loss, at the configurations and seeds that all of them have
    all_trials: bool  # whether no loss has other finished trials

    @property
    def which(self) -> str:
        """The trials in words."""
        return f"all {self.trials} trials{'' if self.all_trials else ' that they share'}"


def identical_losses(losses: Mapping[str, Cells]) -> list[Identical]:
    """Groups of losses with equal test and selecting scores in all the trials that they share.

    A trial that failed for one loss failed for the others. Only losses with the same axes share trials. All losses of
    a group share finished trials with at least `LEAST_DIFFERENT` different scores. A loss that shares trials with one
    of a group and not with the others is in a group with that one.
    """
    ended = {label: _ended(cells) for label, cells in losses.items()}
    groups: list[list[str]] = []
    for at, label in enumerate(ended):
        home = next((group for group in groups if _same([ended[each] for each in (*group, label)])), None)
        if home is not None:
            home.append(label)
            continue
        before = list(ended)[:at]
        first = next((each for each in before if _same([ended[each], ended[label]])), None)
        if first is not None:
            groups.append([first, label])
    return [_identical(group, ended) for group in groups]


def copies(found: Sequence[Identical], reference: str) -> dict[str, tuple[str, Identical]]:
    """The losses that repeat another one, with that one: the reference or else the first loss of the group."""
    repeated: dict[str, tuple[str, Identical]] = {}
    for group in found:
        original = reference if reference in group.losses else group.losses[0]
        repeated |= {loss: (original, group) for loss in group.losses if loss not in (original, *repeated)}
    return repeated


def _ended(cells: Cells) -> _Trials:
    axes = same_axes(cells)
    order = sorted(cells.axes, key=lambda axis: axis.name)
    test, selecting, finished = cells.test, cells.validation, cells.finished
    return {
        (axes, place, seed): (float(test[cell, at]), float(np.nan_to_num(selecting[cell, at])))
        if finished[cell, at]
        else None
        for place, cell in places(cells, np.ones(len(cells.codes), dtype=bool), order).items()
        for at, seed in enumerate(cells.seeds.tolist())
        if finished[cell, at] or cells.failed[cell, at]
    }


def _same(members: Sequence[_Trials]) -> bool:
    """Whether the last one has the scores of each other one, in enough trials that all share."""
    *others, last = members
    if any(other.get(key, scores) != scores for other in others for key, scores in last.items()):
        return False
    return len(set(_shared(members))) >= LEAST_DIFFERENT


def _shared(members: Sequence[_Trials]) -> list[tuple[float, float]]:
    """The scores of the first one in the finished trials that all have."""
    first, *others = members
    return [
        scores
        for key, scores in first.items()
        if scores is not None and all(other.get(key) is not None for other in others)
    ]


def _identical(group: Sequence[str], ended: Mapping[str, _Trials]) -> Identical:
    members = [ended[label] for label in group]
    count = len(_shared(members))
    finished = [sum(scores is not None for scores in trials.values()) for trials in members]
    return Identical(losses=tuple(group), trials=count, all_trials=all(each == count for each in finished))
