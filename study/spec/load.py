"""A study file, read and checked: the types say what a study may say.

`load_spec` takes the name of a shipped study or the path of a TOML file. Every fault becomes one line that names
the file, the key, what came and what is allowed.
"""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from study.errors import StudyError
from study.spec.diagnostic_spec import DiagnosticSpec
from study.spec.images_spec import ImagesSpec
from study.spec.source import SOURCE_KEYS, Source, read_source
from study.spec.sphere_spec import SphereSpec
from study.spec.study_spec import Name, StudySpec
from trainables.suggestion import did_you_mean

__all__ = ["SPECS", "Name", "StudyFile", "StudySpec", "check_source", "describe_fault", "load_spec"]

#: What a study file may say, by its task.
SPECS: dict[str, type[StudySpec]] = {
    "images": ImagesSpec,
    "sphere": SphereSpec,
    "diagnostic": DiagnosticSpec,
}


class StudyFile(BaseModel):
    """A spec with the text it was read from, which is archived beside its results."""

    model_config = ConfigDict(frozen=True)

    spec: StudySpec
    text: str
    origin: str  # the file, as messages name it


def load_spec(name_or_path: str) -> StudyFile:
    """Read a shipped study by name, or a study file by path, with what it extends. Raises `StudyError`."""
    return check_source(read_source(name_or_path))


def check_source(source: Source) -> StudyFile:
    """The spec that a tree says. Raises `StudyError`."""
    task = source.tree.get("task", "images")
    if task not in SPECS:
        raise StudyError(f"{source.origin}: task: got {task!r}; allowed are {', '.join(SPECS)}")
    model = SPECS[task]
    try:
        spec = model.model_validate(source.tree)
    except ValidationError as error:
        raise StudyError(f"{source.origin}: {describe_fault(error, model)}") from error
    return StudyFile(spec=spec, text=source.text, origin=source.origin)


def describe_fault(error: ValidationError, model: type[BaseModel] = ImagesSpec) -> str:
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
