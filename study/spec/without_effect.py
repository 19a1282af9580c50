"""Keys of a study file that no trial uses, from the declarations of the settings."""

from collections.abc import Iterable, Sequence

from study.errors import StudyError
from study.spec.schema import Section, StudySpec
from study.spec.tasks.protocol import StudyTask
from trainables.config import TASKS, Task
from trainables.evaluation.probes.knn import KNN
from trainables.settings import Declared, declared_axes, declared_fields
from trainables.views.recipes import ViewRecipe, recipe_of


def keys_without_effect(spec: StudySpec, tasks: Iterable[Task]) -> list[str]:
    """One line for each given key that has no effect in any of the tasks of a study's trials."""
    different = list({id(task): task for task in tasks}.values())
    views = [each for task in different[:1] for each in _keys_of_views(spec, task)]
    monitored = KNN.settings if _is_monitored(spec) else ()
    return [*views, *_keys_of_decay(spec, different)] + [
        f"{where} has no effect here, because it needs {_needed(spec, each)}"
        for each in declared_fields(TASKS[spec.task])
        if each.setting.needs and (where := _given(spec, each)) and different
        if not any(_has_effect(task, each, without_probe=each.name in monitored) for task in different)
    ]


def check_swept(spec: StudySpec, study_task: StudyTask, tasks: Iterable[Task]) -> None:
    """Raise `StudyError` for a setting with several values that has no effect in any of the tasks.

    Their trials would train in the same way, and count as different configurations.
    """
    different = list({id(task): task for task in tasks}.values())
    for name, each in declared_axes(TASKS[spec.task]).items():
        values = {each.value_of(task) for task in different} if each.setting.needs else set()
        if len(values) > 1 and not any(_has_effect(task, each) for task in different):
            raise StudyError(
                f"{study_task.place(name)}: has {len(values)} values and no effect here, because it needs "
                f"{_needed(spec, each)}"
            )


def _keys_of_decay(spec: StudySpec, tasks: Sequence[Task]) -> list[str]:
    """The same for `training.decayed`. LARS uses it without a weight decay too."""
    if "decayed" not in spec.training.model_fields_set or not tasks:
        return []
    if any(each.training.weight_decay or each.training.optimizer == "lars" for each in tasks):
        return []
    return ["training.decayed has no effect here, because it needs training.weight_decay above 0"]


def _keys_of_views(spec: StudySpec, task: Task) -> list[str]:
    """The same for the views, which all tasks have in common, and for probes on new crops and flips."""
    data = getattr(spec, "data", None)
    if data is None:
        return []
    recipe = recipe_of(task.views)
    stays = recipe.crop_scale[0] == 1 and recipe.flip_probability == 0
    augmented = [
        f"probe.{key} has no effect here, because the views have neither crops nor flips"
        for probe, key in (("probe_sgd", "sgd_augment"), ("probe_adam", "adam_augment"))
        if stays and probe in task.probe.suite and getattr(task.probe, key)
    ]
    if data.views is None:
        return augmented
    return augmented + [
        f"data.views.{each.name} has no effect here, because it needs data.views.{needed} above 0"
        for each in declared_fields(ViewRecipe)
        for needed in each.setting.needs
        if each.name in data.views.changes and not getattr(recipe, needed)
    ]


def _given(spec: StudySpec, each: Declared) -> str:
    """The place where a study file gives the setting; "" if it does not."""
    if each.name in spec.axes:
        return f"axes.{each.name}"
    table = _table(spec, each.table, each.name)
    return f"{table}.{each.name}" if table and each.name in getattr(spec, table).model_fields_set else ""


def _table(spec: StudySpec, table: str, name: str) -> str:
    """The table of the study file that has a setting: that of its class, or the task's own table."""
    for each in (table, spec.task):
        section = getattr(spec, each, None) if each else None
        if isinstance(section, Section) and name in type(section).model_fields:
            return each
    return ""


def _needed(spec: StudySpec, each: Declared) -> str:
    conditions = []
    for name, allowed in each.setting.needs.items():
        *others, last = allowed
        words = f"{', '.join(others)} or {last}" if others else last
        table = _table(spec, each.table, name)
        conditions.append(f"{table}.{name} = {words}" if name != "suite" else f"{words} in {table}.{name}")
    return " and ".join(conditions)


def _has_effect(task: Task, each: Declared, *, without_probe: bool = False) -> bool:
    """Whether the setting has an effect in a task. With `without_probe`, it needs no probe of the suite."""
    inner = getattr(task, each.table) if each.table else task
    for name, allowed in each.setting.needs.items():
        if without_probe and name == "suite":
            continue
        value = getattr(inner, name) if hasattr(inner, name) else getattr(task, name)
        if not set(value if isinstance(value, tuple) else (value,)) & set(allowed):
            return False
    return True


def _is_monitored(spec: StudySpec) -> bool:
    """Whether curves, early stopping or the choice of an epoch search for nearest neighbours, without any probe."""
    chooses = getattr(spec.training, "evaluated_epoch", "last") != "last"
    return bool(chooses or spec.keep.curve_epochs or spec.search.early_stopping)
