"""Turns a pydantic validation error of a study file into one readable line."""

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from study.spec.schema import StudySpec
from study.spec.source import SOURCE_KEYS
from trainables.suggestion import did_you_mean


def describe_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first error from validating `model` as one line, with the number of further errors.

    Unknown keys come first, because a misspelt key is often the reason why another key is missing. If the first error
    is a missing key, the line names all missing keys.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    first = [faults[0]]
    if faults[0]["type"] == "missing":
        first = [fault for fault in faults if fault["type"] == "missing"]
    where = ", ".join(".".join(map(str, fault["loc"])) for fault in first)
    explanation = _explain(faults[0], model) if len(first) == 1 else "are missing"
    more = f" (and {len(faults) - len(first)} more)" if len(faults) > len(first) else ""
    return f"{where + ': ' if where else ''}{explanation}{more}"


def _explain(fault: Any, model: type[BaseModel]) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        allowed = _allowed_keys(fault["loc"], model)
        near = did_you_mean(str(fault["loc"][-1]), allowed)
        return f"unknown key{near}; allowed are {', '.join(allowed)}"
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "tuple_type":
        return f"got {fault['input']!r}, must be a list{_list_example(fault['input'])}"
    if fault["type"] in ("model_type", "dict_type"):
        return f"got {fault['input']!r}, must be a table"
    if fault["type"] == "value_error":
        return message
    if fault["type"] == "too_short":
        return f"got {fault['input']!r}, at least {fault['ctx']['min_length']} is needed"
    return f"got {fault['input']!r}; {message[0].lower()}{message[1:]}"


def _list_example(got: Any) -> str:
    """An example of a list, for a user who gave a single value. A single integer may have meant a count."""
    if isinstance(got, int):
        return " such as [0, 1, 2]"
    return f" such as [{got!r}]" if isinstance(got, str) else ""


def _section_of(annotation: Any) -> Any:
    """The type of the table, also if the table is optional."""
    return next((kind for kind in get_args(annotation) if hasattr(kind, "model_fields")), annotation)


def _allowed_keys(location: tuple[Any, ...], study: type[BaseModel]) -> list[str]:
    """The allowed keys of the table that contains the unknown key."""
    model: Any = study
    for part in location[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = _section_of(field.annotation) if field else model
    return [*model.model_fields, *(SOURCE_KEYS if issubclass(model, StudySpec) else ())]
