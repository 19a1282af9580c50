"""Puts what pydantic found wrong with a table of a study file into one line for people."""

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from study.spec.schema import StudySpec
from study.spec.source import SOURCE_KEYS
from trainables.suggestion import did_you_mean


def describe_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a validation of `model` as one line, and how many more there are.

    Unknown keys go first: a misspelt key is why another one is missing. All keys that are missing are named.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    first = [faults[0]]
    if faults[0]["type"] == "missing":
        first = [fault for fault in faults if fault["type"] == "missing"]
    where = ", ".join(".".join(map(str, fault["loc"])) for fault in first)
    told = _explain(faults[0], model) if len(first) == 1 else "are missing"
    more = f" (and {len(faults) - len(first)} more)" if len(faults) > len(first) else ""
    return f"{where + ': ' if where else ''}{told}{more}"


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
    if fault["type"] == "value_error":
        return message
    if fault["type"] == "too_short":
        return f"got {fault['input']!r}, at least {fault['ctx']['min_length']} is needed"
    return f"got {fault['input']!r}; {message[0].lower()}{message[1:]}"


def _list_example(got: Any) -> str:
    """A list of what came alone: of one number too, which may have been meant as how many."""
    if isinstance(got, int):
        return " such as [0, 1, 2]"
    return f" such as [{got!r}]" if isinstance(got, str) else ""


def _section_of(annotation: Any) -> Any:
    """The table's type, of one that may be left out too."""
    return next((kind for kind in get_args(annotation) if hasattr(kind, "model_fields")), annotation)


def _allowed_keys(location: tuple[Any, ...], study: type[BaseModel]) -> list[str]:
    """Keys of the table that the unknown key stands in."""
    model: Any = study
    for part in location[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = _section_of(field.annotation) if field else model
    return [*model.model_fields, *(SOURCE_KEYS if issubclass(model, StudySpec) else ())]
