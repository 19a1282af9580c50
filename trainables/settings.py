"""Declarations of configuration fields: each field is declared once, with all facts that the platform needs.

The configuration (`trainables.config`) consists of such fields. The tables of the study file and their checks, the
axes of a study, the `hp_*` columns of records, the labels of figures and the key reference are all derived from them.
This module imports no torch.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, Union, get_args, get_origin

#: The numbers of axes. Designs that draw points use an axis's number as its column of their table. The columns
#: between these two ranges are for the fields of a loss.
AXIS_NUMBERS = (*range(1, 16), *range(48, 64))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The declaration of a field, without its name, type and default.

    Bounds have pydantic's names: `ge`, `gt`, `le` and `lt` for numbers and for each number of a list, `min_length`
    and `max_length` for lists, `pattern` for text.
    """

    doc: str  # the description in the key reference and of the record's column
    unit: str = ""  # the unit of a number, "1" for a pure number; "" for text
    label: str = ""  # the name in figures and tables, with the unit if needed; "": made from the axis's name
    choices: tuple[str, ...] = ()  # allowed texts; for a list, the allowed texts of each item; () for any
    bounds: Mapping[str, Any] = field(default_factory=dict)
    axis: int | None = None  # the number of the axis; None for a field that no study sweeps
    axis_name: str = ""  # the name in `[axes]`; "" for the field's own name
    column: str = ""  # the record column; "" for none
    unset: str = "not set"  # how texts show None
    #: The values of other fields of the same class with which the field has an effect, such as
    #: `{"optimizer": ("lars",)}`. A field with a list needs one of these items. A field without values must be above
    #: 0. Empty: it always has an effect.
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Makes the text of a value, or of its canonical form, in records and reports; None for values that have one.
    text: Callable[[Any], Any] | None = None


def setting(
    default: Any = MISSING,
    *,
    doc: str,
    unit: str = "",
    label: str = "",
    choices: tuple[str, ...] = (),
    axis: int | None = None,
    axis_name: str = "",
    column: str = "",
    unset: str = "not set",
    needs: Mapping[str, tuple[str, ...]] | None = None,
    text: Callable[[Any], Any] | None = None,
    **bounds: Any,
) -> Any:
    """A dataclass field with a declaration. It is required if it has no default. `Setting` describes the arguments.

    A new axis takes the next free number of `AXIS_NUMBERS`. The number must never change: it decides which coordinate
    of a drawn point belongs to the axis.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Example:
    ...     momentum: float = setting(0.9, doc="Of the optimiser.", unit="1", column="hp_momentum", ge=0, lt=1)
    >>> setting_columns(Example())
    {'hp_momentum': 0.9}
    """
    declared = Setting(
        doc=doc,
        unit=unit,
        label=label,
        choices=choices,
        bounds=bounds,
        axis=axis,
        axis_name=axis_name,
        column=column,
        unset=unset,
        needs=needs or {},
        text=text,
    )
    if axis is not None and axis not in AXIS_NUMBERS:
        raise ValueError(f"axis: got {axis}, must be a number from 1 to 15 or from 48 to 63")
    return field(default=default, metadata={"setting": declared})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A field of a configuration class, with its declaration."""

    name: str
    table: str  # the field of the outer class that holds the nested class; "" for a field of the outer class itself
    type: Any
    setting: Setting
    default: Any  # MISSING for a required field
    value_of: Callable[[Any], Any]  # its value in an instance of the outer class

    @property
    def axis_name(self) -> str:
        """The field's name in `[axes]`."""
        return self.setting.axis_name or self.name

    @property
    def label(self) -> str:
        """The field's name in figures and tables."""
        return self.setting.label or self.axis_name.replace("_", " ")

    @property
    def path(self) -> str:
        """The field's place in the outer class, such as `encoder.width`."""
        return f"{self.table}.{self.name}" if self.table else self.name

    def shown(self, value: Any) -> Any:
        """A value of the field, or its canonical form, as records and reports show it."""
        return value if self.setting.text is None or value is None else self.setting.text(value)

    @property
    def words(self) -> str:
        """The field's name among the fields of all tables, such as "encoder width"."""
        return self.setting.label or self.path.replace(".", " ").replace("_", " ")


def declared_fields(config: type) -> Iterator[Declared]:
    """Every declared field of a dataclass and of its nested dataclasses, in their order."""
    for spec in dataclasses.fields(config):
        if "setting" in spec.metadata:
            yield Declared(
                name=spec.name,
                table="",
                type=spec.type,
                setting=spec.metadata["setting"],
                default=spec.default,
                value_of=_getter(spec.name),
            )
        elif dataclasses.is_dataclass(spec.type) and isinstance(spec.type, type):
            for inner in declared_fields(spec.type):
                yield dataclasses.replace(
                    inner, table=spec.name, value_of=_through(spec.name, inner.value_of)
                )


def declared_axes(*configs: type) -> dict[str, Declared]:
    """The axes of all these classes by their name in `[axes]`, in the order of their numbers."""
    found = [each for config in configs for each in declared_fields(config) if each.setting.axis is not None]
    axes: dict[str, Declared] = {}
    for each in sorted(found, key=lambda each: each.setting.axis or 0):
        axes.setdefault(each.axis_name, each)
    return axes


def declared_columns(*configs: type) -> dict[str, Declared]:
    """The record columns of all these classes, in their order, each with the first field that has the column."""
    found: dict[str, Declared] = {}
    for config in configs:
        for each in declared_fields(config):
            if each.setting.column:
                found.setdefault(each.setting.column, each)
    return found


def setting_columns(config: Any) -> dict[str, Any]:
    """The values of the record columns of an instance. Lists and tables become JSON texts."""
    declared = declared_columns(type(config))
    return {column: _plain(each.shown(each.value_of(config))) for column, each in declared.items()}


def _getter(name: str) -> Callable[[Any], Any]:
    return lambda instance: getattr(instance, name)


def _through(name: str, inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda instance: inner(getattr(instance, name))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.dumps(value, sort_keys=True, default=dataclasses.asdict)


def without_none(kind: Any) -> Any:
    """The type without None: `int` for `int | None`."""
    if get_origin(kind) in (Union, types.UnionType):
        return Union[tuple(each for each in get_args(kind) if each is not type(None))]  # noqa: UP007
    return kind
