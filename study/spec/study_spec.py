"""What every study says, whatever its task: the types of the keys that all study files share."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, model_validator

from search_spaces.axes import Cases, check_scalar, not_an_axis, parse_axis
from study.spec.schema import (
    ClaimSection,
    KeepSection,
    ResourcesSection,
    SearchSection,
    Section,
    SelectionSection,
    TrackingSection,
)

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
    task: str
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = Field(
        description="Each configuration runs once with each; losses are paired by seed."
    )
    metric: str
    reference: str | None = Field(
        default=None,
        description="Label that others are compared with; without, the first InfoNCE, or the first loss.",
    )
    training: Section
    selection: SelectionSection = SelectionSection()
    axes: dict[str, SharedAxis] = Field(default={})
    losses: Annotated[dict[str, dict[str, LossValue]], Field(min_length=1)]
    search: SearchSection = SearchSection()
    resources: ResourcesSection = ResourcesSection()
    keep: KeepSection = KeepSection()
    tracking: TrackingSection = TrackingSection()
    claims: tuple[ClaimSection, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "StudySpec":
        repeated = sorted({seed for seed in self.seeds if self.seeds.count(seed) > 1})
        if repeated:
            raise ValueError(f"seeds: got {repeated[0]} more than once, each seed is allowed once")
        if self.reference is not None and self.reference not in self.losses:
            raise ValueError(f"reference: got '{self.reference}', must be one of {', '.join(self.losses)}")
        return self
