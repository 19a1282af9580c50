"""A study's spec to its trials: every arm's grid, times the seeds.

This module imports no torch unless a study names a loss or an encoder of its own by import path.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from search_spaces.axes import axis_values
from search_spaces.grid import grid
from search_spaces.loss_params import BUDGETS, TRAINING_AXES, loss_defaults
from study.arms import Arm, AxisValues, resolve_arm
from study.errors import StudyError
from study.spec import StudySpec, TrainingSection, describe_fault
from trainables.config import (
    DataConfig,
    EncoderConfig,
    ImagesTask,
    LossConfig,
    ProbeConfig,
    Provenance,
    Scalar,
    TrainingConfig,
    TrialConfig,
    TrialKeys,
    trial_keys,
)
from trainables.datasets.catalogue import DatasetInfo, describe_dataset
from trainables.encoders.catalogue import check_encoder_name
from trainables.provenance import code_fingerprint
from trainables.schema import LABELS_A_CLASS
from trainables.views.catalogue import check_views_name


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial with the arm it belongs to, its ids, and what tells it from its neighbours, for people."""

    arm: str
    title: str
    config: TrialConfig
    keys: TrialKeys


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """Everything that a spec says, worked out."""

    arms: tuple[Arm, ...]
    trials: tuple[PlannedTrial, ...]
    data: DatasetInfo


def expand(spec: StudySpec, data_root: Path | None) -> Expansion:
    """All trials of a study in the order of its file. Raises `StudyError` on the first fault."""
    try:
        data = describe_dataset(_data_config(spec), data_root)
        check_encoder_name(spec.encoder.name)
        check_views_name(spec.data.views or data.views)
    except ValueError as error:
        raise StudyError(str(error)) from error
    _check_probes(spec, data)
    shared = _shared_axes(spec, data)
    arms = tuple(resolve_arm(label, table, "lr" in shared) for label, table in spec.losses.items())
    trials = tuple(trial for arm in arms for trial in _arm_trials(spec, arm, shared, data))
    _refuse_repeats(trials)
    return Expansion(arms=arms, trials=trials, data=data)


def _data_config(spec: StudySpec) -> DataConfig:
    return DataConfig(**spec.data.model_dump(exclude={"views", "views_form"}))


def _shared_axes(spec: StudySpec, data: DatasetInfo) -> AxisValues:
    shared = {name: axis_values(axis) for name, axis in spec.axes.items()}
    for name in shared:
        if name not in TRAINING_AXES:
            raise StudyError(f"axes.{name}: unknown axis; allowed are {', '.join(TRAINING_AXES)}")
    if len(budgets := [name for name in BUDGETS if name in shared]) > 1:
        raise StudyError(f"axes.{', axes.'.join(budgets)}: all are swept; a budget is given in one of them")
    if "batch_size" not in shared:
        raise StudyError("axes.batch_size: is missing; give at least one batch size")
    for size in shared["batch_size"]:
        if not _is_integer(size) or not 2 <= int(size) <= data.n_pretraining:
            raise StudyError(
                f"axes.batch_size: got {size}, must be a whole number from 2 to {data.n_pretraining}, "
                f"the training images of {data.name}"
            )
    return shared


def _check_probes(spec: StudySpec, data: DatasetInfo) -> None:
    for probe in spec.probe.suite:
        shots = LABELS_A_CLASS.get(probe, 0)
        if shots > data.smallest_class:
            raise StudyError(
                f"probe.suite: got {probe}, which needs {shots} labelled images a class; the rarest class of "
                f"these {data.n_train} training images has {data.smallest_class}"
            )


def _is_integer(value: Scalar) -> bool:
    return not isinstance(value, (bool, str)) and float(value).is_integer()


def _arm_trials(spec: StudySpec, arm: Arm, shared: AxisValues, data: DatasetInfo) -> Iterator[PlannedTrial]:
    axes = shared | ({"lr": arm.lr} if arm.lr is not None else {})
    swept = {name for name, values in (axes | arm.axes).items() if len(values) > 1}
    swept |= {"batch_size"} | ({arm.main_axis} if arm.main_axis else set())
    for training in grid(axes):
        task = _task(spec, training, data)
        for params in grid(arm.axes):
            loss = LossConfig(name=arm.loss, params=_without_defaults(arm.loss, params))
            shown = {name: value for name, value in {**training, **params}.items() if name in swept}
            for seed in spec.seeds:
                config = TrialConfig(seed=seed, loss=loss, task=task)
                keys = trial_keys(config, _provenance(config, data))
                title = " ".join(
                    [arm.label, *(f"{name}={value}" for name, value in shown.items()), f"seed={seed}"]
                )
                yield PlannedTrial(arm=arm.label, title=title, config=config, keys=keys)


def _without_defaults(loss: str, params: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """A value spelled out and the same value by default are one trial."""
    defaults = loss_defaults(loss)
    return {name: value for name, value in params.items() if defaults.get(name) != value}


def _provenance(config: TrialConfig, data: DatasetInfo) -> Provenance:
    try:
        return Provenance(data_fingerprint=data.fingerprint, code_fingerprint=code_fingerprint(config))
    except ValueError as error:
        raise StudyError(str(error)) from error


def _task(spec: StudySpec, training: Mapping[str, Scalar], data: DatasetInfo) -> ImagesTask:
    values: dict[str, Any] = spec.training.model_dump() | dict(training)
    for budget in set(BUDGETS) & set(training):
        values |= dict.fromkeys(BUDGETS) | {budget: training[budget]}
    values |= _checked_training(values)
    values["batch_size"] = int(values["batch_size"])
    return ImagesTask(
        # Chosen classes in the set's own order: the same images are the same trial, however they are listed.
        data=dataclasses.replace(_data_config(spec), classes=data.classes if spec.data.classes else ()),
        views=spec.data.views or data.views,
        views_form=spec.data.views_form,
        encoder=EncoderConfig(**spec.encoder.model_dump()),
        training=TrainingConfig(**values),
        probe=ProbeConfig(**spec.probe.model_dump()),
    )


def _checked_training(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was swept obeys the same rules as what was fixed."""
    lr = values["lr"]
    if isinstance(lr, (str, bool)) or not lr > 0:
        raise StudyError(f"lr: got {lr!r}, must be a number above 0")
    try:
        section = TrainingSection.model_validate(
            {name: values[name] for name in TrainingSection.model_fields}
        )
    except ValidationError as error:
        raise StudyError(f"axes.{describe_fault(error)}") from error
    return section.model_dump()


def _refuse_repeats(trials: tuple[PlannedTrial, ...]) -> None:
    arms: dict[str, PlannedTrial] = {}
    for trial in trials:
        other = arms.setdefault(trial.keys.trial_id, trial)
        if other is not trial:
            raise StudyError(f"losses: '{other.title}' and '{trial.title}' are one and the same trial")


def planned_rows(expansion: Expansion) -> list[dict[str, Any]]:
    """One flat row a trial: ids, arm, seed and `hp_` columns, as the analysis wants it."""
    return [_planned_row(trial) for trial in expansion.trials]


def _planned_row(trial: PlannedTrial) -> dict[str, Any]:
    training = trial.config.task.training
    hyperparameters = {**loss_defaults(trial.config.loss.name), **trial.config.loss.params}
    swept = {f"hp_{name}": getattr(training, name) for name in TRAINING_AXES}
    return {
        **dataclasses.asdict(trial.keys),
        "arm": trial.arm,
        "loss": trial.config.loss.name,
        "seed": trial.config.seed,
        **swept,
        **{f"hp_{name}": value for name, value in hyperparameters.items()},
    }
