"""What can change a trial's result, and nothing else, with the ids derived from it.

A `TrialConfig` is a tree of frozen dataclasses. Its canonical form leaves defaults out, so that a new field with
a default changes no id, and writes 1 and 1.0 alike. Device, workers and paths are no part of it: they stand in
the record. This module imports no torch: planning ten thousand trials must not cost a second of start-up.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import TypeAdapter

#: Raised when a change to the code alters the numbers of a trial. It is part of every trial's id, so rows of
#: older versions are never mixed with newer ones.
NUMERICS_VERSION = 2

Scalar = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """A loss by name (or import path) with the hyperparameters that differ from its defaults."""

    name: str
    params: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """A data set by name, and the subset of it that is used."""

    name: str
    train_limit: int | None = None  # images of the training split, None for all
    test_limit: int | None = None  # images of the test split, and at most of the validation split
    classes: tuple[str, ...] = ()  # the classes that are used, none for all
    size: int | None = None  # side in pixels that encoded images are fitted to, None for their own


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The network whose output `h` is probed, and the projection head whose output `z` the loss sees."""

    name: str
    width: int = 16  # channels of the first stage, where the network has that choice
    projection_dim: int = 128  # d, the dimension of z
    head_batch_norm: bool = False  # a batch norm after the head's last layer too


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Pre-training. The budget is one of `epochs`, `steps` and `samples` (images seen, whole batches)."""

    batch_size: int  # M, pairs a step
    lr: float  # base learning rate, at `lr_reference_batch` pairs
    epochs: int | None = None
    steps: int | None = None
    samples: int | None = None
    optimizer: str = "sgd"  # sgd | lars
    lars_trust: float = 0.001  # LARS: length of a step over the length of the weights
    lr_rule: str = "sqrt"  # none | linear | sqrt, over batch_size / lr_reference_batch
    lr_reference_batch: int = 256
    momentum: float = 0.9
    weight_decay: float = 1e-6  # not applied to batch-norm parameters and biases
    warmup_fraction: float = 0.1  # share of the steps with linearly rising rate; cosine to zero follows
    precision: str = "float32"  # float32 | tf32 | bfloat16, of the network alone

    def step_count(self, images: int) -> int:
        """Optimiser steps of the whole budget on `images` images; an epoch's last short batch is left out."""
        if self.steps is not None:
            return self.steps
        if self.samples is not None:
            return self.samples // self.batch_size
        assert self.epochs is not None
        return self.epochs * (images // self.batch_size)


@dataclass(frozen=True, kw_only=True)
class SelectionConfig:
    """Which batches are trained on. Numbers that are None, and those a method does not take: see its file."""

    method: str = "shuffle"  # full | fixed | shuffle | all_subsets | osgd | spectral
    pool: int | None = None  # k, random batches that a round of osgd or spectral chooses from
    keep: int | None = None  # q, batches of a round that osgd trains on
    refresh: int | None = None  # images: batches trained from one pass of embeddings to the next, None for q


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Evaluation of the frozen encoder: which probes, and their settings."""

    suite: tuple[str, ...] = ("probe10", "probe_full", "knn")
    draws: int = 5  # label draws of each few-label probe, shared by all trials
    l2: float = 1.0  # strength of the logistic regression's penalty: 1 / C
    knn_k: int = 20
    sgd_epochs: int = 200  # `probe_sgd`, the papers' protocol
    sgd_lr: float = 0.1
    sgd_weight_decay: float = 1e-4
    sgd_batch_size: int = 1024
    corruptions: str = "built_in"  # of the probes under corruption: built_in, or npy:FOLDER
    severity: int = 3  # of the corruptions, 1 to 5


@dataclass(frozen=True, kw_only=True)
class ImagesTask:
    """Contrastive pre-training on images, then linear evaluation."""

    kind: ClassVar[str] = "images"

    data: DataConfig
    views: str  # name of the augmentation recipe
    views_form: str = "faithful"  # faithful | approximate colour operations
    encoder: EncoderConfig
    training: TrainingConfig
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)


@dataclass(frozen=True, kw_only=True)
class SphereTraining:
    """Gradient descent on raw embeddings. The budget is one of `steps` and `samples` (pairs trained on)."""

    batch_size: int  # B, pairs a step; selection `full` takes all N instead
    lr: float  # of the mean loss over a batch; raw embeddings begin with unit norm
    steps: int | None = None
    samples: int | None = None
    momentum: float = 0.0
    lr_schedule: str = "constant"  # constant | cosine, to zero after the last step

    def step_count(self, pairs: int) -> int:
        """Optimiser steps of the whole budget, whatever the `pairs`; see `trainables.sphere.budget`."""
        if self.steps is not None:
            return self.steps
        assert self.samples is not None
        return self.samples // self.batch_size


@dataclass(frozen=True, kw_only=True)
class SphereTask:
    """N pairs of free embeddings on the unit sphere in d dimensions: what a loss optimises for, without data."""

    kind: ClassVar[str] = "sphere"

    n_pairs: int  # N
    dim: int  # d
    init: str = "independent"  # independent | aligned (both views alike): uniform on the sphere
    training: SphereTraining
    selection: SelectionConfig = field(default_factory=SelectionConfig)


@dataclass(frozen=True, kw_only=True)
class DiagnosticSampling:
    """Batches that are drawn from a population."""

    batch_size: int  # M, pairs
    passes: int = 16  # of measure `batches`: random partitions of the population into batches


@dataclass(frozen=True, kw_only=True)
class DiagnosticTask:
    """Measures of N fixed pairs on the unit sphere in d dimensions. Nothing is trained."""

    kind: ClassVar[str] = "diagnostic"

    measure: str  # batches | precision | points
    n_pairs: int  # N
    dim: int  # d
    defect: str = "none"  # see `trainables.diagnostics.population`
    defect_level: float = 0.0  # from 0 to 1
    view_cosine: float = 0.5  # inner product of a pair's views
    training: DiagnosticSampling


#: Every kind of task by the name that study files use. A task is a frozen dataclass with `kind`.
TASKS: dict[str, type] = {
    ImagesTask.kind: ImagesTask,
    SphereTask.kind: SphereTask,
    DiagnosticTask.kind: DiagnosticTask,
}

#: One of them: whoever runs a trial or expands a study of one kind knows which.
Task = Any


@dataclass(frozen=True, kw_only=True)
class TrialConfig:
    """One trial: a task, the loss it optimises, and the seed of all its random streams."""

    seed: int
    loss: LossConfig
    task: Task

    @classmethod
    def from_canonical(cls, text: str) -> "TrialConfig":
        """Read back what `canonical_json` wrote. Raises `pydantic.ValidationError` on anything else."""
        tree = json.loads(text)
        task: Task = TypeAdapter(TASKS[tree["task"].pop("kind")]).validate_python(tree["task"])
        return TypeAdapter(TrialConfig).validate_python(tree | {"task": task})


def canonical(value: Any) -> Any:
    """The JSON tree that ids are made of: defaults left out, integral floats written as integers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _canonical_dataclass(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a config holds {value}; only finite numbers have an id")
        return int(value) if value.is_integer() else value
    return value


def _canonical_dataclass(value: Any) -> dict[str, Any]:
    tree = {}
    for spec in dataclasses.fields(value):
        item = canonical(getattr(value, spec.name))
        if item != _default_of(spec):
            tree[spec.name] = item
    if hasattr(value, "kind"):
        tree["kind"] = value.kind
    return tree


def _default_of(spec: dataclasses.Field) -> Any:
    if spec.default is not dataclasses.MISSING:
        return canonical(spec.default)
    if spec.default_factory is not dataclasses.MISSING:
        return canonical(spec.default_factory())
    return dataclasses.MISSING


def canonical_json(value: Any) -> str:
    """Canonical form as one line of JSON with sorted keys."""
    return _json(canonical(value))


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a result depends on beyond its config: content of the data and source of a user's own code."""

    data_fingerprint: str = ""
    code_fingerprint: str = ""  # source hash of losses and encoders given by import path, "" without any
    corruptions_fingerprint: str = ""  # content of published corruptions that are probed with, "" without any


@dataclass(frozen=True, kw_only=True)
class TrialKeys:
    """The ids of a trial. `config_id` leaves the seed out, `pretrain_id` the probe."""

    trial_id: str
    config_id: str
    pretrain_id: str
    probe_id: str


def trial_keys(config: TrialConfig, provenance: Provenance) -> TrialKeys:
    """Content hashes of a config together with its provenance and the numerics version."""
    tree, origin = canonical(config), canonical(provenance)
    trained_on = canonical(dataclasses.replace(provenance, corruptions_fingerprint=""))
    probed_on = [provenance.data_fingerprint, *filter(None, [provenance.corruptions_fingerprint])]
    task_alone = {key: item for key, item in tree["task"].items() if key != "probe"}
    probe = canonical(getattr(config.task, "probe", None))
    return TrialKeys(
        trial_id=_digest(tree, origin),
        config_id=_digest({key: item for key, item in tree.items() if key != "seed"}, origin),
        pretrain_id=_digest(tree | {"task": task_alone}, trained_on),
        probe_id=_digest(probe, *probed_on),
    )


def _digest(*canonical_parts: Any) -> str:
    payload = _json([NUMERICS_VERSION, *canonical_parts])
    return hashlib.blake2b(payload.encode(), digest_size=10).hexdigest()


def _json(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))
