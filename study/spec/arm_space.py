"""Builds the space of one table of `[losses]` from its values and the defaults of the loss; `arms` uses it."""

from collections.abc import Mapping
from typing import Any

from search_spaces.axes import Axis, Cases, Values, checked_values, listed, not_an_axis
from search_spaces.designs import Design
from search_spaces.loss_params import field_choices
from search_spaces.space import Space, Tied
from search_spaces.spaces import SPACES, LossSpace
from study.errors import StudyError
from study.spec.schema import POINTS_KEY
from trainables.suggestion import did_you_mean

#: Keys of a loss's table that are not fields of the loss.
LOSS_KEY, LR_KEY = "loss", "lr"

Table = Mapping[str, Any]  # values are Axis or Cases


def loss_name(label: str, table: Table) -> str:
    """The name of the loss of a table. Raises `ValueError` unless it is one text."""
    axis = table.get(LOSS_KEY, listed(label))
    names = axis.listed if isinstance(axis, Values) else ()
    if len(names) != 1 or not isinstance(names[0], str):
        raise ValueError(f"loss: got {list(names)}, must be the name or import path of one loss")
    return names[0]


def build_space(where: str, loss: str, table: Table, shared: Mapping[str, Axis], *, design: Design) -> Space:
    """The axes of training, the base learning rate, and the fields of the loss, in this order.

    A main axis that the table does not give has its default range. A grid takes the range's `points`; designs that
    draw points use the whole range; design `list` keeps the field's default. Raises `StudyError` for a missing range
    or rate.
    """
    defaults = SPACES.get(loss)
    fields = {key: axis for key, axis in table.items() if key not in (LOSS_KEY, LR_KEY, POINTS_KEY)}
    if defaults and not design.listed:
        fields[defaults.main_axis] = _main_axis(where, loss, defaults, fields, drawn=design.drawn)
    tied = {name: _tie(f"{where}.{name}", loss, axis, fields) for name, axis in fields.items()}
    rate = _base_rate(where, loss, table, fields, defaults, "lr" in shared)
    rates = {} if rate is None else {LR_KEY: _tie(f"{where}.{LR_KEY}", loss, rate, fields)}
    return {**shared, **rates, **tied}


def _main_axis(where: str, loss: str, defaults: LossSpace, fields: Table, *, drawn: bool) -> Axis | Cases:
    """The main axis from the table, or its default range; a KCL kernel has a default range of its own."""
    axis = fields.get(defaults.main_axis, Cases({}))
    if not isinstance(axis, Cases):
        return axis
    given, choices = axis.axes, field_choices(loss, defaults.range_field)
    if not set(given) <= set(choices):
        return axis  # the cases belong to another field
    spacing: dict[str, Any] = {"points": None} if drawn else {}
    first = next(iter(defaults.half_widths))
    cases = [str(value) for value in checked_values(fields.get(defaults.range_field, listed(first)))]
    for case in cases:
        if case not in given and case not in defaults.half_widths:
            raise StudyError(
                f"{where}.{defaults.main_axis}: is missing for {defaults.range_field} = {case}; "
                f"default ranges are for {', '.join(defaults.half_widths)} only"
            )
    if len(cases) == 1 and not given:
        return defaults.range(cases[0], **spacing)
    return Cases({**given, **{case: defaults.range(case, **spacing) for case in cases if case not in given}})


def _base_rate(
    where: str, loss: str, table: Table, fields: Table, defaults: LossSpace | None, shared: bool
) -> Axis | Cases | None:
    if LR_KEY in table:
        if shared:
            raise StudyError(f"{where}.lr: [axes] sweeps lr already; give it in one place")
        rate: Axis | Cases = table[LR_KEY]
        return rate
    if shared:
        return None
    if defaults is None:
        raise StudyError(
            f"{where}.lr: is missing; {loss} has no default rate; give a learning rate here or in [axes]"
        )
    if not defaults.rate_scope.covers({name: checked_values(axis) for name, axis in fields.items()}):
        raise StudyError(f"{where}.lr: is missing; the default rate is for {defaults.rate_scope} only")
    return listed(defaults.base_lr)


def _tie(where: str, loss: str, cases: Axis | Cases, fields: Table) -> Axis | Tied:
    """Find the field that the cases belong to: each of its values has a case, and each case is a known choice.

    An axis without cases is returned as it is.
    """
    if not isinstance(cases, Cases):
        return cases
    for name, axis in fields.items():
        if isinstance(axis, Values):
            known = {str(value) for value in axis.listed}
            if known <= set(cases.axes) <= known | set(field_choices(loss, name)):
                return Tied(on=name, cases={value: cases.axes[str(value)] for value in axis.listed})
    choices = [str(choice) for name in fields for choice in field_choices(loss, name)]
    for case in cases.axes:
        if case not in choices and (near := did_you_mean(case, choices)):
            raise StudyError(f"{where}.{case}: unknown case{near}; allowed are {', '.join(choices)}")
    raise StudyError(f"{where}: {not_an_axis(cases)}")
