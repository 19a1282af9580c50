"""A study file, read and checked: the types say what a study may say.

`load_spec` takes the name of a shipped study or the path of a TOML file. Every fault becomes one line that names
the file, the key, what came and what is allowed.
"""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from search_spaces.axes import parse_axis
from study.errors import StudyError
from trainables.schema import METRICS, PROBES

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Positive = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]


ParsedAxis = Annotated[Any, PlainValidator(parse_axis)]


class Section(BaseModel):
    """A table of the study file; keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSection(Section):
    """Which images."""

    name: str
    train_limit: Positive | None = None
    test_limit: Positive | None = None
    classes: tuple[str, ...] = ()  # none for all
    size: Positive | None = None  # pixels that encoded images are fitted to; None for their own
    views: str | None = None  # augmentation recipe; None for the data set's own
    views_form: Literal["faithful", "approximate"] = "faithful"


class EncoderSection(Section):
    """Which network."""

    name: str
    width: Positive = 16
    projection_dim: Annotated[int, Field(ge=2)] = 128
    head_batch_norm: bool = False


class TrainingSection(Section):
    """Pre-training, apart from what is swept. One of `epochs`, `steps` and `samples`."""

    epochs: Positive | None = None
    steps: Positive | None = None
    samples: Positive | None = None
    optimizer: Literal["sgd", "lars"] = "sgd"
    lars_trust: Annotated[float, Field(gt=0)] = 0.001
    lr_rule: Literal["none", "linear", "sqrt"] = "sqrt"
    lr_reference_batch: Positive = 256
    momentum: Probability = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-6
    warmup_fraction: Probability = 0.1
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainingSection":
        if [self.epochs, self.steps, self.samples].count(None) != 2:
            raise ValueError("needs exactly one of epochs, steps and samples")
        return self


class ProbeSection(Section):
    """Evaluation of the frozen encoder."""

    suite: Annotated[tuple[Literal[PROBES], ...], Field(min_length=1)] = ("probe10", "probe_full", "knn")  # type: ignore[valid-type]
    draws: Positive = 5
    l2: Annotated[float, Field(gt=0)] = 1.0
    knn_k: Positive = 20
    sgd_epochs: Positive = 200
    sgd_lr: Annotated[float, Field(gt=0)] = 0.1
    sgd_weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    sgd_batch_size: Positive = 1024
    corruptions: Annotated[str, Field(pattern=r"^(built_in|npy:.+)$")] = "built_in"
    severity: Annotated[int, Field(ge=1, le=5)] = 3


class SearchSection(Section):
    """How the space is covered."""

    design: Literal["grid"] = "grid"


class ResourcesSection(Section):
    """Operational: no part of any trial's identity."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    gpus_per_trial: Annotated[float, Field(ge=0)] = 0
    stacked: bool = True  # train small trials of equal shapes as one network, where that pays
    execution: Literal["eager", "compiled", "graphed", "compiled_graphed"] = "eager"
    checkpoint_seconds: Annotated[float, Field(gt=0)] = 120.0  # of training, between two checkpoints

    @model_validator(mode="after")
    def _share_or_whole(self) -> "ResourcesSection":
        if self.gpus_per_trial > 1 and not self.gpus_per_trial.is_integer():
            raise ValueError(
                f"gpus_per_trial: got {self.gpus_per_trial}, must be a share of one GPU or a whole number"
            )
        return self


class KeepSection(Section):
    """Operational too: what is kept beside the records."""

    encoders: Literal["none", "best", "all"] = "none"  # best: of each loss and seed, by validation
    curve_epochs: Positive | None = (
        None  # epochs between two points of the learning curves; none are kept without
    )


class StudySpec(Section):
    """One study. `losses` maps a label to a loss's values; the key `loss` names the loss where the label does not."""

    name: Name
    description: str = ""
    task: Literal["images"] = "images"
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**63, strict=True)], ...], Field(min_length=1)]
    metric: Literal[METRICS] = "probe10_accuracy"  # type: ignore[valid-type]
    reference: str | None = (
        None  # what the others are compared with; by default the first InfoNCE, or the first loss
    )
    data: DataSection
    encoder: EncoderSection
    training: TrainingSection
    probe: ProbeSection = ProbeSection()
    axes: Annotated[dict[str, ParsedAxis], Field(min_length=1)]
    losses: Annotated[dict[str, dict[str, ParsedAxis]], Field(min_length=1)]
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


def shipped_studies() -> list[str]:
    """Names of the studies that come with the package."""
    folder = resources.files("study") / "specs"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_spec(name_or_path: str) -> LoadedSpec:
    """Read a shipped study by name, or a study file by path. Raises `StudyError`."""
    text, origin = _read(name_or_path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{origin}: not a TOML file: {error}") from error
    try:
        return LoadedSpec(spec=StudySpec.model_validate(tree), text=text)
    except ValidationError as error:
        raise StudyError(f"{origin}: {describe_fault(error)}") from error


def _read(name_or_path: str) -> tuple[str, str]:
    path = Path(name_or_path)
    if name_or_path in shipped_studies():
        return (resources.files("study") / "specs" / f"{name_or_path}.toml").read_text(), name_or_path
    if path.suffix != ".toml" and not path.exists():
        raise StudyError(
            f"got '{name_or_path}', must be a .toml file or one of {', '.join(shipped_studies())}"
        )
    try:
        return path.read_text(encoding="utf-8"), path.name
    except UnicodeDecodeError as error:
        raise StudyError(f"{path.name}: not a TOML file: it is not UTF-8 text") from error
    except OSError as error:
        raise StudyError(f"cannot read {name_or_path}: {error.strerror}") from error


def describe_fault(error: ValidationError) -> str:
    """The first fault of a validation as one line, and how many more there are."""
    faults = error.errors(include_url=False)
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
    return list(model.model_fields)
