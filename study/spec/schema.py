"""The tables of a study file and their keys, with types, defaults, bounds and meanings.

Keys that set a field of a trial's configuration are derived from the declarations in `trainables.config`. This module
declares the other keys: operational keys, and keys that define what is swept.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    PlainValidator,
    create_model,
    field_validator,
    model_validator,
)

from search_spaces.axes import Cases, check_scalar, not_an_axis, parse_axis, repeats
from search_spaces.designs import DESIGNS, Design, takers_of
from search_spaces.designs.optuna import SAMPLERS, check_sampler
from study.spec.claim_section import ClaimSection, Line
from study.spec.section import Section, section_of
from trainables.config import (
    AXES,
    BUDGETS,
    TASKS,
    DataConfig,
    DiagnosticSampling,
    DiagnosticTask,
    EncoderConfig,
    ImagesTask,
    ProbeConfig,
    SelectionConfig,
    SphereTask,
    SphereTraining,
    TrainingConfig,
)
from trainables.runtime import AUTO, AUTO_ON_CUDA, EXECUTION_CHOICES, MOST_AT_ONCE, Runtime
from trainables.selection.kinds import METHOD_KINDS
from trainables.settings import declared_fields
from trainables.suggestion import did_you_mean, first_names, short_name, shortened
from trainables.views.recipes import ViewRecipe

Positive = Annotated[int, Field(ge=1)]

#: The longest time in seconds, about 30 years. The system's timers refuse much longer times.
_LONGEST = 1e9

#: The most losses and claims of a study, keys of a table of losses or axes, and characters of a label. Plans and
#: reports of more take minutes.
_MOST_LOSSES, _MOST_CLAIMS, _MOST_KEYS, _LONGEST_LABEL = 1000, 200, 200, 200

#: The smallest share of a GPU that Ray can give to a trial.
_LEAST_GPU_SHARE = 1e-4

#: Fields of tasks that are tables of their own in a study file.
_TABLES = frozenset(
    spec.name
    for task in TASKS.values()
    for spec in dataclasses.fields(task)
    if "setting" not in spec.metadata
)


_FIELDS_OF_VIEWS = tuple(spec.name for spec in dataclasses.fields(ViewRecipe))

_VIEWS = next(each for each in declared_fields(ImagesTask) if each.name == "views")


class ViewsSection(section_of(ViewRecipe, optional=_FIELDS_OF_VIEWS)):  # type: ignore[misc]
    """The recipe of the views: `base` with the keys that are given. A text instead of the table is its `base`."""

    text_key: ClassVar[str] = "base"

    base: str | None = Field(
        default=None,
        description="The recipe that the table starts from: a name of `study list views`, by default the data set's "
        "own. `none` changes nothing.",
    )

    @property
    def changes(self) -> dict[str, Any]:
        """The fields of the recipe that the table gives."""
        given = {name: getattr(self, name) for name in _FIELDS_OF_VIEWS}
        return {name: value for name, value in given.items() if value is not None}


class DataSection(section_of(DataConfig, ImagesTask, without=(*_TABLES, "views"))):  # type: ignore[misc]
    """The data set and its views."""

    views: ViewsSection | None = Field(default=None, description=_VIEWS.setting.doc)


class EncoderSection(section_of(EncoderConfig)):  # type: ignore[misc]
    """The network that is trained."""

    @model_validator(mode="before")
    @classmethod
    def _linear_head(cls, value: Any) -> Any:
        """The keys without `head_hidden_batch_norm = false` where no layer could have one: one trial has one id."""
        if not isinstance(value, Mapping) or value.get("head_hidden") not in ([], ()):
            return value
        if value.get("head_hidden_batch_norm") is True:
            raise ValueError(
                "head_hidden_batch_norm: got true, but head_hidden = [] is a head without hidden layers"
            )
        return {
            key: each for key, each in value.items() if key != "head_hidden_batch_norm" or each is not False
        }


class TrainingSection(section_of(TrainingConfig, without=("batch_size", "lr"))):  # type: ignore[misc]
    """Pre-training, except for what is swept. One of `epochs`, `steps`, `samples` is needed, here or in `[axes]`."""


#: Keys of `[selection]` for the numbers of each method. A value holds the method and the number that the key sets.
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
    """How training batches are selected. `selection` in `[axes]` may sweep the method instead."""

    def config(self, method: str | None = None) -> SelectionConfig:
        """The selection of trials that use `method`, by default the method of this table."""
        method = self.method if method is None else method
        given = {name: getattr(self, key) for key, name in self.keys_of(method).items()}
        return SelectionConfig(method=method, **given)

    @classmethod
    def keys_of(cls, method: str) -> dict[str, str]:
        """The keys for one method, and the fields of `SelectionConfig` that they set."""
        return {key: number for key, (own, number) in _SELECTION_KEYS.items() if own == method}


class SphereSection(section_of(SphereTask, without=_TABLES, optional=("n_pairs", "dim"))):  # type: ignore[misc]
    """Task `sphere`: the trained embeddings. `[axes]` may give `n_pairs` and `dim` instead."""


class SphereTrainingSection(section_of(SphereTraining, without=("batch_size",), optional=("lr",))):  # type: ignore[misc]
    """Task `sphere`: gradient descent on raw vectors, except for what is swept. Give one of `steps` and `samples`.

    `[axes]` may give the budget or `lr` instead; the table of a loss may give `lr`.
    """


class DiagnosticSection(section_of(DiagnosticTask, DiagnosticSampling, without=(*_TABLES, "batch_size"))):  # type: ignore[misc]
    """Task `diagnostic`: the population of pairs, and what is measured on it."""


class ProbeSection(section_of(ProbeConfig)):  # type: ignore[misc]
    """Evaluation of the frozen encoder by probes."""


class EarlyStoppingSection(Section):
    """For optuna: asynchronous successive halving (ASHA). Not part of any trial's identity; turns off stacking."""

    eta: Annotated[int, Field(ge=2)] = Field(
        default=3,
        description="Reduction factor: of the configurations that reach a rung, the best 1 / eta continue. The "
        "seeds of a configuration count as one, by their mean.",
    )
    min_resource: Positive = Field(
        description="The first rung, in the unit of `[training]`'s budget; each further rung is eta times the one "
        "before. At a rung, the nearest-neighbour accuracy on validation data is compared."
    )


class SearchSection(Section):
    """How configurations are chosen from the space. Every design runs each configuration with all seeds."""

    design: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        default="grid",
        description="; ".join(f"`{name}`: {design.meaning}" for name, design in DESIGNS.items()) + ".",
    )
    points: Annotated[int, Field(ge=1, le=2**20)] | None = Field(
        default=None,
        description="For sobol (a power of two) and random: configurations for each loss. If you raise it, the "
        "earlier configurations stay.",
    )
    design_seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0,
        description="For sobol and random: the seed of the points. It does not depend on the trials' seeds.",
    )
    trials: Annotated[int, Field(ge=1, le=2**20)] | None = Field(
        default=None,
        description="For optuna: configurations for each loss. If you raise it, the search continues.",
    )
    sampler: Literal[tuple(SAMPLERS)] = Field(  # type: ignore[valid-type]
        default="tpe",
        description="For optuna. "
        + "; ".join(f"`{name}`: {sampler.meaning}" for name, sampler in SAMPLERS.items())
        + ".",
    )
    sampler_seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="For optuna: the same seed and the same `batch` give the same search."
    )
    startup: Positive = Field(
        default=10,
        description="For tpe and gp: random configurations before the sampler learns from results.",
    )
    batch: Positive | None = Field(
        default=None,
        description="For optuna: configurations for each loss that run together before the sampler learns from "
        "them. By default as many as keep all workers busy.",
    )
    early_stopping: EarlyStoppingSection | None = Field(
        default=None,
        description="For optuna, with tpe or random: `{ eta = 3, min_resource = 4 }` stops configurations with low "
        "scores early. For other studies, the stopped trials count as missing and run again.",
    )

    @property
    def chosen(self) -> Design:
        """The `Design` object of the chosen design."""
        return DESIGNS[self.design]

    @property
    def count(self) -> int | None:
        """The number of configurations for each loss; None for a design without a budget."""
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
                f"{self.chosen.budget} is missing; design {self.design} needs the number of configurations per loss"
            )
        if self.count is not None:
            self.chosen.check_count(self.count)
        return self


class ResourcesSection(Section):
    """Operational settings; they are not part of any trial's identity."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = Field(default=1, description="CPU cores for each trial.")
    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        default=0,
        description="GPUs for each trial: whole GPUs, or a share of one. With 0.25, four trials run on a GPU at "
        f"the same time. `auto`: as many as its memory holds, at most {MOST_AT_ONCE}.",
    )
    stacked: bool = Field(
        default=True, description="Train small trials of equal shapes as one network where that is faster."
    )
    execution: Literal[EXECUTION_CHOICES] = Field(  # type: ignore[valid-type]
        default=AUTO,
        description="How a training step runs. `eager`: kernel by kernel. `fused`: the same, but one C function or "
        "one GPU kernel makes the views of small colour images; it needs a C compiler, and on a GPU also Triton. "
        "`compiled`: with torch.compile. `graphed`: as a CUDA graph. `compiled_graphed`: with both. "
        "`auto`: the fastest mode that has been checked on the device; on a GPU at "
        f"present `{AUTO_ON_CUDA}`.",
    )
    max_trials: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=50_000,
        description="The most trials that the study may have, as a guard against a range with too many points. A "
        "study file has at most 800 kB, 1,000 losses, 200 claims and 10,000 values of an axis, whatever this is.",
    )
    time_limit: Annotated[float, Field(gt=0, le=_LONGEST)] | None = Field(
        default=None, description="Seconds that a trial may take. A longer trial ends with status `timeout`."
    )
    checkpoint_seconds: Annotated[float, Field(gt=0, le=_LONGEST)] = Field(
        default=Runtime.checkpoint_seconds, description="Seconds of training between two checkpoints."
    )

    @model_validator(mode="after")
    def _mode_of_the_device(self) -> "ResourcesSection":
        if self.execution.endswith("graphed") and not self.gpus_per_trial:
            raise ValueError(f"execution: got {self.execution}, which needs gpus_per_trial above 0")
        return self

    @property
    def trials_a_gpu(self) -> int | None:
        """Trials that a worker runs on its GPU at the same time; None: as many as the memory holds."""
        if self.gpus_per_trial == "auto":
            return None
        return int(1 / self.gpus_per_trial) if 0 < self.gpus_per_trial < 1 else 1

    @property
    def gpus_per_worker(self) -> float:
        """GPUs that a worker needs: its trials share one if they need less."""
        if self.gpus_per_trial == "auto":
            return 1
        return max(1, self.gpus_per_trial) if self.gpus_per_trial else 0

    @field_validator("gpus_per_trial", mode="before")
    @classmethod
    def _share_or_whole(cls, gpus: Any) -> Any:
        number = isinstance(gpus, (int, float)) and not isinstance(gpus, bool)
        whole = number and gpus >= 0 and float(gpus).is_integer()
        if gpus != "auto" and not (whole or (number and _LEAST_GPU_SHARE <= gpus <= 1)):
            raise ValueError(
                f"got {shortened(gpus)}, must be 0, a share of one GPU from {_LEAST_GPU_SHARE:g} to 1, a whole "
                "number of GPUs, or auto"
            )
        return gpus


class KeepSection(Section):
    """Operational settings: what is kept besides the records."""

    encoders: Literal["none", "best", "all"] = Field(
        default="none",
        description="Trained encoders to keep. `best`: the best of each loss and seed, by validation.",
    )
    curve_epochs: Positive | None = Field(
        default=None,
        description="Epochs between two points of the learning curves. By default no curves are kept.",
    )
    curve_points: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        description="For task sphere: points of the gap-to-optimum curve per factor of ten in steps. By default no "
        "curve is kept.",
    )
    embeddings: bool = Field(
        default=False, description="For task sphere: whether to keep the final embeddings of each trial."
    )


class TrackingSection(Section):
    """Operational settings: trackers that show finished trials, one run for each attempt. Need optional packages."""

    mlflow: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="Tracking URI, or a folder for a database file; a relative folder is in the store. Needs "
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


#: The key of a loss's table with its explicit configurations.
POINTS_KEY = "points"
_POINTS_EXAMPLE = "such as [{ temperature = 0.1 }, { temperature = 0.5 }]"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]


def _shared_axis(raw: Any) -> Any:
    axis = parse_axis(raw)
    if isinstance(axis, Cases):
        raise ValueError(not_an_axis(axis))
    return axis


def _loss_value(raw: Any) -> Any:
    """An axis, or the explicit points of a loss, which are tables of single values."""
    if not (isinstance(raw, list) and any(isinstance(point, dict) for point in raw)):
        return parse_axis(raw)
    for number, point in enumerate(raw, start=1):
        if not isinstance(point, Mapping) or not point:
            raise ValueError(
                f"got {shortened(point)} as number {number}, must be a table such as {{ temperature = 0.1 }}"
            )
        for value in point.values():
            check_scalar(value)
    return tuple(raw)


SharedAxis = Annotated[Any, PlainValidator(_shared_axis)]
LossValue = Annotated[Any, PlainValidator(_loss_value)]


class StudySpec(Section):
    """One study. `losses` maps each label to the axes of a loss; the key `loss` names it if the label does not."""

    name: Name = Field(
        description="Also the name of the results folder. Allowed are letters, digits, `_`, `.` and `-`."
    )
    description: Line = Field(default="", description="One line for lists of studies and for the report.")
    task: str
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = Field(
        description="Each configuration runs once with each seed. Losses are compared in pairs with equal seeds."
    )
    metric: str
    reference: str | None = Field(
        default=None,
        description="The label that the others are compared with. By default the first InfoNCE, else the first loss.",
    )
    lr_source: Line = Field(
        default="",
        description="How the base rates in `[losses]` were tuned for this data and protocol, such as a sweep. "
        "Reports repeat it; without it, rates in the file count as not tuned. `extends` does not take it over.",
    )
    training: Section
    selection: SelectionSection = SelectionSection()
    axes: Annotated[dict[str, SharedAxis], Field(max_length=_MOST_KEYS)] = Field(default={})
    losses: Annotated[
        dict[str, Annotated[dict[str, LossValue], Field(max_length=_MOST_KEYS)]],
        Field(min_length=1, max_length=_MOST_LOSSES),
    ]
    search: SearchSection = SearchSection()
    resources: ResourcesSection = ResourcesSection()
    keep: KeepSection = KeepSection()
    tracking: TrackingSection = TrackingSection()
    claims: Annotated[tuple[ClaimSection, ...], Field(max_length=_MOST_CLAIMS)] = ()

    @property
    def swept(self) -> set[str]:
        """The names of the axes of training that `[axes]` or points of losses give."""
        points = (point for table in self.losses.values() for point in table.get(POINTS_KEY, ()))
        return {*self.axes, *(name for point in points for name in point if name in AXES)}

    @model_validator(mode="after")
    def _consistent(self) -> "StudySpec":
        if repeated := repeats(self.seeds):
            raise ValueError(f"seeds: got {shortened(repeated[0])} more than once; each seed is allowed once")
        if repeated := repeats(claim.name for claim in self.claims):
            raise ValueError(
                f"claims: got name {shortened(repeated[0])} more than once; each name is allowed once"
            )
        if self.reference is not None and self.reference not in self.losses:
            near = did_you_mean(self.reference, self.losses)
            raise ValueError(
                f"reference: got {shortened(self.reference)}{near}, must be one of "
                f"{first_names([short_name(label) for label in self.losses], 20)}"
            )
        for label, table in self.losses.items():
            if not label.strip():
                raise ValueError("losses: got a label without characters, must be a name of the loss")
            if len(label) > _LONGEST_LABEL:
                raise ValueError(
                    f"losses: got the label {shortened(label)}, must have at most {_LONGEST_LABEL} characters"
                )
            for key, value in table.items():
                if key == POINTS_KEY and not isinstance(value, tuple):
                    raise ValueError(f"losses.{label}.{key}: must be a list of tables, {_POINTS_EXAMPLE}")
                if key != POINTS_KEY and isinstance(value, tuple):
                    raise ValueError(
                        f"losses.{label}.{key}: got a list of tables, which only {POINTS_KEY} can be"
                    )
        return self

    @model_validator(mode="after")
    def _one_budget(self) -> "StudySpec":
        names = [name for name in BUDGETS if name in type(self.training).model_fields]
        given = [name for name in names if getattr(self.training, name) is not None]
        points = [table.get(POINTS_KEY, ({},)) for table in self.losses.values()]
        swept = any(name in self.axes for name in names) or all(
            set(names) & set(point) for each in points for point in each
        )
        if names and (len(given) > 1 or not (given or swept)):
            raise ValueError(
                f"training: needs exactly one of {', '.join(names[:-1])} and {names[-1]}, there or in [axes]"
            )
        return self
