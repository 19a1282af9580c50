"""Turns pydantic's validation errors of a study file into one readable line, and checks swept values."""

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from search_spaces.axes import Axis, Cases, checked_values
from study.errors import StudyError
from study.spec.schema import StudySpec
from study.spec.section import number_words
from study.spec.source import SOURCE_KEYS
from trainables.suggestion import did_you_mean, first_names, short_name, shortened
from trainables.views.recipes import RANGES

#: The most keys that a message names.
_NAMED = 40


def check_swept(where: str, table: type[BaseModel], axis: Axis | Cases) -> None:
    """Raise `StudyError` for an axis with a value that the table of its setting refuses.

    `where` is the place of the axis in the study file, `table` comes from `section_with`.
    """
    (name,) = table.model_fields
    for value in checked_values(axis):
        try:
            table.model_validate({name: value})
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            raise StudyError(f"{where}: {_explain(fault, table)}") from error


def describe_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first error from validating `model` as one line, with the number of further errors.

    Unknown keys come first, because a misspelt key is often the reason why another key is missing. If the first error
    is a missing key, the line names all missing keys.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    first = [faults[0]]
    if faults[0]["type"] == "missing":
        first = [fault for fault in faults if fault["type"] == "missing"]
    where = first_names([".".join(map(short_name, fault["loc"])) for fault in first], _NAMED)
    explanation = _explain(faults[0], model) if len(first) == 1 else "are missing"
    more = f" (and {len(faults) - len(first)} more)" if len(faults) > len(first) else ""
    inner = re.match(r"\w+: ", explanation)  # a check of a whole table names the key itself
    return f"{where + ('.' if inner else ': ') if where else ''}{explanation}{more}"


def _explain(fault: Any, model: type[BaseModel]) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        allowed = _allowed_keys(fault["loc"], model)
        near = did_you_mean(str(fault["loc"][-1]), allowed)
        return f"unknown key{near}; allowed are {first_names(allowed, _NAMED)}"
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "value_error":
        return message
    got = f"got {shortened(fault['input'])}"
    if fault["type"] == "tuple_type":
        return f"{got}, must be a list{_list_words(fault, model)}"
    if fault["type"] in ("model_type", "dict_type"):
        return f"{got}, must be a table"
    if fault["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return f"{got}{did_you_mean(str(fault['input']), choices)}, must be one of {', '.join(choices)}"
    if fault["type"] == "too_long":
        most, count = fault["ctx"]["max_length"], len(fault["input"])
        return f"got {count:,} entries, at most {most:,} are allowed"
    if fault["type"] == "too_short":
        return f"{got}, at least {fault['ctx']['min_length']} is needed"
    if words := _allowed(fault):
        return f"{got}, must be {words}"
    return f"{got}; {message[0].lower()}{message[1:]}"


#: The words of each bound of a number, by the type of pydantic's error and the key of its context.
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}

#: What a value must be, by the type of pydantic's error.
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text that matches {pattern}",
}


def _allowed(fault: Any) -> str:
    """What the value must be, in words; "" for errors that the two tables above do not have."""
    if fault["type"] in _KINDS:
        return _KINDS[fault["type"]].format(**fault.get("ctx", {}))
    if fault["type"] not in _BOUNDS:
        return ""
    name, words = _BOUNDS[fault["type"]]
    return f"{words} {number_words(fault['ctx'][name])}"


def _list_words(fault: Any, model: type[BaseModel]) -> str:
    """The length of a list or an example, for a user who gave a single value. A number of seeds may be a count."""
    got, name = fault["input"], fault["loc"][-1] if fault["loc"] else ""
    if name == "seeds":
        return " such as [0, 1, 2]"
    if name in RANGES and isinstance(got, (int, float)):
        return " of two numbers, the lowest first"
    return f" such as [{shortened(got)}]" if isinstance(got, (str, int, float)) else ""


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
