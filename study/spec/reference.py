"""The reference of all keys of a study file, with type, default and meaning.

It is generated from the types that check study files. `tests.golden.regenerate` writes it to `docs/study_file.md`.
"""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from search_spaces.axes import Range
from study.spec.section import number_words
from study.spec.source import SOURCE_KEYS
from study.spec.tasks.registry import TASKS
from study.spec.toml_text import render_value
from trainables.settings import declared_axes

_INTRODUCTION = """\
# The study file

`uv run python -m tests.golden.regenerate` generates this page. `study init` writes a file to start from. A key that
is not in the tables below is an error.
"""

_AXIS = "value, list or range"
_TYPES = {int: "whole number", float: "number", bool: "true or false", str: "text"}

#: The sign of each bound that a type may have.
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of one table of the file."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class KeyTable:
    """One table of the file, with all its keys."""

    title: str
    meaning: str
    keys: tuple[Key, ...]


#: Tables that hold axes are written by hand, because their types do not list their keys.
_LOSSES = KeyTable(
    title="[losses.LABEL]",
    meaning="One loss. An empty table uses the loss's default range and base learning rate.",
    keys=(
        Key(
            name="loss",
            type="text",
            default="the label",
            meaning="A name that `study list losses` prints, or the import path of your own loss: a dataclass, a "
            "class of `nn.Module`, or a function.",
        ),
        Key(
            name="lr",
            type=f"{_AXIS}, or cases",
            default="the loss's own",
            meaning="Base learning rate, for a batch of `training.lr_reference_batch` pairs.",
        ),
        Key(
            name="FIELD",
            type=f"{_AXIS}, or cases",
            default="the loss's own",
            meaning="A field of the loss: `temperature`, `t`, `form`, ... Cases give one axis for each value of "
            'another field: `kernel = ["gaussian", "imq"]` with '
            "`t = { gaussian = { log = [1, 4], points = 3 }, imq = [1, 2] }`.",
        ),
        Key(
            name="batch_size, ...",
            type="value, list or range",
            default="all values of `[axes]`",
            meaning="In design `grid`: some of the values of an axis in `[axes]`, such as one batch size for a "
            "control. The loss runs only with these.",
        ),
        Key(
            name="points",
            type="list of tables",
            default="required in design `list`",
            meaning="Configurations: `[{ temperature = 0.1, batch_size = 64 }, ...]`, single values of the loss's "
            "fields and of training. For keys that a point leaves out, this table and `[axes]` give the values, in "
            "all combinations.",
        ),
    ),
)
_VALUES = KeyTable(
    title="A list with its measure",
    meaning='`{ values = [0.1, 0.5], measure = "each" }`: a list that also sets its measure.',
    keys=(
        Key(name="values", type="list", default="required", meaning="The values."),
        Key(
            name="measure",
            type="`log` or `linear` or `each`",
            default="`log` for numbers above 0, `linear` for others, `each` for text",
            meaning="How robustness scores weight the values: uniformly in the logarithm (`log`), uniformly in the "
            "value (`linear`), or each value equally (`each`). It is not part of a trial.",
        ),
    ),
)


def key_tables() -> list[KeyTable]:
    """All tables of a study file with all their keys. The keys above all tables come first."""
    source = [
        Key(name=name, type=kind, default="none", meaning=text) for name, (kind, text) in SOURCE_KEYS.items()
    ]
    (_, first), *others = ((name, task.spec_type) for name, task in TASKS.items())
    return [
        KeyTable(
            title="Above all tables",
            meaning="General keys of the study.",
            keys=(*_keys(_plain(first)), *source),
        ),
        *_tables(first, ""),
        *(table for name, spec in others for table in _tables_of_task(name, spec, first)),
        _axes_table(),
        _LOSSES,
        KeyTable(title="A range", meaning=_summary(Range), keys=_keys(Range.model_fields)),
        _VALUES,
    ]


def _axes_table() -> KeyTable:
    """`[axes]`: the axes of each task."""
    meanings = [
        f"Task `{name}`. Each replaces the key of the same name in another table, or the losses' base learning "
        "rates. At most one of them may be a budget (`epochs`, `steps` or `samples`)."
        for name in TASKS
    ]
    needed = Key(
        name="batch_size",
        type=_AXIS,
        default="required",
        meaning="Pairs per training step. In design `list`, points may give it instead.",
    )
    others = (
        Key(
            name=", ".join(name for name in declared_axes(task.config_type) if name != needed.name),
            type=_AXIS,
            default="none",
            meaning=meaning,
        )
        for task, meaning in zip(TASKS.values(), meanings, strict=True)
    )
    return KeyTable(title="[axes]", meaning="The axes that all losses share.", keys=(needed, *others))


def reference_page() -> str:
    """The reference as Markdown."""
    lines = [_INTRODUCTION]
    for table in key_tables():
        lines += [f"## {table.title}\n", f"{table.meaning}\n", "| key | type | default | meaning |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [f"| `{key.name}` | {key.type} | {key.default} | {key.meaning} |" for key in table.keys]
        lines.append("")
    return "\n".join(lines)


def _plain(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys above all tables."""
    return {name: field for name, field in model.model_fields.items() if field.description}


def _tables_of_task(task: str, model: type[BaseModel], other: type[BaseModel]) -> Iterator[KeyTable]:
    """The tables and keys of one task that another task does not have, or has with another meaning."""
    keys = [key for key in _keys(_plain(model)) if key not in _keys(_plain(other))]
    yield KeyTable(
        title=f"Above all tables, task {task}",
        meaning=f"{_summary(model)} All other keys are as in task images.",
        keys=tuple(keys),
    )
    known = list(_tables(other, ""))
    for table in _tables(model, ""):
        if table.keys and table not in known:
            yield replace(table, title=f"{table.title}, task {task}")


def _tables(model: type[BaseModel], prefix: str) -> Iterator[KeyTable]:
    """All tables inside a table. Each comes before the tables in it. Tables that the task declares come first."""
    fields = model.model_fields
    own = {name: fields[name] for name in model.__annotations__ if name in fields}
    for name, field in {**own, **fields}.items():
        kinds = (field.annotation, *get_args(field.annotation))
        for kind in (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)):
            title = f"[{prefix}{name}]"
            keys = _keys(kind.model_fields, getattr(kind, "text_key", ""))
            yield KeyTable(title=title, meaning=_summary(kind), keys=keys)
            yield from _tables(kind, f"{prefix}{name}.")


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _keys(fields: Mapping[str, FieldInfo], base: str = "") -> tuple[Key, ...]:
    """The keys of a table. If it has a key `base`, that one comes first, and the others default to its values."""
    return tuple(
        Key(
            name=name,
            type=_type_words(field.annotation, field.metadata),
            default=f"that of `{base}`" if base and name != base else _default_words(field),
            meaning=field.description or "",
        )
        for name, field in sorted(fields.items(), key=lambda item: bool(base) and item[0] != base)
    )


def _default_words(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return "none" if field.default is None else f"`{render_value(field.default)}`"


def _type_words(annotation: Any, metadata: list[Any]) -> str:
    """A type in words, with its bounds, such as "whole number >= 1"."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_words(arguments[0], _constraints(arguments[1:]) + metadata)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(kind, metadata) for kind in arguments if kind is not type(None))
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is dict:
        return "table"
    if origin is tuple:
        return _list_words(arguments, metadata)
    if issubclass(annotation, BaseModel):
        return "text or table" if getattr(annotation, "text_key", "") else "table"
    bounds = [
        f"{sign} {number_words(getattr(item, name))}"
        for item in metadata
        for name, sign in _BOUNDS.items()
        if hasattr(item, name)
    ]
    return f"{_TYPES[annotation]} {' and '.join(bounds)}".strip()


def _list_words(kinds: tuple[Any, ...], metadata: list[Any]) -> str:
    inner = _type_words(kinds[0], [])
    if Ellipsis not in kinds:
        return f"list of {len(kinds)}: {inner}"
    least = next((item.min_length for item in metadata if hasattr(item, "min_length")), 0)
    most = next((item.max_length for item in metadata if hasattr(item, "max_length")), None)
    if most is None:
        return f"list{f' of {least} or more' if least else ''}: {inner}"
    return f"list of {most if least == most else f'at most {most}'}: {inner}"


def _constraints(metadata: tuple[Any, ...]) -> list[Any]:
    """The constraints of an annotation; those of a `Field` are in the field's own metadata."""
    return [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
