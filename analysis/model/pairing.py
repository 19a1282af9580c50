"""Which cells of two losses are at the same place: equal values of shared settings, equal temperatures otherwise."""

from dataclasses import dataclass

import numpy as np

from analysis.model.aligned import value_text
from analysis.model.cells import Axis, Cells

#: Two temperatures are paired if their logarithms differ by at most this share of the smallest step of both axes.
STEP_SHARE = 0.25
#: Largest relative difference of two temperatures that are paired where no axis has a step, and that count as equal.
_EQUAL = 1e-3


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """P pairs of a cell of one loss and a cell of another one."""

    own: np.ndarray  # (P,) of int, increasing
    other: np.ndarray  # (P,) of int
    rule: str  # the temperatures that are paired, such as "t with temperature by T = 1/(2t)"; "" for equal values
    apart: float  # largest ratio of two paired temperatures, less 1; 0 for equal values

    def spread(self, values: np.ndarray, cells: int, empty: object = np.nan) -> np.ndarray:
        """Values `(P,)` of pairs at the cells of the first loss `(cells,)`, `empty` where a cell has no partner."""
        found = np.full(cells, empty, dtype=values.dtype)
        found[self.own] = values
        return found


@dataclass(frozen=True, kw_only=True)
class NoPairs:
    """Why no cells of two losses are paired."""

    reason: str


def pair_cells(own: Cells, other: Cells) -> Pairs | NoPairs:
    """The cells of both losses that are at one place.

    The second axis of one loss is paired with that of the other one, and any other axis with the one of its name.
    Values are paired if they are equal in nine digits and mean the same. Where both axes have an equivalent
    temperature, values are paired if these temperatures differ by at most `STEP_SHARE` of the smallest step of both
    axes, in logarithms. So a value has at most one partner.
    """
    partners = _axis_partners(own, other)
    if isinstance(partners, NoPairs):
        return partners
    columns, at = [], {tuple(codes): cell for cell, codes in enumerate(other.codes.tolist())}
    for axis, place in zip(own.axes, partners, strict=True):
        found = _same_values(axis, other.axes[place])
        if found is None:
            return NoPairs(reason=_why_apart(axis, other.axes[place]))
        if not (found >= 0).any():
            return NoPairs(reason=_nothing_shared(axis, other.axes[place]))
        columns.append(found)
    wanted = np.stack([found[codes] for found, codes in zip(columns, own.codes.T, strict=True)], axis=1)
    inverse = np.argsort(partners)
    places = [at.get(tuple(codes)) for codes in wanted[:, inverse].tolist()]
    kept = np.array([cell for cell, place in enumerate(places) if place is not None], dtype=int)
    if not len(kept):
        return NoPairs(reason="no configuration is shared")
    rule, apart = _rule(own.axes[1], other.axes[partners[1]], columns[1])
    return Pairs(own=kept, other=np.array([places[cell] for cell in kept], dtype=int), rule=rule, apart=apart)


def _axis_partners(own: Cells, other: Cells) -> list[int] | NoPairs:
    """For each axis of one loss, the place of its partner among those of the other."""
    if len(own.axes) != len(other.axes):
        return NoPairs(reason="they have other hyperparameters")
    places = {axis.name: place for place, axis in enumerate(other.axes) if place != 1}
    partners = [1 if place == 1 else places.get(axis.name, -1) for place, axis in enumerate(own.axes)]
    if -1 in partners:
        return NoPairs(reason=f"only one of them has the axis {own.axes[partners.index(-1)].info.words}")
    return partners


def _same_values(own: Axis, other: Axis) -> np.ndarray | None:
    """For each value of one axis `(L,)`, the index of its partner on the other, or -1; None if none can be paired."""
    if _by_temperature(own, other):
        mine, theirs = _log_temperatures(own), _log_temperatures(other)
        distance = np.abs(mine[:, None] - theirs)
        nearest = distance.argmin(axis=1)
        return np.where(distance.min(axis=1) <= _tolerance(mine, theirs), nearest, -1)
    if own.name != other.name or own.info.meaning.same_as != other.info.meaning.same_as:
        return None
    texts = {value_text(value): place for place, value in enumerate(other.values.tolist())}
    return np.array([texts.get(value_text(value), -1) for value in own.values.tolist()], dtype=int)


def _by_temperature(own: Axis, other: Axis) -> bool:
    return all(axis.info.meaning.law is not None and axis.positive for axis in (own, other))


def _log_temperatures(axis: Axis) -> np.ndarray:
    return np.log(axis.info.meaning.temperatures(axis.values))


def _tolerance(mine: np.ndarray, theirs: np.ndarray) -> float:
    steps = [np.abs(np.diff(logs)).min() for logs in (mine, theirs) if len(logs) > 1]
    return STEP_SHARE * min(steps) if steps else _EQUAL


def _rule(own: Axis, other: Axis, found: np.ndarray) -> tuple[str, float]:
    """The rule in words and the largest ratio of two paired temperatures, less 1."""
    if not _by_temperature(own, other):
        return "", 0.0
    kept = found >= 0
    gap = np.abs(_log_temperatures(own)[kept] - _log_temperatures(other)[found[kept]]).max()
    apart = float(np.expm1(gap)) if gap > _EQUAL else 0.0
    if own.name == other.name and own.info.meaning.law == other.info.meaning.law:
        return "", apart
    laws = dict.fromkeys(
        axis.info.meaning.formula(axis.info.bare)
        for axis in (own, other)
        if axis.info.meaning.law != (1.0, 1.0)
    )
    return f"{own.info.bare} is paired with {other.info.bare} by {' and '.join(laws)}", apart


def _why_apart(own: Axis, other: Axis) -> str:
    """Why values of two axes with other meanings have no partner."""
    without = [axis.info for axis in (own, other) if axis.info.meaning.law is None]
    named = [info.meaning.of for info in without if info.meaning.of]
    if named:
        return f"{named[0]} has no equivalent temperature"
    if own.name != other.name:
        return f"{own.info.words} and {other.info.words} are different hyperparameters"
    return f"{own.info.words} has a value without an equivalent temperature"


def _nothing_shared(own: Axis, other: Axis) -> str:
    if _by_temperature(own, other):
        return "no equivalent temperatures agree"
    return f"they share no value of {own.info.words}"
