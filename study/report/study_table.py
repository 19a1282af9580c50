"""The input of the analysis: the table of a study's trials and the study's description. Several commands use it."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from search_spaces.axes import Axis
from search_spaces.loss_params import field_acts_as, field_label, field_names, loss_defaults
from search_spaces.space import Tied
from search_spaces.spaces import NULL_CONTROLS, SPACES
from study.errors import StudyError
from study.plan import Plan, study_directory
from study.report.kept_tables import with_kept
from study.report.looks import with_look
from study.report.settings import planned_settings
from study.spec.arm_space import LR_KEY
from study.spec.arms import Arm
from study.spec.claims import claims_of
from study.spec.expand import planned_rows
from study.spec.load import StudyFile
from study.spec.tasks.protocol import StudyTask
from trainables.config import AXES, Task
from trainables.loss_fields import LOSS_CARDS
from trainables.settings import declared_axes
from trainables.store.records import RecordStore
from trainables.store.schema import record_schema

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import ArmInfo, AxisInfo, StudyInfo
    from analysis.model.meaning import Meaning
    from analysis.study_analysis import StudyAnalysis

#: Long texts of records that no analysis reads.
_LONG = ("config", "stack", "error_traceback")

#: The record columns with numbers, among them all metrics.
_NUMBERS = [
    column.name
    for column in record_schema()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
]


def build_report(
    plan: Plan, study_file: StudyFile, store: RecordStore, out: Path | None = None, command: str = ""
) -> tuple[Path, "StudyAnalysis"]:
    """Write the report from the store's current records. Returns the page's path and the analysis.

    The report goes into the folder of the study in the store, and the store remembers the look
    (`study.report.looks`). With `out`, the report goes there, and nothing is written into the store.
    `command` is that of `StudyAnalysis.trial_command`.
    """
    from analysis.report.write import write_findings
    from analysis.study_analysis import analyse_table
    from study.report.importances import with_importances

    table, info = study_table(plan, study_file)
    home = study_directory(store, study_file.spec.name)
    info = with_look(info, table, home, out or home)
    findings = replace(with_importances(analyse_table(table, info)), trial_command=command)
    findings = with_kept(findings, plan.trial_set, store.path)
    return write_findings(findings, out or home), findings


def study_table(plan: Plan, study_file: StudyFile) -> tuple["pd.DataFrame", "StudyInfo"]:
    """The analysis's input: one row for each planned trial with its record, and the study's description."""
    import pandas as pd

    from analysis.model.table import build_table

    info = study_info(plan, study_file)  # raises for a search without any point
    planned = pd.DataFrame(planned_rows(plan.trial_set))
    records = plan.records.table.drop_columns(list(_LONG))
    return build_table(planned, records.to_pandas()), info


def study_info(plan: Plan, study_file: StudyFile) -> "StudyInfo":
    """The description of a study for the analysis. Raises `StudyError` if a search has not started."""
    from analysis.model.info import StudyInfo

    spec, task = study_file.spec, plan.trial_set.task
    for arm in plan.trial_set.arms:
        if not arm.points:
            raise StudyError(f"losses.{arm.label}: its search has not begun; run the study first")
    return StudyInfo(
        name=spec.name,
        description=spec.description,
        metric=task.metric(plan.records.table.select(_NUMBERS).to_pandas()),
        arms=tuple(_arm_info(arm, plan, task) for arm in plan.trial_set.arms),
        seeds=spec.seeds,
        drawn=plan.trial_set.design.drawn,
        adaptive=plan.trial_set.design.adaptive,
        reference=spec.reference or "",
        null_controls=_null_controls(plan.trial_set.arms),
        task=spec.task,
        **task.described(),
        spec_text=study_file.text,
        claims=claims_of(spec),
        settings=planned_settings(plan),
    )


def _null_controls(arms: tuple[Arm, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs of arms whose losses have the same gradient and learning rates, the first over points of the second."""
    return tuple(
        (one.label, other.label)
        for pair in NULL_CONTROLS
        for one in arms
        for other in arms
        if (one.loss, other.loss) == pair and one.lr == other.lr and _points(one) <= _points(other)
    )


def _points(arm: Arm) -> set[tuple[tuple[str, Any], ...]]:
    return {tuple(point.items()) for point in arm.points}


def _arm_info(arm: Arm, plan: Plan, task: StudyTask) -> "ArmInfo":
    from analysis.model.info import ArmInfo

    tasks = [trial.config.task for trial in plan.trials if trial.arm == arm.label]
    rates = _rates(tasks)
    lr_source, lr_tuned = _rate_source(arm, tasks, plan, task)
    main = arm.main_axis or "lr"
    return ArmInfo(
        label=arm.label,
        title=_title(arm),
        loss=arm.loss,
        axes=tuple(_axis_info(arm, name, task) for name in dict.fromkeys(("batch_size", main, *arm.space))),
        base_lr=min(rates),
        lr_source=lr_source,
        lr_tuned=lr_tuned,
    )


def _axis_info(arm: Arm, name: str, task: StudyTask) -> "AxisInfo":
    """An axis with its measure. For an axis with cases, also the column that selects the case."""
    from analysis.model.info import AxisInfo

    measure = arm.measures.get(name, "log")
    cases: tuple[str, dict[str, str]] = ("", {})
    if not isinstance(measure, str):
        tied = arm.space[name]
        assert isinstance(tied, Tied)
        cases = (f"hp_{tied.on}", {str(value): each for value, each in measure.items()})
    meaning, meanings = _meaning(arm, name)
    return AxisInfo(
        name=f"hp_{name}",
        label=_axis_label(arm.loss, name, task),
        measure=measure if isinstance(measure, str) else "log",
        drawn=_drawn(arm.space.get(name)),
        default=_default(arm, name),
        cases=cases,
        meaning=meaning,
        meanings=meanings,
    )


def _meaning(arm: Arm, name: str) -> tuple["Meaning", tuple[str, dict[str, "Meaning"]]]:
    """The meaning of a hyperparameter. Where another one decides and varies, also its column and all meanings."""
    from analysis.model.meaning import Meaning

    if name not in field_names(arm.loss):
        return Meaning(), ("", {})  # a setting of the training, the same in every loss
    decides, acts_as = field_acts_as(arm.loss, name)
    values = [str(value) for value in arm.axes.get(decides, (loss_defaults(arm.loss).get(decides, ""),))]
    meanings = {}
    for value in values:
        of = f"{decides} {value} of {arm.loss}" if decides else f"{name} of {arm.loss}"
        found = acts_as.get(value)
        law = (found.law.factor, found.law.power) if found and found.law else None
        meanings[value] = Meaning(of=of, larger_acts_as=found.larger if found else "", law=law)
    if len(values) == 1:
        return meanings[values[0]], ("", {})
    return Meaning(of=f"{name} of {arm.loss} with several values of {decides}"), (f"hp_{decides}", meanings)


def _drawn(axis: Axis | Tied | None) -> str:
    """The measure by which points were drawn; "" if the cases of the axis have different ones."""
    if isinstance(axis, Tied):
        kinds = {case.drawn for case in axis.cases.values()}
        return kinds.pop() if len(kinds) == 1 else ""
    return axis.drawn if axis else ""


def _default(arm: Arm, name: str) -> Any:
    """The loss's default for a field, or the middle value of a main axis without default; else None."""
    default = loss_defaults(arm.loss).get(name)
    if default is None and name == (arm.main_axis or "lr"):
        values = sorted(arm.axes.get(name, (0.0,)))
        return values[len(values) // 2]
    return default


def _rates(tasks: list[Task]) -> set[float]:
    return {getattr(task.training, "lr", math.nan) for task in tasks}


def _rate_source(arm: Arm, tasks: list[Task], plan: Plan, task: StudyTask) -> tuple[str, bool]:
    """The source of an arm's base learning rate, and whether it was tuned for the training of all its `tasks`."""
    space, rates = SPACES.get(arm.loss), _rates(tasks)
    if not task.trains:
        return "nothing is trained", True
    if len(rates) > 1:
        return "swept in this study", True
    if LR_KEY in plan.spec.losses[arm.label] and plan.spec.lr_source:
        return plan.spec.lr_source, True
    if space is None or rates != {space.base_lr} or not space.rate_scope.covers(arm.axes):
        return "set in the study file", False
    found = [task.tuned_rate(space, each) for each in {id(each): each for each in tasks}.values()]
    return next((each for each in found if not each[1]), found[0])


def _axis_label(loss: str, name: str, task: StudyTask) -> str:
    """An axis in words, as its declaration has it: of a setting of the task, or of a field of the loss."""
    axes = {**AXES, **declared_axes(task.config_type)}
    return axes[name].label if name in axes else field_label(loss, name)


def _title(arm: Arm) -> str:
    """The loss's name in papers with its variant, such as "DHEL (released)", or a label from the study file."""
    if arm.label != arm.loss or arm.loss not in LOSS_CARDS:
        return arm.label
    variants = []
    for field in LOSS_CARDS[arm.loss].fields:
        chosen = arm.axes.get(field.name, (field.default,))
        if field.choices and len(chosen) == 1:
            variants.append(str(chosen[0]))
    title = LOSS_CARDS[arm.loss].title
    return f"{title} ({', '.join(variants)})" if variants else title
