"""The tables of a study file: which keys each has, with types, defaults, bounds and meanings.

Keys that set a field of the configuration follow from its declaration (`trainables.config`). Keys that are
operational, or that say what is swept, are declared here.
"""

import dataclasses
import functools
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    create_model,
    field_validator,
    model_validator,
)

from search_spaces.axes import Cases, check_scalar, not_an_axis, parse_axis
from search_spaces.designs import DESIGNS, Design, takers_of
from search_spaces.designs.optuna import SAMPLERS, check_sampler
from trainables.config import (
    DataConfig,
    DiagnosticSampling,
    DiagnosticTask,
    EncoderConfig,
    ImagesTask,
    ProbeConfig,
    Scalar,
    SelectionConfig,
    SphereTask,
    SphereTraining,
    TrainingConfig,
)
from trainables.selection.kinds import METHOD_KINDS
from trainables.settings import Setting, without_none

Positive = Annotated[int, Field(ge=1)]

#: Fields of tasks that are tables of their own in a study file.
_TABLES = ("data", "encoder", "training", "selection", "probe")


class Section(BaseModel):
    """A table of the study file; keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def section_of(*configs: type, without: Sequence[str] = (), optional: Sequence[str] = ()) -> Any:
    """A table with the settings of these classes of the configuration, less those in `without`.

    Settings in `optional` may be left out of the table although the configuration needs them: they are swept, or the
    data set knows them. A setting that is a class of settings itself becomes a table in the table.
    """
    fields: dict[str, Any] = {}
    for spec in (spec for config in configs for spec in dataclasses.fields(config)):
        if spec.name not in without:
            fields[spec.name] = _key_of(spec, spec.name in optional)
    return create_model(configs[0].__name__, __base__=Section, __doc__=configs[0].__doc__, **fields)


Config = TypeVar("Config")


def config_of(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """The configuration that keys give, tables in it included. `values` are checked already."""
    return cast(Config, _adapter(cast(Any, kind)).validate_python(values))


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _key_of(spec: dataclasses.Field, optional: bool) -> tuple[Any, Any]:
    """Type and field of the key that gives a setting, or of the table that gives a class of settings."""
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


def _key_type(kind: Any, declared: Setting) -> Any:
    """The type that checks a value: with its bounds, and with its choices in the place of text."""
    inner = without_none(kind)
    if inner != kind:
        return _key_type(inner, declared) | None
    if get_origin(kind) is tuple:
        item = _key_type(get_args(kind)[0], Setting(doc="", choices=declared.choices))
        items: Any = types.GenericAlias(tuple, (item, ...))
        return Annotated[items, Field(**declared.bounds)] if declared.bounds else items
    if declared.choices:
        return Literal[declared.choices]
    if kind is bool:
        return Annotated[bool, Field(strict=True)]  # "yes" is a text
    return Annotated[kind, Field(**declared.bounds)] if declared.bounds else kind


class DataSection(section_of(DataConfig, ImagesTask, without=_TABLES, optional=("views",))):  # type: ignore[misc]
    """Which images."""


class EncoderSection(section_of(EncoderConfig)):  # type: ignore[misc]
    """Which network."""


class TrainingSection(section_of(TrainingConfig, without=("batch_size", "lr"))):  # type: ignore[misc]
    """Pre-training, apart from what is swept. One of `epochs`, `steps` and `samples`."""

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainingSection":
        if [self.epochs, self.steps, self.samples].count(None) != 2:
            raise ValueError("needs exactly one of epochs, steps and samples")
        return self


#: Keys of `[selection]` for the numbers of each method: the method, and the number that the key sets.
_SELECTION_KEYS = {
    f"{method}_{number}": (method, number) for method, kind in METHOD_KINDS.items() for number in kind.takes
}


def _selection_fields() -> dict[str, Any]:
    return {
        key: (Positive | None, Field(default=None, description=METHOD_KINDS[method].takes[number]))
        for key, (method, number) in _SELECTION_KEYS.items()
    }


_Selection: Any = create_model(
    "_Selection",
    __base__=section_of(SelectionConfig, without=("pool", "keep", "refresh")),
    **_selection_fields(),
)


class SelectionSection(_Selection):
    """Which batches are trained on. `selection` in `[axes]` sweeps the method; then it need not stand here."""

    def config(self, method: str | None = None) -> SelectionConfig:
        """The selection that trials have under `method`, this table's own without."""
        method = self.method if method is None else method
        given = {name: getattr(self, key) for key, name in self.keys_of(method).items()}
        return SelectionConfig(method=method, **given)

    @classmethod
    def keys_of(cls, method: str) -> dict[str, str]:
        """The keys that are for one method, and the fields of `SelectionConfig` that they set."""
        return {key: number for key, (own, number) in _SELECTION_KEYS.items() if own == method}


class SphereSection(section_of(SphereTask, without=_TABLES, optional=("n_pairs", "dim"))):  # type: ignore[misc]
    """Task `sphere`: the embeddings. `[axes]` may give `n_pairs` and `dim` instead."""


class SphereTrainingSection(section_of(SphereTraining, without=("batch_size",), optional=("lr",))):  # type: ignore[misc]
    """Task `sphere`: gradient descent on raw vectors, apart from what is swept. One of `steps` and `samples`.

    `[axes]` or the table of a loss may give `lr` instead.
    """

    @model_validator(mode="after")
    def _one_budget(self) -> "SphereTrainingSection":
        if (self.steps is None) == (self.samples is None):
            raise ValueError("needs exactly one of steps and samples")
        return self


class DiagnosticSection(section_of(DiagnosticTask, DiagnosticSampling, without=(*_TABLES, "batch_size"))):  # type: ignore[misc]
    """Task `diagnostic`: the population, and what is measured of it."""


class ProbeSection(section_of(ProbeConfig)):  # type: ignore[misc]
    """Evaluation of the frozen encoder."""


class EarlyStoppingSection(Section):
    """Of optuna: asynchronous successive halving (ASHA). No part of any trial's identity; stops stacking."""

    eta: Annotated[int, Field(ge=2)] = Field(
        default=3,
        description="Reduction factor: of the configurations that get to a rung, the best 1 / eta go on. Seeds "
        "count as one, by their mean.",
    )
    min_resource: Positive = Field(
        description="The first rung, in the unit of `[training]`'s budget; the others are eta times as far each. "
        "There the accuracy of nearest neighbours on validation is compared."
    )


class SearchSection(Section):
    """How the space is covered. Seeds are an axis of every design."""

    design: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        default="grid",
        description="; ".join(f"`{name}`: {design.meaning}" for name, design in DESIGNS.items()) + ".",
    )
    points: Annotated[int, Field(ge=1, le=2**20)] | None = Field(
        default=None,
        description="Configurations a loss of sobol (a power of two) and random. More keep those that were there.",
    )
    design_seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0,
        description="Of sobol and random: one seed draws the same points, whatever the trials' seeds.",
    )
    trials: Annotated[int, Field(ge=1, le=2**20)] | None = Field(
        default=None, description="Of optuna: configurations a loss. More go on with the search."
    )
    sampler: Literal[tuple(SAMPLERS)] = Field(  # type: ignore[valid-type]
        default="tpe",
        description="Of optuna. "
        + "; ".join(f"`{name}`: {sampler.meaning}" for name, sampler in SAMPLERS.items())
        + ".",
    )
    sampler_seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="Of optuna: one seed and one `batch` make the same search."
    )
    startup: Positive = Field(
        default=10, description="Of tpe and gp: random configurations before the sampler learns."
    )
    batch: Positive | None = Field(
        default=None,
        description="Of optuna: configurations a loss that run together, before any is learnt from; without, as "
        "many as keep all workers busy.",
    )
    early_stopping: EarlyStoppingSection | None = Field(
        default=None,
        description="Of optuna, with tpe or random: `{ eta = 3, min_resource = 4 }` ends configurations that fall "
        "behind. For other studies their trials are missing, and run anew.",
    )

    @property
    def chosen(self) -> Design:
        """The design, with what it declares."""
        return DESIGNS[self.design]

    @property
    def count(self) -> int | None:
        """Configurations a loss, of a design with a budget."""
        return getattr(self, self.chosen.budget) if self.chosen.budget else None

    @model_validator(mode="after")
    def _keys_of_the_design(self) -> "SearchSection":
        for key in type(self).model_fields:
            if key in self.model_fields_set - {"design", *self.chosen.keys}:
                raise ValueError(f"{key} is for {takers_of(key)}, and design is {self.design}")
        check_sampler(
            self.sampler,
            startup="startup" in self.model_fields_set,
            early_stopping=self.early_stopping is not None,
        )
        return self

    @model_validator(mode="after")
    def _budget(self) -> "SearchSection":
        if self.chosen.budget and self.count is None:
            raise ValueError(
                f"{self.chosen.budget} is missing; design {self.design} needs the number of configurations a loss"
            )
        if self.count is not None:
            self.chosen.check_count(self.count)
        return self


class ResourcesSection(Section):
    """Operational: no part of any trial's identity."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Processors that a trial uses."
    )
    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        default=0,
        description="A share of one GPU, or whole GPUs; `auto`: the share that its peak memory asks for.",
    )
    stacked: bool = Field(
        default=True, description="Train small trials of equal shapes as one network, where that pays."
    )
    execution: Literal["eager", "compiled", "graphed", "compiled_graphed"] = Field(
        default="eager",
        description="How a step runs: kernel by kernel, through torch.compile, as a CUDA graph, or both.",
    )
    time_limit: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Seconds that a trial may take; one that takes longer is a `timeout`."
    )
    checkpoint_seconds: Annotated[float, Field(gt=0)] = Field(
        default=120.0, description="Seconds of training between two checkpoints."
    )

    @field_validator("gpus_per_trial", mode="before")
    @classmethod
    def _share_or_whole(cls, gpus: Any) -> Any:
        number = isinstance(gpus, (int, float)) and not isinstance(gpus, bool)
        if gpus != "auto" and not (number and gpus >= 0 and (gpus <= 1 or float(gpus).is_integer())):
            raise ValueError(f"got {gpus!r}, must be a share of one GPU, a whole number of them, or auto")
        return gpus


class KeepSection(Section):
    """Operational too: what is kept beside the records."""

    encoders: Literal["none", "best", "all"] = Field(
        default="none", description="Trained encoders; best: of each loss and seed, by validation."
    )
    curve_epochs: Positive | None = Field(
        default=None, description="Epochs between two points of the learning curves; none are kept without."
    )
    curve_points: Positive | None = Field(
        default=None,
        description="Of task sphere: points of the gap-to-optimum curve for every tenfold of steps; none without.",
    )
    embeddings: bool = Field(
        default=False, description="Of task sphere: the configurations that trials end at."
    )


ClaimRows = dict[str, Scalar | tuple[Scalar, ...]]


class ClaimSection(Section):
    """`[[claims]]`, one a table: a statement of a paper that the report holds against the records."""

    name: str = Field(description="Short, for the table of findings.")
    claim: str = Field(description="The statement.")
    paper: str = Field(description="Where it is made.")
    rows: ClaimRows = Field(
        default={}, description="Trials it is about: hyperparameters, or `arm`, and their values."
    )
    column: str = Field(default="", description="Column of their records.")
    at_most: float | None = Field(default=None, description="Confirmed by values of at most this.")
    at_least: float | None = Field(default=None, description="Confirmed by values of at least this.")
    below: ClaimRows = Field(
        default={},
        description="Confirmed by values below those of the trials that differ in this alone, such as "
        '`{ selection = "shuffle" }`; rates may differ too.',
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Least share of the trials that must agree."
    )
    figure: str = Field(default="", description="The report's figure that shows it.")
    untestable: str = Field(default="", description="Why it cannot be tested here, in the place of a test.")

    @model_validator(mode="after")
    def _testable(self) -> "ClaimSection":
        tests = self.at_most is not None or self.at_least is not None or bool(self.below)
        if bool(self.untestable) == (tests and bool(self.column)):
            raise ValueError(
                f"claim {self.name} needs a column and one of at_most, at_least and below, or else untestable"
            )
        return self


class TrackingSection(Section):
    """Operational too: where finished trials are shown besides the report, one run an attempt. Optional packages."""

    mlflow: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="Tracking URI, or a folder (relative: in the store) that gets a database file. Needs "
        "`uv sync --extra tracking-mlflow`.",
    )
    wandb: Annotated[str, Field(pattern=r"^([^/]+/)?[^/]+$")] | None = Field(
        default=None, description="`PROJECT` or `ENTITY/PROJECT`. Needs `uv sync --extra tracking-wandb`."
    )
    tensorboard: bool = Field(
        default=False,
        description="Event files in `studies/NAME/tensorboard` of the store. Needs `uv sync --extra "
        "tracking-tensorboard`.",
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
