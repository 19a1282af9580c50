"""Spaces of configurations and their points: every combination of values, or points at coordinates of the unit cube.

Designs and study specs use this module.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from search_spaces.axes import Axis, Values
from trainables.config import Scalar


@dataclass(frozen=True, kw_only=True)
class Tied:
    """A hyperparameter whose axis depends on the value of another hyperparameter, `on`."""

    on: str
    cases: Mapping[Scalar, Axis]


Space = Mapping[str, Axis | Tied]

#: One configuration: a value for each hyperparameter of a space.
Point = dict[str, Scalar]


def grid_points(space: Space) -> Iterator[Point]:
    """Every combination, with the last axis varying fastest. A tied axis takes the values of its case.

    Raises `ValueError`, naming the axis, for a range without `points`.
    """
    free = {name: _values(name, axis) for name, axis in space.items() if not isinstance(axis, Tied)}
    for point in _combinations(free):
        tied = {name: _values(name, axis) for name, axis in _cases(space, point).items()}
        for rest in _combinations(tied):
            yield _in_order(space, point | rest)


def grid_size(space: Space) -> int:
    """The number of points of `grid_points`, without making them. Raises the same errors."""
    free = {name: axis for name, axis in space.items() if not isinstance(axis, Tied)}
    deciding = {axis.on for axis in space.values() if isinstance(axis, Tied)}
    count = math.prod(len(_values(name, axis)) for name, axis in free.items() if name not in deciding)
    return count * sum(
        math.prod(len(_values(name, axis)) for name, axis in _cases(space, point).items())
        for point in _combinations({name: _values(name, free[name]) for name in free if name in deciding})
    )


def point_at(space: Space, coordinates: Mapping[str, float]) -> Point:
    """The configuration at coordinates in [0, 1), one for each hyperparameter."""
    free = {name: axis.at(coordinates[name]) for name, axis in space.items() if not isinstance(axis, Tied)}
    tied = {name: axis.at(coordinates[name]) for name, axis in _cases(space, free).items()}
    return _in_order(space, free | tied)


def end_points(space: Space) -> tuple[Point, ...]:
    """Points that together contain every listed value, and both ends of every range in each of its cases."""
    longest = max((len(axis.listed) for axis in space.values() if isinstance(axis, Values)), default=1)
    return tuple(
        point_at(space, {name: share if isinstance(axis, Values) else end for name, axis in space.items()})
        for share in ((index + 0.5) / longest for index in range(longest))
        for end in (0.0, math.nextafter(1.0, 0.0))
    )


def _combinations(axes: Mapping[str, Sequence[Scalar]]) -> Iterator[Point]:
    """Every combination of one value per axis, with the last axis varying fastest."""
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _cases(space: Space, point: Point) -> dict[str, Axis]:
    return {name: axis.cases[point[axis.on]] for name, axis in space.items() if isinstance(axis, Tied)}


def _in_order(space: Space, point: Point) -> Point:
    return {name: point[name] for name in space}


def _values(name: str, axis: Axis) -> tuple[Scalar, ...]:
    try:
        return axis.values()
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
