"""The arms of a study: each entry of `[losses]` gives a loss, its space, and the configurations that run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from search_spaces.axes import (
    Axis,
    Cases,
    Measure,
    checked_values,
    is_numeric,
    listed,
    measure_of,
    not_an_axis,
    varies,
)
from search_spaces.designs import Design, names_of
from search_spaces.designs.design import PointRequest
from search_spaces.loss_params import check_fields, check_loss_name, check_params, field_names
from search_spaces.space import Point, Space, Tied, grid_size
from search_spaces.spaces import SPACES
from study.errors import StudyError
from study.spec.arm_space import LOSS_KEY, LR_KEY, build_space, loss_name
from study.spec.schema import POINTS_KEY, SearchSection
from trainables.config import AXES, AXIS_OF, BUDGETS, Scalar
from trainables.own_files import is_import_path
from trainables.suggestion import shortened

AxisValues = dict[str, tuple[Scalar, ...]]

#: The measure of every axis; for an axis with cases, the measure of each case. It is not part of a trial.
Measures = Mapping[str, Measure | dict[Scalar, Measure]]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The most trials of a study, and its number of seeds."""

    trials: int
    seeds: int

    def check(self, where: str, configurations: int) -> None:
        """Raise `StudyError` for too many configurations. `where` is the key of the study file that has them."""
        if (count := configurations * self.seeds) > self.trials:
            raise StudyError(
                f"{where}: {configurations:,} configurations with {self.seeds:,} seeds are {count:,} trials; at most "
                f"resources.max_trials = {self.trials:,} are allowed, and a larger value raises this limit"
            )


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One entry of `[losses]`, with its defaults and configurations resolved."""

    label: str
    loss: str
    space: Space
    points: tuple[Point, ...]  # configurations: axes of training and fields of the loss, without seeds
    axes: AxisValues  # the values of each field of the loss that occur; for a searched range, its ends
    lr: tuple[Scalar, ...] | None  # base learning rates; None if `[axes]` sweeps them
    main_axis: str | None  # the field that surfaces show; None if no field of the loss varies
    undecided: int = 0  # number of configurations that a search has not chosen yet

    @property
    def measures(self) -> Measures:
        """The measure of every axis; for an axis with cases, the measure of each case."""
        return {name: _measure(axis) for name, axis in self.space.items()}


def resolve_arm(
    label: str,
    table: Mapping[str, Any],
    shared: Mapping[str, Axis],
    search: SearchSection,
    limit: Limit,
    trial_shapes: Callable[[Sequence[Point]], tuple[tuple[int, int], ...]],
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Arm:
    """An arm from its table. `shared` holds the axes of all arms. An arm of a search has no points yet.

    In a grid, the table may give some of the values of a shared axis. The arm then has only these.

    `trial_shapes` gives the batches (pairs, dimensions) on which an own loss is tried, the smallest first. `settings`
    names the table of each key of other tables, for the message about a key that belongs there.
    `study.searches` adds the points of a search. Raises `StudyError` for an unknown loss or field, for a value that
    the loss refuses, for a missing range or rate, and for more configurations than `limit` allows.
    """
    where = f"losses.{label}"
    with _named(f"{where}.{LOSS_KEY}" if LOSS_KEY in table else where):
        loss = loss_name(label, table)
        check_loss_name(loss)
    if search.chosen.listed and POINTS_KEY in table:
        limit.check(f"{where}.{POINTS_KEY}", len(table[POINTS_KEY]))
    _check_keys(where, loss, table, shared, settings)
    shared = {name: _own_part(where, name, axis, table, search.chosen) for name, axis in shared.items()}
    table = {name: axis for name, axis in table.items() if not _narrows(name)}
    spaces = _spaces(where, loss, table, shared, search.chosen)
    _check_count(where, spaces, search, limit)
    with _named(where):
        points = _points(loss, spaces, search)
    with _named(where, ": " if is_import_path(loss) else "."):
        shapes = trial_shapes(points)
        for fields in dict.fromkeys(tuple(_fields_of(point).items()) for point in points):
            check_params(loss, dict(fields), shapes)
            shapes = shapes[:1]  # a large batch takes long: all shapes for the first configuration only
    values = _occurring(points)
    space = _union(spaces, values)
    return Arm(
        label=label,
        loss=loss,
        space=space,
        points=() if search.chosen.adaptive else points,
        undecided=(search.count or 0) if search.chosen.adaptive else 0,
        axes=_fields_of(values),
        lr=None if "lr" in shared else values["lr"],
        main_axis=_main_axis(loss, space),
    )


@contextmanager
def _named(where: str, joint: str = ": ") -> Iterator[None]:
    """Put the name of the table before an error's message; with "." as `joint`, before a key of the table."""
    try:
        yield
    except ValueError as error:
        raise StudyError(f"{where}{joint}{error}") from error


def _narrows(name: str) -> bool:
    """Whether this key of a loss's table gives some of the values of a shared axis."""
    return name in AXES and name != LR_KEY


def _own_part(where: str, name: str, axis: Axis, table: Mapping[str, Any], design: Design) -> Axis:
    """The shared axis with the values that the table gives, or with all of them."""
    if not _narrows(name) or name not in table:
        return axis
    where, own = f"{where}.{name}", table[name]
    if design.drawn or design.listed:
        takers = names_of(lambda each: not (each.drawn or each.listed))
        raise StudyError(
            f"{where}: some values of an axis are for {takers}, and search.design is {design.name}"
        )
    with _named(where):
        if isinstance(own, Cases):
            raise ValueError(not_an_axis(own))
        wanted, known = own.values(), axis.values()
        for value in wanted:
            if value not in known:
                raise ValueError(f"got {shortened(value)}, must be among axes.{name}, which all losses share")
        kept = listed(*(value for value in known if value in wanted))
        return kept.model_copy(update={"measure": measure_of(axis)})


def _check_keys(
    where: str,
    loss: str,
    table: Mapping[str, Any],
    shared: Mapping[str, Axis],
    settings: Mapping[str, str],
) -> None:
    """Check the keys of a table and of its points, and each value alone.

    This comes before missing ranges and rates, because a misspelt text is often the reason why one is missing.
    """
    special = (LOSS_KEY, LR_KEY, POINTS_KEY)
    for name in table:
        if _narrows(name) and name not in shared:
            raise StudyError(f"{where}.{name}: belongs in [axes], which all losses share")
    fields = {
        name: checked_values(axis)
        for name, axis in table.items()
        if name not in special and not _narrows(name)
    }
    for name in fields:
        if name in settings and name not in field_names(loss):
            raise StudyError(f"{where}.{name}: belongs in [{settings[name]}], which all losses share")
    with _named(where, "."):
        check_fields(loss, fields, (LR_KEY, LOSS_KEY))
    for number, point in enumerate(table.get(POINTS_KEY, ()), start=1):
        if taken := sorted({LOSS_KEY, POINTS_KEY} & set(point)):
            raise StudyError(
                f"{where}.{POINTS_KEY}.{number}.{taken[0]}: a point gives fields of the loss and of training"
            )
        with _named(f"{where}.{POINTS_KEY}.{number}", "."):
            check_fields(loss, {name: (value,) for name, value in _fields_of(point).items()}, AXES)


def _check_count(where: str, spaces: Sequence[Space], search: SearchSection, limit: Limit) -> None:
    """Raise `StudyError` if the configurations of a loss are too many, before they are made."""
    count = search.count if search.chosen.budget else sum(_grid_size(where, space) for space in spaces)
    assert count is not None  # a budget is there
    limit.check(where, count)


def _grid_size(where: str, space: Space) -> int:
    with _named(where, "."):
        return grid_size(space)


def _spaces(
    where: str, loss: str, table: Mapping[str, Any], shared: Mapping[str, Axis], design: Design
) -> list[Space]:
    """The space of a table, as a list; for a table with explicit points, one space for each point."""
    if not design.listed:
        if POINTS_KEY in table:
            takers = names_of(lambda each: each.listed)
            raise StudyError(f"{where}.points: are for {takers}, and search.design is {design.name}")
        return [build_space(where, loss, table, shared, design=design)]
    if POINTS_KEY not in table:
        raise StudyError(
            f"{where}.points: is missing; design {design.name} needs the configurations of every loss"
        )
    rest = {name: axis for name, axis in table.items() if name != POINTS_KEY}
    return [
        _space_of_point(f"{where}.points.{number}", loss, rest, shared, point, design)
        for number, point in enumerate(table[POINTS_KEY], start=1)
    ]


def _space_of_point(
    where: str,
    loss: str,
    table: Mapping[str, Any],
    shared: Mapping[str, Axis],
    point: Point,
    design: Design,
) -> Space:
    """The space of one explicit point: its values are fixed; the table and the shared axes give the rest."""
    fixed = {name: listed(value) for name, value in point.items()}
    replaced = {*point, *(BUDGETS if set(BUDGETS) & set(point) else ())}
    axes = {name: axis for name, axis in shared.items() if name not in replaced}
    training = axes | {name: axis for name, axis in fixed.items() if name in AXES}
    fields = {name: axis for name, axis in table.items() if name not in replaced} | _fields_of(fixed)
    return build_space(where, loss, fields, training, design=design)


def _points(loss: str, spaces: Sequence[Space], search: SearchSection) -> tuple[Point, ...]:
    """The configurations of an arm; for an adaptive design, those that are checked before the search begins."""
    names = field_names(loss)
    request = PointRequest(
        count=search.count,
        seed=search.design_seed,
        main_axis=_main_axis(loss, spaces[0]),
        training_axes=AXIS_OF,
        fields=names,
    )
    points = tuple(point for space in spaces for point in search.chosen.points(space, request))
    different = len({tuple(point.values()) for point in points})
    if search.chosen.drawn and not search.chosen.adaptive and different < len(points):
        raise ValueError(
            f"only {different} of the {len(points)} points differ, because the axes have few values; give ranges "
            "without points, fewer points, or design = grid"
        )
    return points


def _fields_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the loss's fields, without the axes of training."""
    return {name: value for name, value in values.items() if name not in AXES}


def _occurring(points: Sequence[Point]) -> AxisValues:
    """The different values of each hyperparameter, in the order of their first occurrence."""
    values: dict[str, dict[Scalar, None]] = {}
    for point in points:
        for name, value in point.items():
            values.setdefault(name, {})[value] = None
    return {name: tuple(found) for name, found in values.items()}


def _union(spaces: Sequence[Space], values: AxisValues) -> Space:
    """The space of an arm. An axis on which its spaces differ becomes the list of the values that occur."""
    first = spaces[0]
    return {
        name: first[name] if all(space.get(name) == first.get(name) for space in spaces) else listed(*found)
        for name, found in values.items()
    }


def _main_axis(loss: str, space: Space) -> str | None:
    defaults = SPACES.get(loss)
    varying = [
        name
        for name, axis in _fields_of(space).items()
        if all(is_numeric(case) for case in _cases(axis)) and any(varies(case) for case in _cases(axis))
    ]
    if defaults and (defaults.main_axis in varying or not varying):
        return defaults.main_axis
    return varying[0] if varying else None


def _cases(axis: Axis | Tied) -> list[Axis]:
    return list(axis.cases.values()) if isinstance(axis, Tied) else [axis]


def _measure(axis: Axis | Tied) -> Measure | dict[Scalar, Measure]:
    if isinstance(axis, Tied):
        return {value: measure_of(case) for value, case in axis.cases.items()}
    return measure_of(axis)
