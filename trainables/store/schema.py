"""The record of one attempt at one trial, and its Parquet schema.

`TrialRecord` is the contract between the code that runs trials and the code that analyses them: the analysis package
depends on this module, the store's reader and `trainables.atomic`, and on no other module of the platform. New
columns are nullable and are added at the end of their group; columns are never removed. A change that breaks readers
raises `SCHEMA_VERSION`.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import pyarrow as pa

from trainables.config import SETTING_COLUMNS, TASKS, DiagnosticTask, SphereTask, TrainingConfig
from trainables.evaluation.probes import PROBE_OF_METRIC, PROBES
from trainables.settings import Declared, declared_columns, without_none

SCHEMA_VERSION = 1


class Status(StrEnum):
    """How an attempt ended. `ok` and `diverged` are results; with any other status, there is no result."""

    OK = "ok"
    DIVERGED = "diverged"
    CRASHED = "crashed"
    OOM = "oom"
    TIMEOUT = "timeout"
    PRUNED = "pruned"


#: The range of numbers: of a count, which Python, JSON and float columns hold exactly; of a share; of a duration.
_COUNT, _SHARE, _DURATION = (0, 2**53), (0.0, 1.0), (0.0, math.inf)

#: The end of the year 2261 in microseconds since 1970: pandas has no later time.
LATEST_TIME = 9_214_646_400_000_000 - 1

_Range = tuple[float, float] | None

#: Names of tasks whose trials write a column; empty: all of them.
_Tasks = tuple[str, ...]

_IMAGES, _SPHERE, _DIAGNOSTIC = ("images",), ("sphere",), ("diagnostic",)
_TRAINED = (*_IMAGES, *_SPHERE)


def _column(
    type_: pa.DataType,
    unit: str,
    doc: str,
    *,
    required: bool = False,
    label: str = "",
    within: _Range = None,
    of: _Tasks = (),
) -> Any:
    """A field with its Parquet type, unit ("1" for pure numbers), meaning, name in figures and range as metadata.

    Every value that a trial can write is in the range `within`, NaN apart. Only trials of the tasks `of` write one.
    """
    metadata = {
        "type": type_, "unit": unit, "doc": doc, "required": required, "label": label, "within": within,
        "of": of,
    }  # fmt: skip
    return field(metadata=metadata) if required else field(default=None, metadata=metadata)


def _text(doc: str, *, required: bool = False, of: _Tasks = ()) -> Any:
    return _column(pa.string(), "", doc, required=required, of=of)


def _real(unit: str, doc: str, label: str = "", within: _Range = None, of: _Tasks = ()) -> Any:
    return _column(pa.float64(), unit, doc, label=label, within=within, of=of)


def _seconds(doc: str, of: _Tasks = ()) -> Any:
    return _real("s", doc, within=_DURATION, of=of)


def _count(unit: str, doc: str, *, required: bool = False, of: _Tasks = ()) -> Any:
    return _column(pa.int64(), unit, doc, required=required, within=_COUNT, of=of)


def _setting_column(declared: Declared) -> Any:
    """The column of a setting: numbers and texts have their own Parquet type, lists and tables are JSON texts."""
    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    type_ = types.get(without_none(declared.type), pa.string())
    within = _COUNT if pa.types.is_int64(type_) else None
    return _column(type_, declared.setting.unit, declared.setting.doc, within=within)


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """The columns that identify an attempt and its trial, and the first columns of the trial's config."""

    # identity
    trial_id: str = _text("content hash of config, data, own code and numerics version", required=True)
    attempt: int = _count("1", "0 for the first attempt; the latest valid attempt counts", required=True)
    config_id: str = _text("trial_id without the seed: replicates share it", required=True)
    pretrain_id: str = _text("trial_id without the probe: encoders that probes can share", required=True)
    probe_id: str = _text("hash of the probe's settings", required=True)
    schema_version: int = _count("1", "version of this schema", required=True)
    numerics_version: int = _count("1", "version of the code's numbers", required=True)
    status: str = _text("ok | diverged | crashed | oom | timeout | pruned", required=True)

    # config
    task: str = _text("kind of task: images, sphere or diagnostic", required=True)
    loss: str = _text("name or import path of the loss", required=True)
    seed: int = _count("1", "seed of every random stream of the trial", required=True)
    config: str = _text("the whole config in canonical JSON", required=True)
    data: str | None = _setting_column(SETTING_COLUMNS["data"])
    data_fingerprint: str | None = _text("hash of the data set's content")
    encoder: str | None = _setting_column(SETTING_COLUMNS["encoder"])
    views: str | None = _setting_column(SETTING_COLUMNS["views"])
    views_form: str | None = _setting_column(SETTING_COLUMNS["views_form"])


def _setting_columns(base: type, name: str, columns: Mapping[str, Declared]) -> Any:
    """A subclass of `base` with a column for each declared setting."""
    fields = [
        (column, (str if each.setting.text else each.type) | None, _setting_column(each))
        for column, each in columns.items()
    ]
    return dataclasses.make_dataclass(name, fields, bases=(base,), frozen=True, kw_only=True)


#: Settings in the order of their columns: the settings of training come before the fields of the loss.
_TRAINING = declared_columns(TrainingConfig)
_OTHERS = {
    column: each
    for column, each in declared_columns(SphereTask, DiagnosticTask, *TASKS.values()).items()
    if column.startswith("hp_") and column not in _TRAINING
}

_WithTraining: Any = _setting_columns(_Identity, "_WithTraining", _TRAINING)


@dataclass(frozen=True, kw_only=True)
class _WithLoss(_WithTraining):
    """The fields of losses. Fields of several losses and of KCL have their own columns, others are in `hp_other`."""

    hp_temperature: float | None = _real("1", "temperature of the InfoNCE family")
    hp_t: float | None = _real("1", "parameter of the KCL kernel")
    hp_gamma: float | None = _real("1", "weight of the KCL energy")
    hp_kernel: str | None = _text("kernel of KCL")
    hp_form: str | None = _text("variant of the loss, such as DHEL's released form")
    hp_other: Mapping[str, str] | None = _column(
        pa.map_(pa.string(), pa.string()), "", "every further field of the loss, as JSON values"
    )


_WithSettings: Any = _setting_columns(_WithLoss, "_WithSettings", _OTHERS)


def _probe_columns() -> list[tuple[str, Any, Any]]:
    """The columns with the accuracy of every probe, first on the validation split and then on the test split."""
    return [
        (
            f"{split}_{name}_accuracy",
            float | None,
            _real("1", f"{words}, {probe.description}", within=_SHARE, of=_IMAGES),
        )
        for split, words in (("val", "validation"), ("test", "test"))
        for name, probe in PROBES.items()
    ]


_WithProbes: Any = dataclasses.make_dataclass(
    "_WithProbes", _probe_columns(), bases=(_WithSettings,), frozen=True, kw_only=True
)


@dataclass(frozen=True, kw_only=True)
class TrialRecord(_WithProbes):
    """The record of one attempt at one trial, without nesting. Absent values are None and become nulls.

    The order of the columns: identity, config (the `hp_*` columns come from the settings of `trainables.config`),
    accuracies of the probes (`trainables.evaluation.probes`), and the columns below.
    """

    # representation on the test set: z is the normalised projection (what the loss sees), h the encoder's
    # normalised output (what the probe sees)
    z_alignment: float | None = _real("squared distance", "mean ||u - v||^2 over the two views")
    z_uniformity: float | None = _real("nats", "log mean exp(-2 d^2) over pairs")
    z_wasserstein_uniformity: float | None = _real(
        "inner product",
        "W1 to the uniform law's inner products",
        label="Wasserstein distance to the uniform law",
    )
    z_energy_distance: float | None = _real("distance", "energy distance to the uniform law, unbiased")
    z_gaussian_mmd: float | None = _real("1", "squared Gaussian MMD to the uniform law, unbiased")
    z_relative_rank: float | None = _real("dimensions", "singular values above a share of the largest")
    z_effective_rank: float | None = _real("dimensions", "exp of the entropy of the singular values")
    h_alignment: float | None = _real("squared distance", "mean ||u - v||^2 over the two views", of=_IMAGES)
    h_uniformity: float | None = _real("nats", "log mean exp(-2 d^2) over pairs", of=_IMAGES)
    h_wasserstein_uniformity: float | None = _real(
        "inner product", "W1 to the uniform law's inner products", of=_IMAGES
    )
    h_energy_distance: float | None = _real(
        "distance", "energy distance to the uniform law, unbiased", of=_IMAGES
    )
    h_gaussian_mmd: float | None = _real("1", "squared Gaussian MMD to the uniform law, unbiased", of=_IMAGES)
    h_relative_rank: float | None = _real(
        "dimensions", "singular values above a share of the largest", of=_IMAGES
    )
    h_effective_rank: float | None = _real(
        "dimensions", "exp of the entropy of the singular values", of=_IMAGES
    )
    z_dim: int | None = _count("dimensions", "dimension of z, the largest effective rank it could have")
    h_dim: int | None = _count(
        "dimensions", "dimension of h, the largest effective rank it could have", of=_IMAGES
    )

    # training
    train_loss_first: float | None = _real("nats", "loss of the first step", of=_TRAINED)
    train_loss_last: float | None = _real("nats", "mean loss of the last tenth of the steps", of=_TRAINED)
    steps_planned: int | None = _count("steps", "optimiser steps of the whole budget", of=_TRAINED)
    steps_done: int | None = _count("steps", "optimiser steps finished", of=_TRAINED)
    samples_seen: int | None = _count("images", "images, or pairs on the sphere, used in all finished steps")
    samples_selection: int | None = _count(
        "images",
        "images embedded without a gradient to choose batches; not part of samples_seen",
        of=_TRAINED,
    )
    train_loss_full: float | None = _real(
        "nats",
        "sphere: loss of all pairs after training; log xi for FlatNCE",
        label="full-batch loss",
        of=_SPHERE,
    )
    optimum_loss: float | None = _real("nats", "sphere: loss of all pairs at the known optimum", of=_SPHERE)
    optimum_gap: float | None = _real(
        "nats", "sphere: train_loss_full minus optimum_loss", label="gap to the known optimum", of=_SPHERE
    )
    ideal: str | None = _text(
        "sphere: simplex (N <= d + 1) or cross_polytope (N = 2 d); null for other N and d", of=_SPHERE
    )
    gram_distance: float | None = _real(
        "inner product",
        "sphere: root mean square difference of the Gram matrices to the ideal, up to relabelling",
        label="distance to the ideal Gram matrix",
        of=_SPHERE,
    )
    loss_population: float | None = _real(
        "nats", "diagnostic: loss of the whole population as one batch", of=_DIAGNOSTIC
    )
    loss_mean: float | None = _real("nats", "diagnostic: mean loss of its batches of M", of=_DIAGNOSTIC)
    loss_mean_error: float | None = _real("nats", "diagnostic: standard error of loss_mean", of=_DIAGNOSTIC)
    loss_shift_ratio: float | None = _real(
        "1", "diagnostic: distance of loss_mean from loss_population, in standard errors", of=_DIAGNOSTIC
    )
    gradient_bias: float | None = _real(
        "1",
        "diagnostic: distance of the batches' mean gradient from the population's, without noise, over its length",
        label="relative bias of the gradient",
        of=_DIAGNOSTIC,
    )
    gradient_bias_ratio: float | None = _real(
        "1",
        "diagnostic: square of that distance over its expectation from noise alone: 1 without bias",
        of=_DIAGNOSTIC,
    )
    gradient_variance: float | None = _real(
        "1",
        "diagnostic: variance of a batch's gradient over the square of the population's length",
        label="relative variance of the gradient",
        of=_DIAGNOSTIC,
    )
    effective_samples: float | None = _real(
        "samples", "diagnostic: 1 / sum w^2 of the negatives' weights", of=_DIAGNOSTIC
    )
    signal: float | None = _real(
        "1", "diagnostic: mean of 1 - p, p the softmax at the positive", of=_DIAGNOSTIC
    )
    gradient_error_float32: float | None = _real(
        "1", "diagnostic: relative error of the plain formula", of=_DIAGNOSTIC
    )
    gradient_error_bfloat16: float | None = _real(
        "1", "diagnostic: relative error of the plain formula", of=_DIAGNOSTIC
    )
    gradient_error_float16: float | None = _real(
        "1", "diagnostic: relative error of the plain formula", of=_DIAGNOSTIC
    )
    silent_float32: float | None = _real(
        "1", "diagnostic: share of anchors whose gradient is 0", of=_DIAGNOSTIC
    )
    silent_bfloat16: float | None = _real(
        "1", "diagnostic: share of anchors whose gradient is 0", of=_DIAGNOSTIC
    )
    silent_float16: float | None = _real(
        "1", "diagnostic: share of anchors whose gradient is 0", of=_DIAGNOSTIC
    )
    pruned_by: str | None = _text(
        "search whose early stopping ended the trial; for other studies, the trial has no result", of=_IMAGES
    )
    rung: int | None = _count(
        "1", "rung at which the trial was stopped, in the unit of the training budget", of=_IMAGES
    )
    rung_score: float | None = _real(
        "1", "validation accuracy of k nearest neighbours at that rung", within=_SHARE, of=_IMAGES
    )
    best_epoch: int | None = _count(
        "epochs",
        "epoch, from 1, with the best accuracy, whose weights were evaluated; null for the last one",
        of=_IMAGES,
    )

    # run facts
    started_at: datetime | None = _column(pa.timestamp("us", tz="UTC"), "UTC", "start of the attempt")
    seconds_total: float | None = _seconds("wall time of the attempt, without start-up of the worker")
    seconds_pretrain: float | None = _seconds(
        "wall time of pre-training; for a stack, the trial's share", _TRAINED
    )
    seconds_selection: float | None = _seconds(
        "part of seconds_pretrain: embedding candidates and choosing batches", _TRAINED
    )
    seconds_evaluate: float | None = _seconds("wall time of probes and representation metrics")
    peak_memory_bytes: int | None = _count(
        "bytes", "highest memory use so far: of the device, or of the process on a CPU"
    )
    device: str | None = _text("cpu or cuda")
    device_name: str | None = _text("model of the processor or accelerator")
    threads: int | None = _count("threads", "threads of torch and BLAS")
    execution_mode: str | None = _text("single or stacked, and how steps were executed, such as single:eager")
    stack_size: int | None = _count("trials", "trials that were trained as one network, including this one")
    stack: str | None = _text(
        "trial ids of the stack in order, to train the same stack again; null for one trial"
    )
    node: str | None = _text("host name")
    python_version: str | None = _text("")
    torch_version: str | None = _text("")
    package_version: str | None = _text("version of this package")
    git_revision: str | None = _text("revision of the code, with + after uncommitted changes")

    # failure
    error_class: str | None = _text("class of the exception")
    error_message: str | None = _text("first line of the exception's message")
    error_traceback: str | None = _text("the whole traceback")


@cache
def record_schema() -> pa.Schema:
    """The Parquet schema of a record, with each column's unit in its field metadata.

    Descriptions are left out: a file has one row, and the schema takes most of its size.
    """
    columns = [
        pa.field(
            spec.name,
            spec.metadata["type"],
            nullable=not spec.metadata["required"],
            metadata={"unit": spec.metadata["unit"]} if spec.metadata["unit"] else None,
        )
        for spec in dataclasses.fields(TrialRecord)
    ]
    return pa.schema(columns, metadata={"schema_version": str(SCHEMA_VERSION)})


@cache
def _declarations() -> dict[str, Mapping[str, Any]]:
    """The metadata of every record column, as `_column` makes them."""
    return {spec.name: spec.metadata for spec in dataclasses.fields(TrialRecord)}


def column_unit(name: str) -> str:
    """The unit of a record column, "" if it has none. Raises `KeyError` for an unknown column."""
    unit: str = _declarations()[name]["unit"]
    return unit


def is_text_column(name: str) -> bool:
    """Whether a record column has no numbers. Raises `KeyError` for an unknown column."""
    type_ = _declarations()[name]["type"]
    return not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_))


def column_range(name: str) -> tuple[float, float] | None:
    """The range of a record column's numbers, NaN apart; None for texts and for any number."""
    within: _Range = _declarations()[name]["within"]
    return within


def column_tasks(name: str) -> tuple[str, ...]:
    """The tasks whose trials alone write a value into a record column; empty: any task."""
    tasks: _Tasks = _declarations()[name]["of"]
    return tasks


def column_label(name: str) -> str:
    """A record column in words, for figures and tables. Raises `KeyError` for an unknown column."""
    return _declarations()[name]["label"] or name.replace("_", " ")


#: The metrics by which a study can select and report: it selects by `val_<metric>` and reports `test_<metric>`.
METRICS = tuple(PROBE_OF_METRIC)

#: Longer names of metrics for readers, where the metric's own name is not clear enough.
METRIC_WORDS = {metric: probe.words for metric, probe in PROBE_OF_METRIC.items() if probe.words}

#: The metrics of a study of task `sphere`; each is a column. Lower is better, and there is no held-out split.
SPHERE_METRICS = ("gram_distance", "optimum_gap", "train_loss_full")


#: The metrics of a study of task `diagnostic`, by its `measure`. Lower is better, and there is no held-out split.
DIAGNOSTIC_METRICS = {
    "batches": ("gradient_bias", "gradient_variance"),
    "precision": ("gradient_error_bfloat16", "gradient_error_float16", "gradient_error_float32"),
    "points": ("z_wasserstein_uniformity", "z_energy_distance", "z_gaussian_mmd"),
}


def record_to_table(record: TrialRecord) -> pa.Table:
    """A table with one row. Raises `pyarrow.ArrowInvalid` or `ArrowTypeError` if a value does not fit its column."""
    schema, row = record_schema(), dict(vars(record))
    if row["hp_other"] is not None:
        row["hp_other"] = sorted(row["hp_other"].items())
    # Table.from_pylist takes twice as long.
    return pa.Table.from_arrays(
        [pa.array([row[name]], schema.field(name).type) for name in schema.names], schema=schema
    )
