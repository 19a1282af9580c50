"""Expands a study's spec into its trials: the configurations of every arm, each with every seed.

The plan, the launch and `study extend` use this module. It does not import torch, unless a study names the user's own
loss or encoder by import path.
"""

import dataclasses
import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_spaces.axes import Axis, Range, listed
from search_spaces.designs import Design
from search_spaces.loss_params import loss_defaults
from search_spaces.space import Point, end_points
from study.errors import StudyError
from study.spec.arm_space import LR_KEY
from study.spec.arms import Arm, Limit, resolve_arm
from study.spec.claims import check_claims, check_columns
from study.spec.faults import check_swept
from study.spec.schema import POINTS_KEY, SelectionSection, StudySpec
from study.spec.section import Section, section_with
from study.spec.tasks.protocol import StudyTask
from study.spec.tasks.registry import open_task
from study.spec.tasks.trial_shapes import trial_shapes
from study.spec.without_effect import check_swept as check_effect
from trainables.config import (
    AXES,
    BUDGETS,
    SELECTION_AXIS,
    LossConfig,
    Provenance,
    Scalar,
    Task,
    TrialConfig,
    TrialKeys,
    keys_of_seeds,
    task_columns,
)
from trainables.datasets.datasets import DatasetInfo
from trainables.provenance import import_paths, paths_fingerprint
from trainables.selection.kinds import LOOKING_METHODS
from trainables.settings import declared_axes, without_none
from trainables.suggestion import did_you_mean


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial with its arm, its ids, and a readable title that shows how it differs from the other trials."""

    arm: str
    point: (
        int  # index of the arm's configuration; in drawn designs all arms share each index's unit-cube point
    )
    title: str
    config: TrialConfig
    keys: TrialKeys
    code: str = ""  # the hash of the user's own code in its ids; "" without


@dataclass(frozen=True, kw_only=True)
class TrialSet:
    """The result of expanding a spec: its arms, trials, task and design."""

    arms: tuple[Arm, ...]
    trials: tuple[PlannedTrial, ...]
    task: StudyTask
    design: Design  # the design that produces the points of all arms

    @property
    def data(self) -> DatasetInfo:
        """The data set. Raises `StudyError` for a task without one."""
        return self.task.data


def expand(spec: StudySpec, data_root: Path | None) -> TrialSet:
    """All trials of a study, in the order of its file. Raises `StudyError` at the first error."""
    task, arms = _resolve(spec, data_root)
    task.require_data()
    trial_set = TrialSet(arms=arms, trials=(), task=task, design=spec.search.chosen)
    ends: list[PlannedTrial] = []
    if spec.search.chosen.adaptive:
        for arm in arms:
            ends += end_trials(spec, arm, trial_set)  # raises for a space with invalid ends
    trials = tuple(trial for arm in arms for trial in _arm_trials(spec, arm, trial_set))
    check_effect(spec, task, (trial.config.task for trial in (*ends, *trials)))
    _refuse_repeats(trials)
    trial_set = dataclasses.replace(trial_set, trials=trials)
    if spec.claims and trials:  # a search has no trials yet
        check_claims(spec, planned_rows(trial_set))
    return trial_set


def count_trials(spec: StudySpec, data_root: Path | None) -> dict[str, int]:
    """The number of trials of each arm, which needs no data. Raises `StudyError` for errors that show without it."""
    _, arms = _resolve(spec, data_root)
    return {arm.label: (len(arm.points) + arm.undecided) * len(spec.seeds) for arm in arms}


def _resolve(spec: StudySpec, data_root: Path | None) -> tuple[StudyTask, tuple[Arm, ...]]:
    """The task and the arms of a study, with all checks that do not need absent data."""
    limit = Limit(trials=spec.resources.max_trials, seeds=len(spec.seeds))
    limit.check("seeds", len(spec.losses))
    task = open_task(spec, data_root)
    _check_swept(spec, task)
    shared, settings = shared_axes(spec), _tables_of_keys(spec)
    arms = tuple(
        resolve_arm(
            label,
            table,
            task.rates(label, shared),
            spec.search,
            limit,
            lambda points: trial_shapes(task, points),
            settings,
        )
        for label, table in spec.losses.items()
    )
    limit.check("losses", sum(len(arm.points) + arm.undecided for arm in arms))
    for arm in arms:
        task.check_points(arm.loss, arm.points or end_points(arm.space))
    _check_selection_keys(spec.selection, arms)
    check_columns(spec, task)
    return task, arms


def _tables_of_keys(spec: StudySpec) -> dict[str, str]:
    """The table of every key of the study file that belongs to one table, for keys in the table of a loss."""
    found: dict[str, list[str]] = {}
    for table in type(spec).model_fields:
        if isinstance(section := getattr(spec, table), Section):
            for key in type(section).model_fields:
                found.setdefault(key, []).append(table)
    return {key: tables[0] for key, tables in found.items() if len(tables) == 1}


def with_points(spec: StudySpec, trial_set: TrialSet, decided: Mapping[str, Sequence[Point]]) -> TrialSet:
    """The trial set of a study with a search, with the configurations decided so far and their trials.

    `decided` holds these configurations by arm label. A configuration that was decided more than once is one point,
    but each decision counts against the budget. Two arms may find the same trial.
    """
    budget = spec.search.count or 0
    arms = []
    for arm in trial_set.arms:
        counted = decided[arm.label][:budget]
        points = {tuple(point.items()): point for point in counted}
        arms.append(dataclasses.replace(arm, points=tuple(points.values()), undecided=budget - len(counted)))
    trials = tuple(trial for arm in arms for trial in _arm_trials(spec, arm, trial_set))
    return dataclasses.replace(trial_set, arms=tuple(arms), trials=trials)


def stand_ins(spec: StudySpec, trial_set: TrialSet) -> list[PlannedTrial]:
    """Placeholders for the trials that are not decided yet, only for cost estimates.

    They are the trials at the ends of the spaces, repeated as often as needed.
    """
    return [
        trial
        for arm in trial_set.arms
        if arm.undecided
        for trial in itertools.islice(
            itertools.cycle(end_trials(spec, arm, trial_set)), arm.undecided * len(spec.seeds)
        )
    ]


def end_trials(spec: StudySpec, arm: Arm, trial_set: TrialSet) -> list[PlannedTrial]:
    """Trials at the ends of an arm's space. They check, before a search begins, that what it may find is valid."""
    return list(_arm_trials(spec, dataclasses.replace(arm, points=end_points(arm.space)), trial_set))


def _check_swept(spec: StudySpec, task: StudyTask) -> None:
    """Check the names and values of all axes of training, wherever the study file has them."""
    tables = {name: section_with(each) for name, each in declared_axes(task.config_type).items()}
    for name, axis in spec.axes.items():
        if name not in tables:
            near = did_you_mean(name, tables)
            raise StudyError(f"axes.{name}: unknown axis{near}; allowed are {', '.join(tables)}")
        check_swept(f"axes.{name}", tables[name], _whole(name, axis))
    for label, table in spec.losses.items():
        if LR_KEY in table and LR_KEY in tables:
            check_swept(f"losses.{label}.{LR_KEY}", tables[LR_KEY], table[LR_KEY])
        for number, point in enumerate(table.get(POINTS_KEY, ()), start=1):
            for name in (name for name in point if name in AXES):
                where = f"losses.{label}.{POINTS_KEY}.{number}.{name}"
                if name not in tables:
                    raise StudyError(f"{where}: is not an axis of task {spec.task}")
                check_swept(where, tables[name], listed(point[name]))


def shared_axes(spec: StudySpec) -> dict[str, Axis]:
    """The axes of `[axes]`. Raises `StudyError` for a range without points in a grid, and for two budgets."""
    axes: dict[str, Axis] = {name: _whole(name, axis) for name, axis in spec.axes.items()}
    for name in axes:
        if not spec.search.chosen.drawn:
            _check_grid(name, axes[name])
    if len(budgets := [name for name in BUDGETS if name in axes]) > 1:
        raise StudyError(
            f"axes.{', axes.'.join(budgets)}: all are swept; give the budget in only one of them"
        )
    return axes


def _whole(name: str, axis: Axis) -> Axis:
    """The axis; a range of an integer setting is marked to give whole numbers."""
    if isinstance(axis, Range) and name in AXES and without_none(AXES[name].type) is int:
        return axis.model_copy(update={"whole": True})
    return axis


def _check_grid(name: str, axis: Axis) -> None:
    try:
        axis.values()
    except ValueError as error:
        raise StudyError(f"axes.{name}: {error}") from error


def _check_selection_keys(section: SelectionSection, arms: tuple[Arm, ...]) -> None:
    """Raise `StudyError` for keys of a method that no trial uses. Such keys have no effect, so they are a mistake."""
    points = [point for arm in arms for point in arm.points or end_points(arm.space)]
    methods = {point.get(SELECTION_AXIS, section.method) for point in points}
    for method in LOOKING_METHODS:
        given = [key for key in section.keys_of(method) if getattr(section, key) is not None]
        if given and method not in methods:
            raise StudyError(f"selection.{given[0]}: is for method {method}, which no trial has")


def _arm_trials(spec: StudySpec, arm: Arm, trial_set: TrialSet) -> Iterator[PlannedTrial]:
    shown = _shown(arm)
    tasks: dict[tuple[Any, ...], Task] = {}
    code_of = functools.cache(paths_fingerprint)
    for number, point in enumerate(arm.points):
        training = {name: value for name, value in point.items() if name in AXES}
        params = {name: value for name, value in point.items() if name not in AXES}
        key = tuple(training.items())
        task = tasks[key] = tasks.get(key) or trial_set.task.build(training)
        loss = LossConfig(name=arm.loss, params=_without_defaults(arm.loss, params))
        words = [arm.label, *(f"{name}={value}" for name, value in point.items() if name in shown)]
        first = TrialConfig(seed=spec.seeds[0], loss=loss, task=task)
        provenance = _provenance(first, trial_set.task.origin, code_of)
        for seed, keys in zip(spec.seeds, keys_of_seeds(first, provenance, spec.seeds), strict=True):
            config = TrialConfig(seed=seed, loss=loss, task=task)
            yield PlannedTrial(
                arm=arm.label,
                point=number,
                title=" ".join([*words, f"seed={seed}"]),
                config=config,
                keys=keys,
                code=provenance.code_fingerprint,
            )


def _shown(arm: Arm) -> set[str]:
    """The names that titles show: all that vary within the arm, and always the batch size and the main axis."""
    varying = {name for point in arm.points for name in point if point[name] != arm.points[0].get(name)}
    return varying | {"batch_size"} | ({arm.main_axis} if arm.main_axis else set())


def _without_defaults(loss: str, params: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The parameters that differ from their defaults. A default value written out gives the same trial."""
    defaults = loss_defaults(loss)
    return {name: value for name, value in params.items() if defaults.get(name) != value}


def _provenance(
    config: TrialConfig, origin: Provenance, code_of: Callable[[tuple[str, ...]], str]
) -> Provenance:
    try:
        return dataclasses.replace(origin, code_fingerprint=code_of(import_paths(config)))
    except ValueError as error:
        raise StudyError(str(error)) from error


def _refuse_repeats(trials: tuple[PlannedTrial, ...]) -> None:
    arms: dict[str, PlannedTrial] = {}
    for trial in trials:
        other = arms.setdefault(trial.keys.trial_id, trial)
        if other is not trial:
            raise StudyError(f"losses: '{other.title}' and '{trial.title}' are the same trial")


def planned_rows(trial_set: TrialSet) -> list[dict[str, Any]]:
    """One flat row for each trial: ids, arm, seed, design, and the record columns that are known before it runs.

    Rows of an adaptive design are dense where scores are good. They show what tuning finds; they do not cover a
    surface.
    """
    settings: dict[tuple[str, int], dict[str, Any]] = {}
    rows = []
    for trial in trial_set.trials:
        place = (trial.arm, trial.point)
        if place not in settings:  # the seeds of a point share its settings
            settings[place] = _planned_settings(trial.config, trial_set)
        rows.append(
            {
                **dataclasses.asdict(trial.keys),
                "arm": trial.arm,
                "point": trial.point,
                "loss": trial.config.loss.name,
                "seed": trial.config.seed,
                "design": trial_set.design.name,
                **settings[place],
            }
        )
    return rows


def _planned_settings(config: TrialConfig, trial_set: TrialSet) -> dict[str, Any]:
    """The record columns of a trial's task and loss that have a value."""
    params = {**loss_defaults(config.loss.name), **config.loss.params}
    columns = {
        **task_columns(config.task),
        **trial_set.task.planned_columns(config.task),
        **{f"hp_{name}": _table_value(value) for name, value in params.items()},
    }
    return {name: value for name, value in columns.items() if value is not None}


def _table_value(value: Any) -> Any:
    """A value as tables of records have it: the JSON text of a list or a table."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value
