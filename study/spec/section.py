"""Derives tables of the study file from classes of settings; `study.spec.schema` declares the tables with it.

A key has the type, default, bounds and choices that `trainables.settings.setting` declares.
"""

import dataclasses
import functools
import types
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from search_spaces.axes import LARGEST_WHOLE, repeats
from trainables.settings import Declared, Setting, without_none
from trainables.suggestion import shortened


class Section(BaseModel):
    """A table of the study file. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    #: The key that a text instead of the table sets; "" for a table that is always written as one.
    text_key: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not cls.text_key or isinstance(value, (Mapping, cls)):
            return value
        if not isinstance(value, str):
            raise ValueError(f"got {shortened(value)}, must be a text or a table")
        return {cls.text_key: value}

    @field_validator("*", mode="before")
    @classmethod
    def _no_conversion(cls, value: Any, info: ValidationInfo) -> Any:
        """The value. pydantic would read "3" and true as numbers, and "yes" and 1 as truth values."""
        if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
            raise ValueError(f"got {shortened(value)}, must be below 2^63")
        kinds = _plain_kinds(cls.model_fields[str(info.field_name)].annotation)
        if kinds == {bool} and isinstance(value, (str, int, float)) and not isinstance(value, bool):
            raise ValueError(f"got {shortened(value)}, must be true or false")
        if kinds and kinds <= {int, float} and isinstance(value, (str, bool)):
            raise ValueError(f"got {shortened(value)}, must be a number")
        return value


def _plain_kinds(kind: Any) -> set[type]:
    """The truth value, number or text types that a key allows besides None; empty if it allows others."""
    if get_origin(kind) is Annotated:
        return _plain_kinds(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        each = [_plain_kinds(one) for one in get_args(kind) if one is not type(None)]
        return set().union(*each) if all(each) else set()
    return {kind} if kind in (bool, int, float, str) else set()


def section_of(*configs: type, without: Collection[str] = (), optional: Collection[str] = ()) -> Any:
    """A table with the settings of these configuration classes, except those in `without`.

    A study file may leave out settings in `optional` although the configuration needs them, because they are swept
    or the data set provides them. A setting that is itself a class of settings becomes a table inside the table.
    """
    fields: dict[str, Any] = {}
    for spec in (spec for config in configs for spec in dataclasses.fields(config)):
        if spec.name not in without:
            fields[spec.name] = _key_of(spec, spec.name in optional)
    return create_model(configs[0].__name__, __base__=Section, __doc__=configs[0].__doc__, **fields)


def section_with(declared: Declared) -> type[Section]:
    """A table with this setting alone, to check one value."""
    field = (_key_type(without_none(declared.type), declared.setting), Field())
    return create_model(declared.name, __base__=Section, **cast(Any, {declared.name: field}))


Config = TypeVar("Config")


def config_of(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """The configuration that keys give, with the tables in it. `values` are checked already.

    Raises `TypeError` for a key that the configuration does not have.
    """
    names = {spec.name for spec in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - names):
        raise TypeError(f"{kind.__name__} has no field {unknown[0]}")
    return cast(Config, _adapter(cast(Any, kind)).validate_python(values))


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _key_of(spec: dataclasses.Field, optional: bool) -> tuple[Any, Any]:
    """The type and the field of the key for a setting, or of the table for a class of settings."""
    if "setting" not in spec.metadata:
        table = section_of(cast(type, spec.type))
        required = any(field.is_required() for field in table.model_fields.values())
        return table, Field() if required else Field(default_factory=table)
    declared: Setting = spec.metadata["setting"]
    kind = _key_type(spec.type, declared)
    if optional:
        return kind | None, Field(default=None, description=declared.doc)
    default = ... if spec.default is dataclasses.MISSING else spec.default
    return kind, Field(default=default, description=declared.doc)


#: Bounds that count the items of a list.
_LENGTHS = ("min_length", "max_length")


def _no_repeats(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The items. A repeated item has no effect, but the trial would have another id."""
    if repeated := repeats(items):
        raise ValueError(f"got {shortened(repeated[0])} more than once; each is allowed once")
    return items


def _key_type(kind: Any, declared: Setting) -> Any:
    """The type that checks a value: it includes the bounds, and a `Literal` of the choices replaces text."""
    inner = without_none(kind)
    if inner != kind:
        return _key_type(inner, declared) | None
    if get_origin(kind) is tuple:
        return _list_type(get_args(kind)[0], declared)
    if declared.choices:
        return Literal[declared.choices]
    return Annotated[kind, Field(**declared.bounds)] if declared.bounds else kind


def _list_type(item: Any, declared: Setting) -> Any:
    """The type that checks a list. The bounds of numbers are those of each item. Texts do not repeat."""
    lengths = {name: bound for name, bound in declared.bounds.items() if name in _LENGTHS}
    bounds = {name: bound for name, bound in declared.bounds.items() if name not in _LENGTHS}
    if item in (int, float):  # strict, because pydantic would read "3" and true as numbers
        items: Any = types.GenericAlias(tuple, (Annotated[item, Field(strict=True, **bounds)], ...))
    else:
        checked = _key_type(item, Setting(doc="", choices=declared.choices))
        items = Annotated[types.GenericAlias(tuple, (checked, ...)), AfterValidator(_no_repeats)]
    return Annotated[items, Field(**lengths)] if lengths else items


def number_words(bound: float) -> str:
    """A bound as messages and the key reference write it. Large whole numbers are near powers of two."""
    if not isinstance(bound, int) or bound < 2**20:
        return f"{bound:.10g}"
    power = bound.bit_length() - (bound & (bound - 1) == 0)
    return f"2^{power}" if bound in (2**power, 2**power - 1) else str(bound)
