"""A study's spec to its trials: the configurations of every arm, times the seeds.

This module imports no torch unless a study names a loss or an encoder of its own by import path.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from search_spaces.axes import Axis, Range
from search_spaces.designs import DRAWN_DESIGNS
from search_spaces.loss_params import BUDGETS, TRAINING_AXES, loss_defaults
from search_spaces.space import Point, end_points
from study.arms import Arm, resolve_arm
from study.errors import StudyError
from study.sections import TrainingSection
from study.spec import StudySpec, describe_fault
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
    point: int  # which of the arm's configurations; in drawn designs the same point of the unit cube for all arms
    title: str
    config: TrialConfig
    keys: TrialKeys


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """Everything that a spec says, worked out."""

    arms: tuple[Arm, ...]
    trials: tuple[PlannedTrial, ...]
    data: DatasetInfo
    design: str  # that the points of all arms come from


def expand(spec: StudySpec, data_root: Path | None) -> Expansion:
    """All trials of a study in the order of its file. Raises `StudyError` on the first fault."""
    try:
        data = describe_dataset(_data_config(spec), data_root)
        check_encoder_name(spec.encoder.name)
        check_views_name(spec.data.views or data.views)
    except ValueError as error:
        raise StudyError(str(error)) from error
    _check_probes(spec, data)
    shared = _shared_axes(spec)
    arms = tuple(resolve_arm(label, table, shared, spec.search) for label, table in spec.losses.items())
    _check_batch_sizes(arms, data)
    if spec.search.design == "optuna":
        for arm in arms:
            end_trials(spec, arm, data)  # raises
    trials = tuple(trial for arm in arms for trial in _arm_trials(spec, arm, data))
    _refuse_repeats(trials)
    return Expansion(arms=arms, trials=trials, data=data, design=spec.search.design)


def with_points(spec: StudySpec, expansion: Expansion, decided: Mapping[str, Sequence[Point]]) -> Expansion:
    """The expansion of a study that searches, with the configurations decided so far, by arm, and their trials.

    A configuration that was decided more than once is one point, and counts against the budget each time. Two
    arms may come upon one and the same trial.
    """
    budget = spec.search.trials or 0
    arms = []
    for arm in expansion.arms:
        counted = decided[arm.label][:budget]
        points = {tuple(point.items()): point for point in counted}
        arms.append(dataclasses.replace(arm, points=tuple(points.values()), undecided=budget - len(counted)))
    trials = tuple(trial for arm in arms for trial in _arm_trials(spec, arm, expansion.data))
    return dataclasses.replace(expansion, arms=tuple(arms), trials=trials)


def stand_ins(spec: StudySpec, expansion: Expansion) -> list[PlannedTrial]:
    """As many trials as are still to be decided, for pricing alone: those at the ends of the spaces, repeated."""
    return [
        trial
        for arm in expansion.arms
        if arm.undecided
        for trial in itertools.islice(
            itertools.cycle(end_trials(spec, arm, expansion.data)), arm.undecided * len(spec.seeds)
        )
    ]


def end_trials(spec: StudySpec, arm: Arm, data: DatasetInfo) -> list[PlannedTrial]:
    """Trials at the ends of an arm's space: what a search may come upon must be sound before it begins."""
    return list(_arm_trials(spec, dataclasses.replace(arm, points=end_points(arm.space)), data))


def _data_config(spec: StudySpec) -> DataConfig:
    return DataConfig(**spec.data.model_dump(exclude={"views", "views_form"}))


def _shared_axes(spec: StudySpec) -> dict[str, Axis]:
    axes: dict[str, Axis] = {name: _whole(name, axis) for name, axis in spec.axes.items()}
    for name in axes:
        if name not in TRAINING_AXES:
            raise StudyError(f"axes.{name}: unknown axis; allowed are {', '.join(TRAINING_AXES)}")
        if spec.search.design not in (*DRAWN_DESIGNS, "optuna"):
            _check_grid(name, axes[name])
    if len(budgets := [name for name in BUDGETS if name in axes]) > 1:
        raise StudyError(f"axes.{', axes.'.join(budgets)}: all are swept; a budget is given in one of them")
    return axes


def _whole(name: str, axis: Axis) -> Axis:
    """Ranges of batch sizes and budgets are of whole numbers."""
    if isinstance(axis, Range) and name in ("batch_size", *BUDGETS):
        return axis.model_copy(update={"whole": True})
    return axis


def _check_grid(name: str, axis: Axis) -> None:
    try:
        axis.values()
    except ValueError as error:
        raise StudyError(f"axes.{name}: {error}") from error


def _check_batch_sizes(arms: tuple[Arm, ...], data: DatasetInfo) -> None:
    points = [point for arm in arms for point in arm.points or end_points(arm.space)]
    for size in dict.fromkeys(point.get("batch_size") for point in points):
        if size is None:
            raise StudyError("axes.batch_size: is missing; give at least one batch size")
        if not _is_integer(size) or not 2 <= int(size) <= data.n_pretraining:
            raise StudyError(
                f"axes.batch_size: got {size}, must be a whole number from 2 to {data.n_pretraining}, "
                f"the training images of {data.name}"
            )


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


def _arm_trials(spec: StudySpec, arm: Arm, data: DatasetInfo) -> Iterator[PlannedTrial]:
    shown = _shown(arm)
    tasks: dict[tuple[Any, ...], ImagesTask] = {}
    for number, point in enumerate(arm.points):
        training = {name: value for name, value in point.items() if name in TRAINING_AXES}
        params = {name: value for name, value in point.items() if name not in TRAINING_AXES}
        key = tuple(training.items())
        task = tasks[key] = tasks.get(key) or _task(spec, training, data)
        loss = LossConfig(name=arm.loss, params=_without_defaults(arm.loss, params))
        words = [arm.label, *(f"{name}={value}" for name, value in point.items() if name in shown)]
        for seed in spec.seeds:
            config = TrialConfig(seed=seed, loss=loss, task=task)
            keys = trial_keys(config, _provenance(config, data))
            title = " ".join([*words, f"seed={seed}"])
            yield PlannedTrial(arm=arm.label, point=number, title=title, config=config, keys=keys)


def _shown(arm: Arm) -> set[str]:
    """What tells an arm's configurations apart, with batch size and main axis in any case."""
    varying = {name for point in arm.points for name in point if point[name] != arm.points[0].get(name)}
    return varying | {"batch_size"} | ({arm.main_axis} if arm.main_axis else set())


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
    values: dict[str, Any] = spec.training.model_dump()
    if set(BUDGETS) & set(training):
        values |= dict.fromkeys(BUDGETS)
    values |= training
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
    """One flat row a trial: ids, arm, seed, design and `hp_` columns, as the analysis wants it.

    Rows of design optuna crowd where scores are good: they tell what tuning finds, and span no surface.
    """
    return [_planned_row(trial) | {"design": expansion.design} for trial in expansion.trials]


def _planned_row(trial: PlannedTrial) -> dict[str, Any]:
    training = trial.config.task.training
    hyperparameters = {**loss_defaults(trial.config.loss.name), **trial.config.loss.params}
    swept = {f"hp_{name}": getattr(training, name) for name in TRAINING_AXES}
    return {
        **dataclasses.asdict(trial.keys),
        "arm": trial.arm,
        "point": trial.point,
        "loss": trial.config.loss.name,
        "seed": trial.config.seed,
        **swept,
        **{f"hp_{name}": value for name, value in hyperparameters.items()},
    }
