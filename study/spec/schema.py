"""The tables of a study file that are alike in every study: types, defaults and the meaning of each key."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from search_spaces.designs import DESIGNS, Design, takers_of
from search_spaces.designs.optuna import SAMPLERS, check_sampler
from trainables.config import Scalar, SelectionConfig
from trainables.evaluation.probes import PROBES
from trainables.selection.rounds import METHODS

Positive = Annotated[int, Field(ge=1)]
_PROBE_NAMES = tuple(PROBES)
Suite = Annotated[tuple[Literal[_PROBE_NAMES], ...], Field(min_length=1)]  # type: ignore[valid-type]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A table of the study file; keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSection(Section):
    """Which images."""

    name: str = Field(description="A name of `study list data`, or the import path of one's own.")
    train_limit: Positive | None = Field(
        default=None, description="Images of the training split; all without."
    )
    test_limit: Positive | None = Field(
        default=None, description="Images of the test and validation split; all without."
    )
    classes: tuple[str, ...] = Field(default=(), description="Classes that are used; all without.")
    size: Positive | None = Field(
        default=None, description="Pixels that encoded images are fitted to; without, their own."
    )
    views: str | None = Field(default=None, description="Augmentation recipe; without, the data set's own.")
    views_form: Literal["faithful", "approximate"] = Field(
        default="faithful", description="Form of the colour operations."
    )


class EncoderSection(Section):
    """Which network."""

    name: str = Field(description="A name of `study list encoders`, or the import path of one's own.")
    width: Positive = Field(
        default=16, description="Channels of the first stage, where the network has that choice."
    )
    projection_dim: Annotated[int, Field(ge=2)] = Field(
        default=128, description="d, dimensions that the loss sees."
    )
    head_batch_norm: bool = Field(
        default=False, description="A batch norm after the projection head's last layer too."
    )


class TrainingSection(Section):
    """Pre-training, apart from what is swept. One of `epochs`, `steps` and `samples`."""

    epochs: Positive | None = Field(default=None, description="Passes over the training images.")
    steps: Positive | None = Field(default=None, description="Steps of the optimiser.")
    samples: Positive | None = Field(
        default=None, description="Images seen, in whole batches, those that a selection looks at included."
    )
    optimizer: Literal["sgd", "lars"] = Field(default="sgd", description="The optimiser.")
    lars_trust: Annotated[float, Field(gt=0)] = Field(
        default=0.001, description="LARS: length of a step over the length of the weights."
    )
    lr_rule: Literal["none", "linear", "sqrt"] = Field(
        default="sqrt", description="How the rate grows with batch size over `lr_reference_batch`."
    )
    lr_reference_batch: Positive = Field(default=256, description="Pairs at which base rates hold.")
    momentum: Probability = Field(default=0.9, description="Momentum of the optimiser.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        default=1e-6, description="Not of batch norm and biases."
    )
    warmup_fraction: Probability = Field(
        default=0.1, description="Share of the steps with rising rate; cosine follows."
    )
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        default="float32", description="Of the network alone."
    )

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainingSection":
        if [self.epochs, self.steps, self.samples].count(None) != 2:
            raise ValueError("needs exactly one of epochs, steps and samples")
        return self


class SelectionSection(Section):
    """Which batches are trained on. `selection` in `[axes]` sweeps the method; then it need not stand here."""

    method: Literal[METHODS] = Field(  # type: ignore[valid-type]
        default="shuffle",
        description="All pairs at once, one partition for ever, a new one each epoch, every batch that there is, "
        "those of highest loss (Ordered SGD), or clusters of similar pairs.",
    )
    osgd_pool: Positive | None = Field(
        default=None, description="k, random batches of a round; without, 1500, or as many as the data holds."
    )
    osgd_keep: Positive | None = Field(
        default=None, description="q, of which those with the highest loss are trained; without, k / 10."
    )
    osgd_refresh: Positive | None = Field(
        default=None, description="Of images: batches trained between two passes of embeddings; without, q."
    )
    spectral_pool: Positive | None = Field(
        default=None,
        description="k, batches that are clustered at once; without, 40, or what the data holds.",
    )
    spectral_refresh: Positive | None = Field(default=None, description="As `osgd_refresh`; without, k.")

    def config(self, method: str | None = None) -> SelectionConfig:
        """The selection that trials have under `method`, this table's own without."""
        method = self.method if method is None else method
        given = {name: getattr(self, key) for key, name in self.keys_of(method).items()}
        return SelectionConfig(method=method, **given)

    @classmethod
    def keys_of(cls, method: str) -> dict[str, str]:
        """The keys that are for one method, and the fields of `SelectionConfig` that they set."""
        prefix = f"{method}_"
        return {key: key.removeprefix(prefix) for key in cls.model_fields if key.startswith(prefix)}


class SphereSection(Section):
    """Task `sphere`: the embeddings."""

    n_pairs: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="N, pairs of embeddings, where `axes.n_pairs` does not say."
    )
    dim: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="d, dimensions of the space, where `axes.dim` does not say."
    )
    init: Literal["independent", "aligned"] = Field(
        default="independent", description="First embeddings, uniform: of each view its own, or alike."
    )


class SphereTrainingSection(Section):
    """Task `sphere`: gradient descent on raw vectors, apart from what is swept. One of `steps` and `samples`."""

    steps: Positive | None = Field(default=None, description="Steps of the optimiser.")
    samples: Positive | None = Field(
        default=None, description="Pairs seen, in whole batches, those that a selection looks at included."
    )
    lr: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Learning rate, where neither `[axes]` nor the loss's table says."
    )
    momentum: Probability = Field(default=0.0, description="Momentum of the optimiser.")
    lr_schedule: Literal["constant", "cosine"] = Field(
        default="constant", description="Of the rate; cosine: to zero after the last step."
    )

    @model_validator(mode="after")
    def _one_budget(self) -> "SphereTrainingSection":
        if (self.steps is None) == (self.samples is None):
            raise ValueError("needs exactly one of steps and samples")
        return self


class DiagnosticSection(Section):
    """Task `diagnostic`: the population, and what is measured of it."""

    measure: Literal["batches", "precision", "points"] = Field(
        description="Bias and variance of a batch's gradient; what low precision leaves of it (losses ntxent and "
        "flatnce); or how uniform the points are."
    )
    n_pairs: Annotated[int, Field(ge=4)] = Field(description="N, pairs of the population.")
    dim: Annotated[int, Field(ge=4)] = Field(description="d, dimensions of the space.")
    passes: Annotated[int, Field(ge=2)] = Field(
        default=16, description="Of batches: random partitions of the population."
    )
    defect: Literal["none", "collapse", "antipodes", "clusters", "low_rank", "half_sphere", "duplicates"] = (
        Field(default="none", description="How points depart from uniform ones.")
    )
    defect_level: Annotated[float, Field(ge=0, le=1)] = Field(default=0.0, description="How far.")
    view_cosine: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.5, description="Inner product of a pair's views."
    )


class ProbeSection(Section):
    """Evaluation of the frozen encoder."""

    suite: Suite = Field(default=("probe10", "probe_full", "knn"), description="The probes that run.")
    draws: Positive = Field(
        default=5, description="Label draws of each few-label probe, shared by all trials."
    )
    l2: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="Penalty of the logistic regression, 1 / C."
    )
    knn_k: Positive = Field(default=20, description="Neighbours that vote.")
    sgd_epochs: Positive = Field(default=200, description="Of `probe_sgd`, the papers' protocol.")
    sgd_lr: Annotated[float, Field(gt=0)] = Field(default=0.1, description="Of `probe_sgd`.")
    sgd_weight_decay: Annotated[float, Field(ge=0)] = Field(default=1e-4, description="Of `probe_sgd`.")
    sgd_batch_size: Positive = Field(default=1024, description="Of `probe_sgd`.")
    corruptions: Annotated[str, Field(pattern=r"^(built_in|npy:.+)$")] = Field(
        default="built_in",
        description="Of the probes under corruption: `built_in`, or `npy:FOLDER` for published ones.",
    )
    severity: Annotated[int, Field(ge=1, le=5)] = Field(default=3, description="Of the corruptions.")


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
