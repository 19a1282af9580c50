"""The tables of a study file that are alike in every study: types, defaults and the meaning of each key."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search_spaces.designs import DRAWN_DESIGNS
from trainables.schema import PROBES

Positive = Annotated[int, Field(ge=1)]
Suite = Annotated[tuple[Literal[PROBES], ...], Field(min_length=1)]  # type: ignore[valid-type]
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
    samples: Positive | None = Field(default=None, description="Images seen, in whole batches.")
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
        description="Of `retrieval_corrupted`: `built_in`, or `npy:FOLDER` for published ones.",
    )
    severity: Annotated[int, Field(ge=1, le=5)] = Field(default=3, description="Of the corruptions.")


#: Keys of `[search]` that not every design has.
_KEYS_OF_DESIGNS = {
    ("design_seed", "points"): tuple(DRAWN_DESIGNS),
    ("trials", "sampler", "sampler_seed", "startup", "batch"): ("optuna",),
}


class SearchSection(Section):
    """How the space is covered. Seeds are an axis of every design."""

    design: Literal["grid", "list", "sobol", "random", "optuna"] = Field(
        default="grid",
        description="Every combination; the `points` of each loss; points drawn from ranges, the same for all "
        "losses: quasi-random (scrambled Sobol) or independent; or a search that goes where scores are best.",
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
    sampler: Literal["tpe", "gp", "random"] = Field(
        default="tpe",
        description="Of optuna: tree-structured Parzen estimator, Gaussian process, or independent points.",
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

    @model_validator(mode="after")
    def _keys_of_the_design(self) -> "SearchSection":
        for keys, designs in _KEYS_OF_DESIGNS.items():
            if self.design not in designs and (
                given := [name for name in keys if name in self.model_fields_set]
            ):
                plural = "designs" if len(designs) > 1 else "design"
                raise ValueError(
                    f"{given[0]} is for {plural} {' and '.join(designs)}, and design is {self.design}"
                )
        if self.sampler == "random" and "startup" in self.model_fields_set:
            raise ValueError("startup is for samplers tpe and gp, and sampler is random")
        return self

    @model_validator(mode="after")
    def _budget(self) -> "SearchSection":
        budget = {"optuna": "trials"} | dict.fromkeys(DRAWN_DESIGNS, "points")
        name = budget.get(self.design)
        if name and getattr(self, name) is None:
            raise ValueError(
                f"{name} is missing; design {self.design} needs the number of configurations a loss"
            )
        if self.design == "sobol" and self.points and self.points & (self.points - 1):
            below = 1 << (self.points.bit_length() - 1)
            raise ValueError(
                f"points: got {self.points}, must be a power of two for sobol, such as {below} or {2 * below}; "
                "other numbers leave holes, which design = random does not claim to fill"
            )
        return self


class ResourcesSection(Section):
    """Operational: no part of any trial's identity."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Processors that a trial uses."
    )
    gpus_per_trial: Annotated[float, Field(ge=0)] = Field(
        default=0, description="A share of one GPU, or whole GPUs."
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

    @model_validator(mode="after")
    def _share_or_whole(self) -> "ResourcesSection":
        if self.gpus_per_trial > 1 and not self.gpus_per_trial.is_integer():
            raise ValueError(
                f"gpus_per_trial: got {self.gpus_per_trial}, must be a share of one GPU or a whole number"
            )
        return self


class KeepSection(Section):
    """Operational too: what is kept beside the records."""

    encoders: Literal["none", "best", "all"] = Field(
        default="none", description="Trained encoders; best: of each loss and seed, by validation."
    )
    curve_epochs: Positive | None = Field(
        default=None, description="Epochs between two points of the learning curves; none are kept without."
    )
