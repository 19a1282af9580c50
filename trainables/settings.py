"""How a field of a trial's configuration declares itself: once, with everything that the platform knows about it.

The configuration (`trainables.config`) is made of such fields. The tables of the study file and their checks, the
axes of a study, the `hp_*` columns of records, the labels of figures and the key reference all follow from them.
This module imports no torch.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, Union, get_args, get_origin

#: Numbers of axes. Designs that draw points give each axis the column of its number.
AXIS_NUMBERS = range(1, 16)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a field is, beside its name, type and default.

    Names of bounds are those of pydantic: `ge`, `gt`, `le` and `lt` for numbers, `min_length` for lists, `pattern`
    for text.
    """

    doc: str  # for the key reference and the record's column
    unit: str = ""  # of a number, "1" for a pure number; "" for text, and for what no record holds
    label: str = ""  # in figures and tables, with the unit where people need it; the name in words without
    choices: tuple[str, ...] = ()  # allowed texts, of a list the allowed texts of each item; () for any
    bounds: Mapping[str, Any] = field(default_factory=dict)
    axis: int | None = None  # its number among the axes, None for a field that no study sweeps
    axis_name: str = ""  # in `[axes]`, where it is not the field's own name
    column: str = ""  # of the record, "" for none


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
    **bounds: Any,
) -> Any:
    """A dataclass field that declares itself; required without a default. See `Setting` for what each word means.

    An axis takes the next free number of `AXIS_NUMBERS`, and keeps it for ever: the number decides which coordinate
    of a drawn point is whose.

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
    )
    return field(default=default, metadata={"setting": declared})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A field with its declaration, as one class of the configuration has it."""

    name: str
    type: Any
    setting: Setting
    value_of: Callable[[Any], Any]  # from an instance of the class that was asked

    @property
    def axis_name(self) -> str:
        """Its name in `[axes]`."""
        return self.setting.axis_name or self.name

    @property
    def label(self) -> str:
        """In figures and tables."""
        return self.setting.label or self.axis_name.replace("_", " ")


def declared_fields(config: type) -> Iterator[Declared]:
    """Every declared field of a dataclass and of the dataclasses in it, in their order."""
    for spec in dataclasses.fields(config):
        if "setting" in spec.metadata:
            yield Declared(
                name=spec.name, type=spec.type, setting=spec.metadata["setting"], value_of=_getter(spec.name)
            )
        elif dataclasses.is_dataclass(spec.type) and isinstance(spec.type, type):
            for inner in declared_fields(spec.type):
                yield dataclasses.replace(inner, value_of=_through(spec.name, inner.value_of))


def declared_axes(*configs: type) -> dict[str, Declared]:
    """What may be swept of these classes together, by name in `[axes]`, in the order of the axes' numbers."""
    found = [each for config in configs for each in declared_fields(config) if each.setting.axis is not None]
    axes: dict[str, Declared] = {}
    for each in sorted(found, key=lambda each: each.setting.axis or 0):
        axes.setdefault(each.axis_name, each)
    return axes


def declared_columns(*configs: type) -> dict[str, Declared]:
    """The record columns of these classes together, in their order; of several fields of one column, the first."""
    found: dict[str, Declared] = {}
    for config in configs:
        for each in declared_fields(config):
            if each.setting.column:
                found.setdefault(each.setting.column, each)
    return found


def setting_columns(config: Any) -> dict[str, Any]:
    """The record columns that an instance fills. A list or a table stands as JSON."""
    return {column: _plain(each.value_of(config)) for column, each in declared_columns(type(config)).items()}


def _getter(name: str) -> Callable[[Any], Any]:
    return lambda instance: getattr(instance, name)


def _through(name: str, inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda instance: inner(getattr(instance, name))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.dumps(value, sort_keys=True, default=dataclasses.asdict)


def without_none(kind: Any) -> Any:
    """The type of a value that is there: `int` for `int | None`."""
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    return kind
