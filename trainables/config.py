"""The configuration of a trial, and the ids derived from it. It contains exactly what can change a trial's result.

A `TrialConfig` is a tree of frozen dataclasses. Its canonical form leaves defaults out, so that a new field with
a default changes no id, and writes 1 and 1.0 in the same way. Device, workers and paths are not part of it: they are
in the record. All packages use this module. It imports no torch, so that planning a study starts fast.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from trainables.evaluation.probes import PROBES, probes_with
from trainables.selection.kinds import METHOD_KINDS, METHODS
from trainables.settings import Declared, declared_axes, declared_columns, setting, setting_columns
from trainables.views.recipes import FORMS, ViewChoice, recipe_text

#: This number is increased when a change to the code alters the numbers of a trial. It is part of every trial's id,
#: so records of older and newer versions are never mixed.
NUMERICS_VERSION = 2

Scalar = bool | int | float | str

#: The largest budget and batch size: beyond what any machine can do, and exact in every format that stores them.
_MOST_COUNT = 2**40

#: The largest number of channels or dimensions. `study.launch.memory` refuses sizes that a machine cannot hold.
_MOST_CHANNELS = 2**20


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """A loss by name or import path, with the hyperparameters that differ from its defaults."""

    name: str
    params: Mapping[str, Scalar] = field(default_factory=dict)


#: Fields of a budget. Exactly one of them is given.
BUDGETS = ("epochs", "steps", "samples")

#: The axis that sweeps the method of selecting batches.
SELECTION_AXIS = "selection"


#: The largest weight decay, and the largest rate of a probe. Torch refuses numbers that float32 cannot hold.
_MOST_RATE = 1e6


#: Settings that several tasks share, each declared once.
def _batch_size(doc: str) -> Any:
    return setting(
        doc=doc, unit="pairs", label="batch size, pairs", axis=1, column="hp_batch_size", ge=2, le=_MOST_COUNT
    )


def _rate(doc: str) -> Any:
    return setting(doc=doc, unit="1", label="base learning rate", axis=2, column="hp_lr", gt=0)


def _steps() -> Any:
    return setting(
        None,
        doc="Steps of the optimiser.",
        unit="steps",
        label="budget, steps",
        axis=4,
        column="hp_steps",
        ge=1,
        le=_MOST_COUNT,
    )


def _samples(doc: str, unit: str) -> Any:
    return setting(
        None,
        doc=doc,
        unit=unit,
        label=f"budget, {unit}",
        axis=5,
        column="hp_samples",
        ge=1,
        le=_MOST_COUNT,
    )


def _momentum(default: float, doc: str, **needs: tuple[str, ...]) -> Any:
    return setting(
        default,
        doc=doc,
        unit="1",
        axis=7,
        column="hp_momentum",
        ge=0,
        lt=1,
        needs=needs,
    )


#: How learning rates change.
_SCHEDULES = ("cosine", "linear", "constant")

#: Optimisers with moments of first and second order.
ADAMS = ("adam", "adamw")


def _of_adam(default: float, doc: str, **bounds: Any) -> Any:
    return setting(default, doc=f"Adam: {doc}", unit="1", needs={"optimizer": ADAMS}, **bounds)


def _pairs(doc: str, least: int) -> Any:
    return setting(doc=doc, unit="pairs", axis=10, column="hp_n_pairs", ge=least, le=_MOST_COUNT)


def _dimensions(least: int) -> Any:
    return setting(
        doc="d, dimensions of the space.",
        unit="dimensions",
        axis=11,
        column="hp_dim",
        ge=least,
        le=_MOST_CHANNELS,
    )


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """A data set, and the subset of it that is used."""

    name: str = setting(
        doc="A name of `study list data`, or the import path of the user's own data set.",
        label="data set",
        column="data",
    )
    train_limit: int | None = setting(
        None, doc="Images of the training split; all by default.", label="training images", unset="all", ge=1
    )
    test_limit: int | None = setting(
        None,
        doc="Images of the test split, and at most of the validation split; all by default.",
        label="test images",
        unset="all",
        ge=1,
    )
    classes: tuple[str, ...] = setting(
        (), doc="Classes that are used; all by default.", label="classes", unset="all"
    )
    size: int | None = setting(
        None,
        doc="Side in pixels that encoded images are fitted to; their own by default.",
        label="image side, pixels",
        unset="their own",
        ge=1,
        le=2**16,
    )
    validation: str = setting(
        "held_out",
        doc="`held_out`: a part of the training images is the validation split, and trains nothing. `none`: all "
        "training images train; there are no validation scores, so nothing can be selected.",
        label="validation images",
        choices=("held_out", "none"),
    )

    @property
    def holds_out(self) -> bool:
        """Whether there is a validation split."""
        return self.validation != "none"


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The network whose output `h` is probed, and the projection head whose output `z` the loss sees."""

    name: str = setting(
        doc="A name of `study list encoders`, or the import path of the user's own network.",
        label="encoder",
        column="encoder",
    )
    width: int = setting(
        16,
        doc="Channels of the first stage, where the network has that choice.",
        ge=1,
        le=_MOST_CHANNELS,
        needs={"name": ("small_conv",)},
    )
    projection_dim: int = setting(
        128,
        doc="d, the dimension of the projection `z`.",
        label="projection dimensions",
        ge=2,
        le=_MOST_CHANNELS,
    )
    head_hidden: tuple[int, ...] | None = setting(
        None,
        doc="Widths of the projection head's hidden layers; by default one layer of the encoder's own width. "
        "`[]`: a linear head.",
        label="hidden layers of the projection head",
        unset="one of the encoder's width",
        ge=1,
        le=_MOST_CHANNELS,
    )
    head_hidden_batch_norm: bool = setting(
        True,
        doc="A batch norm after each hidden layer of the projection head. Layers without one have biases.",
        label="batch norm in the projection head",
    )
    head_batch_norm: bool = setting(
        False,
        doc="A batch norm after the projection head's last layer too.",
        label="batch norm after the projection head",
    )

    def hidden_widths(self, h_dim: int) -> tuple[int, ...]:
        """Widths of the hidden layers of the projection head of an encoder with `h_dim` outputs."""
        return (h_dim,) if self.head_hidden is None else self.head_hidden


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Pre-training. The budget is one of `epochs`, `steps` and `samples`."""

    batch_size: int = _batch_size("M, pairs in a step.")
    lr: float = _rate("Base learning rate, at `lr_reference_batch` pairs.")
    lr_rule: str = setting(
        "sqrt",
        doc="How the rate grows with the ratio of batch size to `lr_reference_batch`.",
        choices=("none", "linear", "sqrt"),
        column="hp_lr_rule",
    )
    lr_reference_batch: int = setting(
        256,
        doc="Batch size for which base rates are given.",
        unit="pairs",
        ge=1,
        le=_MOST_COUNT,
        needs={"lr_rule": ("linear", "sqrt")},
    )
    epochs: int | None = setting(
        None,
        doc="Passes over the training images.",
        unit="epochs",
        label="budget, epochs",
        axis=3,
        column="hp_epochs",
        ge=1,
        le=_MOST_COUNT,
    )
    steps: int | None = _steps()
    samples: int | None = _samples(
        "Images seen, in whole batches; images that a selection embeds count too.", "images"
    )
    optimizer: str = setting(
        "sgd",
        doc="The optimiser. `adam` adds the weight decay to the gradient, `adamw` applies it to the weights.",
        choices=("sgd", "lars", *ADAMS),
        column="hp_optimizer",
    )
    lars_trust: float = setting(
        0.001,
        doc="LARS: length of a step over the length of the weights.",
        unit="1",
        gt=0,
        needs={"optimizer": ("lars",)},
    )
    adam_beta1: float = _of_adam(0.9, "factor of the mean gradient from step to step.", ge=0, lt=1)
    adam_beta2: float = _of_adam(0.999, "factor of the mean squared gradient from step to step.", ge=0, lt=1)
    adam_eps: float = _of_adam(1e-8, "added to the root of the mean squared gradient.", gt=0, le=1)
    weight_decay: float = setting(
        1e-6,
        doc="Weight decay of the parameters in `decayed`.",
        unit="1",
        axis=6,
        column="hp_weight_decay",
        ge=0,
        le=_MOST_RATE,
    )
    decayed: str = setting(
        "weights",
        doc="Parameters with weight decay: `weights`, without batch norms and biases, or `all`. LARS scales the "
        "steps of the same parameters.",
        label="parameters with weight decay",
        choices=("weights", "all"),
    )
    momentum: float = _momentum(0.9, "Momentum of SGD and LARS.", optimizer=("sgd", "lars"))
    lr_schedule: str = setting(
        "cosine",
        doc="The rate after the warm-up; `cosine` and `linear` fall to zero after the last step.",
        choices=_SCHEDULES,
    )
    schedule_by: str = setting(
        "step",
        doc="When the rate changes after the warm-up. By `epoch`, it is constant in each epoch. An epoch has as many "
        "steps as the training images have whole batches, whatever the budget and the selection.",
        choices=("step", "epoch"),
    )
    warmup_fraction: float = setting(
        0.1,
        doc="Share of the steps in which the rate rises linearly, step by step.",
        unit="1",
        axis=8,
        column="hp_warmup_fraction",
        ge=0,
        lt=1,
    )
    warmup_epochs: int | None = setting(
        None,
        doc="Epochs in which the rate rises linearly, step by step, instead of `warmup_fraction`.",
        unit="epochs",
        ge=0,
        le=_MOST_COUNT,
    )
    precision: str = setting(
        "float32",
        doc="Arithmetic of the network; losses compute in float32 or finer.",
        choices=("float32", "tf32", "bfloat16"),
        column="hp_precision",
    )
    evaluated_epoch: str = setting(
        "last",
        doc="The epoch whose weights are evaluated: the last one, or the one with the best nearest-neighbour "
        "accuracy on the validation or test images, by all training images and the settings of `[probe]`. An epoch "
        "is a pass in whole batches, whatever the unit of the budget. `best_test` selects on the test images, so its "
        "scores are too high.",
        label="evaluated epoch",
        choices=("last", "best_validation", "best_test"),
        column="hp_evaluated_epoch",
    )

    @property
    def epoch_split(self) -> str | None:
        """The split whose accuracy chooses the evaluated epoch, "val" or "test"; None for the last epoch."""
        return {"best_validation": "val", "best_test": "test"}.get(self.evaluated_epoch)

    def step_count(self, images: int) -> int:
        """Optimiser steps of the whole budget on `images` images; an epoch's last short batch is left out."""
        if self.steps is not None:
            return self.steps
        if self.samples is not None:
            return self.samples // self.batch_size
        assert self.epochs is not None
        return self.epochs * self.epoch_steps(images)

    def epoch_steps(self, images: int) -> int:
        """Optimiser steps of an epoch on `images` images, whatever the budget and the selection of batches."""
        return images // self.batch_size


@dataclass(frozen=True, kw_only=True)
class SelectionConfig:
    """The selection of training batches. A number that is None has the method's default, or the method has none."""

    method: str = setting(
        "shuffle",
        doc=f"The method: {'; '.join(f'`{name}`: {kind.doc}' for name, kind in METHOD_KINDS.items())}.",
        choices=METHODS,
        axis=9,
        axis_name=SELECTION_AXIS,
        column="hp_selection",
    )
    pool: int | None = setting(
        None,
        doc="k, batches from which a round of the selection chooses.",
        unit="batches",
        column="hp_pool",
        ge=1,
    )
    keep: int | None = setting(
        None, doc="q, batches of a round that are used for training.", unit="batches", column="hp_keep", ge=1
    )
    refresh: int | None = setting(
        None,
        doc="Task `images` only: batches trained between two passes of embeddings.",
        unit="batches",
        column="hp_refresh",
        ge=1,
    )


def _of_probes(
    name: str, default: Any, doc: str, needs: Mapping[str, tuple[str, ...]] | None = None, **bounds: Any
) -> Any:
    """The setting `name` of some of the probes."""
    return setting(default, doc=doc, needs={"suite": probes_with(name), **(needs or {})}, **bounds)


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Evaluation of the frozen encoder: which probes run, and their settings."""

    suite: tuple[str, ...] = setting(
        ("probe10", "probe_full", "knn"), doc="The probes that run.", choices=tuple(PROBES), min_length=1
    )
    draws: int = _of_probes(
        "draws", 5, doc="Label draws of each few-label probe, the same for all trials.", ge=1, le=1000
    )
    l2: float = _of_probes("l2", 1.0, doc="Penalty of the logistic regression, 1 / C.", gt=0)
    knn_k: int = _of_probes("knn_k", 20, doc="Neighbours that vote in the probe `knn`.", ge=1, le=_MOST_COUNT)
    knn_weights: str = _of_probes(
        "knn_weights",
        "uniform",
        doc="Weights of the votes in `knn`: equal, or exp(cosine / `knn_temperature`) as in Wu et al. 2018.",
        choices=("uniform", "exponential"),
    )
    knn_temperature: float = _of_probes(
        "knn_temperature",
        0.1,
        doc="Temperature of exponential weights in `knn`.",
        ge=1e-6,
        le=_MOST_RATE,
        needs={"knn_weights": ("exponential",)},
    )
    knn_distance: str = _of_probes(
        "knn_distance",
        "cosine",
        doc="By what `knn` finds the nearest images.",
        choices=("cosine", "euclidean"),
    )
    sgd_epochs: int = _of_probes(
        "sgd_epochs", 200, doc="Epochs of `probe_sgd`, the papers' protocol.", ge=1, le=10**6
    )
    sgd_lr: float = _of_probes("sgd_lr", 0.1, doc="Learning rate of `probe_sgd`.", gt=0, le=_MOST_RATE)
    sgd_weight_decay: float = _of_probes(
        "sgd_weight_decay", 1e-4, doc="Weight decay of `probe_sgd`.", ge=0, le=_MOST_RATE
    )
    sgd_batch_size: int = _of_probes(
        "sgd_batch_size", 1024, doc="Batch size of `probe_sgd`.", ge=1, le=_MOST_COUNT
    )
    sgd_schedule: str = _of_probes(
        "sgd_schedule",
        "linear",
        doc="Schedule of `probe_sgd`'s rate, step by step; to zero unless constant.",
        choices=_SCHEDULES,
    )
    sgd_augment: bool = _of_probes(
        "sgd_augment",
        False,
        doc="Whether every epoch of `probe_sgd` draws new crops and flips, those of `data.views`.",
    )
    adam_epochs: int = _of_probes(
        "adam_epochs",
        500,
        doc="Epochs of `probe_adam`; its defaults are those of dkobak/simclr-cifar10.",
        ge=1,
        le=10**6,
    )
    adam_lr: float = _of_probes("adam_lr", 0.01, doc="Learning rate of `probe_adam`.", gt=0, le=_MOST_RATE)
    adam_weight_decay: float = _of_probes(
        "adam_weight_decay",
        5e-6,
        doc="Weight decay of `probe_adam`, added to the gradient.",
        ge=0,
        le=_MOST_RATE,
    )
    adam_batch_size: int = _of_probes(
        "adam_batch_size", 1000, doc="Batch size of `probe_adam`.", ge=1, le=_MOST_COUNT
    )
    adam_schedule: str = _of_probes(
        "adam_schedule",
        "cosine",
        doc="Schedule of `probe_adam`'s rate, epoch by epoch; to zero unless constant.",
        choices=_SCHEDULES,
    )
    adam_augment: bool = _of_probes(
        "adam_augment",
        False,
        doc="Whether every epoch of `probe_adam` draws new crops and flips, those of `data.views`.",
    )
    corruptions: str = _of_probes(
        "corruptions",
        "built_in",
        doc="Images of the probes under corruption: `built_in`, or `npy:FOLDER` for published ones.",
        pattern=r"^(built_in|npy:.+)$",
    )
    severity: int = _of_probes("severity", 3, doc="Severity of the corruptions.", ge=1, le=5)


@dataclass(frozen=True, kw_only=True)
class ImagesTask:
    """Contrastive pre-training on images, then evaluation of the frozen encoder."""

    kind: ClassVar[str] = "images"

    data: DataConfig
    views: ViewChoice = setting(  # noqa: RUF009 (both types are immutable)
        doc="Recipe of the views: a name of `study list views`, or a table of changes to one; the data set's own by "
        "default.",
        column="views",
        text=recipe_text,
    )
    views_form: str = setting(
        "faithful",
        doc="Form of the colour operations.",
        choices=FORMS,
        column="views_form",
    )
    encoder: EncoderConfig
    training: TrainingConfig
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)


@dataclass(frozen=True, kw_only=True)
class SphereTraining:
    """Gradient descent on raw embeddings. The budget is one of `steps` and `samples`."""

    batch_size: int = _batch_size("B, pairs in a step; selection `full` takes all N pairs instead.")
    lr: float = _rate("Learning rate for the mean loss over a batch; raw embeddings start with unit norm.")
    steps: int | None = _steps()
    samples: int | None = _samples(
        "Pairs seen, in whole batches; pairs that a selection evaluates count too.", "pairs"
    )
    momentum: float = _momentum(0.0, "Momentum of the optimiser.")
    lr_schedule: str = setting(
        "constant",
        doc="Schedule of the rate in task `sphere`; `cosine` ends at zero after the last step.",
        choices=("constant", "cosine"),
        column="hp_lr_schedule",
    )

    def step_count(self, pairs: int) -> int:
        """Optimiser steps of the whole budget. It does not depend on `pairs`; see `trainables.sphere.budget`."""
        if self.steps is not None:
            return self.steps
        assert self.samples is not None
        return self.samples // self.batch_size


@dataclass(frozen=True, kw_only=True)
class SphereTask:
    """N pairs of free embeddings on the unit sphere in d dimensions, to study what a loss optimises without data."""

    kind: ClassVar[str] = "sphere"

    #: Record columns that are the same for every trial of the task.
    constant_columns: ClassVar[Mapping[str, str]] = {"hp_optimizer": "sgd"}

    n_pairs: int = _pairs("N, pairs of embeddings.", 2)
    dim: int = _dimensions(2)
    init: str = setting(
        "independent",
        doc="First embeddings, uniform on the sphere: independent in the two views, or equal.",
        choices=("independent", "aligned"),
        column="hp_init",
    )
    training: SphereTraining
    selection: SelectionConfig = field(default_factory=SelectionConfig)


@dataclass(frozen=True, kw_only=True)
class DiagnosticSampling:
    """Batches that are drawn from a population."""

    batch_size: int = _batch_size("M, pairs in a batch.")
    passes: int = setting(
        16,
        doc="Measure `batches`: random partitions of the population into batches.",
        ge=2,
        le=2**20,
        needs={"measure": ("batches",)},
    )


#: The ways in which points depart from uniform ones.
_DEFECTS = ("collapse", "antipodes", "clusters", "low_rank", "half_sphere", "duplicates")


@dataclass(frozen=True, kw_only=True)
class DiagnosticTask:
    """Measurements on N fixed pairs on the unit sphere in d dimensions, without training."""

    kind: ClassVar[str] = "diagnostic"

    measure: str = setting(
        doc="`batches`: bias and variance of a batch's gradient; `precision`: error of the gradient at low "
        "precision (losses ntxent and flatnce); `points`: how uniform the points are.",
        choices=("batches", "precision", "points"),
        column="hp_measure",
    )
    n_pairs: int = _pairs("N, pairs of the population.", 4)
    dim: int = _dimensions(4)
    defect: str = setting(
        "none",
        doc="How the points depart from uniform ones.",
        choices=("none", *_DEFECTS),
        axis=12,
        column="hp_defect",
    )
    defect_level: float = setting(
        0.0,
        doc="How far the points depart from uniform ones.",
        unit="1",
        axis=13,
        column="hp_defect_level",
        ge=0,
        le=1,
        needs={"defect": _DEFECTS},
    )
    view_cosine: float = setting(
        0.5, doc="Inner product of a pair's views.", unit="1", axis=14, column="hp_view_cosine", ge=-1, le=1
    )
    training: DiagnosticSampling


#: Every kind of task by the name that study files use. A task is a frozen dataclass with `kind`.
TASKS: dict[str, type] = {
    ImagesTask.kind: ImagesTask,
    SphereTask.kind: SphereTask,
    DiagnosticTask.kind: DiagnosticTask,
}

#: The axes that `[axes]` may sweep, for all tasks together, by name, in the order of their numbers.
AXES: dict[str, Declared] = declared_axes(*TASKS.values())

#: The number of each axis.
AXIS_OF: dict[str, int] = {name: each.setting.axis for name, each in AXES.items() if each.setting.axis}

#: The record columns of the settings of all tasks, in their order.
SETTING_COLUMNS: dict[str, Declared] = declared_columns(*TASKS.values())

#: An instance of one of `TASKS`. Code for one kind of task knows which one.
Task = Any


def task_columns(task: Task) -> dict[str, Any]:
    """The values of the record columns that a task's configuration determines before the trial runs.

    `unused_columns` have no value.
    """
    columns = {**getattr(task, "constant_columns", {}), **setting_columns(task)}
    return columns | dict.fromkeys(unused_columns(vars(task.training)))


def unused_columns(training: Mapping[str, Any]) -> tuple[str, ...]:
    """The record columns of a task's training whose settings another setting replaces.

    `training` has the fields of the configuration, or of its canonical form.
    """
    replaced = {
        "hp_momentum": training.get("optimizer") in ADAMS,
        "hp_warmup_fraction": training.get("warmup_epochs") is not None,
    }
    return tuple(column for column, unused in replaced.items() if unused)


@dataclass(frozen=True, kw_only=True)
class TrialConfig:
    """One trial: a task, the loss it optimises, and the seed of all its random streams."""

    seed: int
    loss: LossConfig
    task: Task


def canonical(value: Any) -> Any:
    """The JSON tree from which ids are computed: defaults are left out, integral floats are written as integers.

    Raises `ValueError` for a number that is not finite.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _canonical_dataclass(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a config contains {value}; only finite numbers have an id")
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
    """The canonical form as one line of JSON with sorted keys."""
    return _json(canonical(value))


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Fingerprints of what a result depends on besides its config: the data and the user's own code."""

    data_fingerprint: str = ""
    code_fingerprint: str = ""  # hash of the user's own code behind losses and encoders; "" without
    corruptions_fingerprint: str = ""  # hash of the published corruptions that the probes use; "" without


@dataclass(frozen=True, kw_only=True)
class TrialKeys:
    """The ids of a trial. `config_id` does not depend on the seed, and `pretrain_id` does not depend on the probe."""

    trial_id: str
    config_id: str
    pretrain_id: str
    probe_id: str


def trial_keys(config: TrialConfig, provenance: Provenance) -> TrialKeys:
    """The ids of a trial: hashes of its config, its provenance and the numerics version."""
    (keys,) = keys_of_seeds(config, provenance, (config.seed,))
    return keys


def keys_of_seeds(config: TrialConfig, provenance: Provenance, seeds: Sequence[int]) -> list[TrialKeys]:
    """`trial_keys` of the same config at each of the seeds. Most of the work is done once for all of them."""
    return _keys(canonical(config), provenance, seeds, NUMERICS_VERSION)


def tree_keys(tree: Mapping[str, Any], provenance: Provenance, *, numerics_version: int) -> TrialKeys:
    """`trial_keys` of the config whose canonical form is `tree`, as a record of this numerics version contains it.

    Raises `LookupError` and `TypeError` for a tree that is not the form of a config.
    """
    (keys,) = _keys(tree, provenance, (tree["seed"],), numerics_version)
    return keys


def _keys(
    tree: Mapping[str, Any], provenance: Provenance, seeds: Sequence[int], version: int
) -> list[TrialKeys]:
    """The ids of the config with the canonical form `tree`, at each of the seeds."""
    origin = canonical(provenance)
    trained_on = canonical(dataclasses.replace(provenance, corruptions_fingerprint=""))
    probed_on = [provenance.data_fingerprint, *filter(None, [provenance.corruptions_fingerprint])]
    task_alone = _without_probe(tree["task"])
    has_probe = any(spec.name == "probe" for spec in dataclasses.fields(TASKS[tree["task"]["kind"]]))
    probe = tree["task"].get("probe", {}) if has_probe else None
    config_id = _digest(version, {key: item for key, item in tree.items() if key != "seed"}, origin)
    probe_id = _digest(version, probe, *probed_on)
    return [
        TrialKeys(
            trial_id=_digest(version, {**tree, "seed": seed}, origin),
            config_id=config_id,
            pretrain_id=_digest(version, {**tree, "seed": seed, "task": task_alone}, trained_on),
            probe_id=probe_id,
        )
        for seed in seeds
    ]


def _without_probe(task: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of a task without its probe, except for settings that choose the evaluated epoch."""
    alone = {key: item for key, item in task.items() if key != "probe"}
    training, probe = task.get("training"), task.get("probe")
    # a record may be a stranger's, with anything in these places
    if isinstance(training, Mapping) and "evaluated_epoch" in training and isinstance(probe, Mapping):
        chooses = {key: item for key, item in probe.items() if key in PROBES["knn"].settings}
        alone |= {"probe": chooses} if chooses else {}
    return alone


def _digest(*canonical_parts: Any) -> str:
    payload = _json(canonical_parts)
    return hashlib.blake2b(payload.encode(), digest_size=10).hexdigest()


def _json(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))
