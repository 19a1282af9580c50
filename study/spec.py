"""A study file, read and checked: the types say what a study may say.

`load_spec` takes the name of a shipped study or the path of a TOML file. Every fault becomes one line that names
the file, the key, what came and what is allowed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from search_spaces.axes import Cases, check_scalar, not_an_axis, parse_axis
from study.errors import StudyError
from study.sections import (
    DataSection,
    EncoderSection,
    KeepSection,
    ProbeSection,
    ResourcesSection,
    SearchSection,
    Section,
    TrainingSection,
)
from study.source import SOURCE_KEYS, read_source
from trainables.schema import METRICS

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]


def _shared_axis(raw: Any) -> Any:
    axis = parse_axis(raw)
    if isinstance(axis, Cases):
        raise ValueError(not_an_axis(axis))
    return axis


def _loss_value(raw: Any) -> Any:
    """An axis, or the explicit points of a loss: tables of single values."""
    if not (isinstance(raw, list) and any(isinstance(point, dict) for point in raw)):
        return parse_axis(raw)
    for number, point in enumerate(raw, start=1):
        if not isinstance(point, Mapping) or not point:
            raise ValueError(
                f"got {point!r} as number {number}, must be a table such as {{ temperature = 0.1 }}"
            )
        for value in point.values():
            check_scalar(value)
    return tuple(raw)


SharedAxis = Annotated[Any, PlainValidator(_shared_axis)]
LossValue = Annotated[Any, PlainValidator(_loss_value)]


class StudySpec(Section):
    """One study. `losses` maps a label to a loss's values; the key `loss` names the loss where the label does not."""

    name: Name = Field(description="Names the folder of results: letters, digits, `_`, `.` and `-`.")
    description: str = Field(default="", description="One line for lists and the report.")
    task: Literal["images"] = Field(default="images", description="What a trial does.")
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = Field(
        description="Each configuration runs once with each; losses are paired by seed."
    )
    metric: Literal[METRICS] = Field(  # type: ignore[valid-type]
        default="probe10_accuracy",
        description="Validation selects, test reports; of a probe in `probe.suite`.",
    )
    reference: str | None = Field(
        default=None,
        description="Label that others are compared with; without, the first InfoNCE, or the first loss.",
    )
    data: DataSection
    encoder: EncoderSection
    training: TrainingSection
    probe: ProbeSection = ProbeSection()
    axes: dict[str, SharedAxis] = Field(default={})
    losses: Annotated[dict[str, dict[str, LossValue]], Field(min_length=1)]
    search: SearchSection = SearchSection()
    resources: ResourcesSection = ResourcesSection()
    keep: KeepSection = KeepSection()

    @model_validator(mode="after")
    def _consistent(self) -> "StudySpec":
        repeated = sorted({seed for seed in self.seeds if self.seeds.count(seed) > 1})
        if repeated:
            raise ValueError(f"seeds: got {repeated[0]} more than once, each seed is allowed once")
        if self.metric.removesuffix("_accuracy") not in self.probe.suite:
            raise ValueError(
                f"metric: got '{self.metric}', which probe.suite {list(self.probe.suite)} does not measure"
            )
        if self.reference is not None and self.reference not in self.losses:
            raise ValueError(f"reference: got '{self.reference}', must be one of {', '.join(self.losses)}")
        return self


class LoadedSpec(BaseModel):
    """A spec with the text it was read from, which is archived beside its results."""

    model_config = ConfigDict(frozen=True)

    spec: StudySpec
    text: str


def load_spec(name_or_path: str) -> LoadedSpec:
    """Read a shipped study by name, or a study file by path, with what it extends. Raises `StudyError`."""
    source = read_source(name_or_path)
    try:
        return LoadedSpec(spec=StudySpec.model_validate(source.tree), text=source.text)
    except ValidationError as error:
        raise StudyError(f"{source.origin}: {describe_fault(error)}") from error


def describe_fault(error: ValidationError) -> str:
    """The first fault of a validation as one line, and how many more there are.

    Unknown keys go first: a misspelt key is why another one is missing.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where + ': ' if where else ''}{_explain(faults[0])}{more}"


def _explain(fault: Any) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"unknown key; allowed are {', '.join(_allowed_keys(fault['loc']))}"
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "value_error":
        return message
    if fault["type"] == "too_short":
        return f"got {fault['input']!r}, at least {fault['ctx']['min_length']} is needed"
    return f"got {fault['input']!r}; {message[0].lower()}{message[1:]}"


def _allowed_keys(location: tuple[Any, ...]) -> list[str]:
    """Keys of the table that the unknown key stands in."""
    model: Any = StudySpec
    for part in location[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field else model
    return [*model.model_fields, *(SOURCE_KEYS if model is StudySpec else ())]
