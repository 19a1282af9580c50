"""The settings of a study's trials, for the comparison of studies: from its plan, from records, or from a table.

They are all fields that `trainables.config` declares, with their labels, and the fields of the losses. A new setting
needs no further code here.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

from analysis.names import spaced
from search_spaces.loss_params import field_label, loss_defaults
from study.plan import Plan
from study.spec.arm_space import LR_KEY
from trainables.config import BUDGETS, SETTING_COLUMNS, TASKS, LossConfig
from trainables.evaluation.probes import PROBE_OF_METRIC, PROBES
from trainables.own_files import is_import_path
from trainables.settings import Declared, declared_fields
from trainables.store.schema import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import SettingInfo, StudyInfo
    from analysis.tables.columns import Understood
    from analysis.tables.mapping import TableMapping

#: What the tables of a configuration set, in words. A table without an entry has its own name.
_GROUPS = {"": "data", "encoder": "network", "selection": "batch selection", "probe": "evaluation"}

#: Hashes of what a trial depends on besides its configuration: their labels and groups.
DIGESTS = {
    "data_fingerprint": ("content of the data set", "data"),
    "code_fingerprint": ("code of own losses and networks", "losses"),
    "corruptions_fingerprint": ("content of the corrupted images", "evaluation"),
}

_SHOWN_OF_A_HASH = 8

#: A setting without values, the label of an arm, and one value of the arm.
_Told = tuple["SettingInfo", str, Any]


def planned_settings(plan: Plan) -> tuple["SettingInfo", ...]:
    """The settings of a study's trials."""
    return _collected(_planned(plan))


def default_values(task: str) -> dict[str, tuple[Any, ...]]:
    """The defaults of the settings of a kind of task, as reports show them, by name."""
    return {
        each.path: (_plain(_declared(each, ""), each.shown(each.default)),)
        for each in declared_fields(TASKS[task])
        if each.default is not MISSING
    }


def with_settings(
    info: "StudyInfo", rows: "pd.DataFrame", mapping: "TableMapping | None" = None
) -> "StudyInfo":
    """The study with its settings. A study that has no settings yet gets those that its rows contain.

    Rows of this package have the configuration of their trials in column `config`. `mapping` says what the columns of
    another table mean.
    """
    if info.settings:
        return info
    from analysis.tables.columns import understand

    table = understand(rows, mapping) if mapping else None
    if "config" in rows.columns and rows["config"].notna().any():
        loss = (table and table.mapping.loss) or "arm"
        told = _recorded(rows, loss, info.metric.name.removeprefix("test_"))
    else:
        told = _tabulated(table) if table else iter(())
    return dataclasses.replace(info, settings=_collected(told))


def _planned(plan: Plan) -> Iterator[_Told]:
    first, origin = plan.spec.seeds[0], plan.trial_set.task.origin
    seen: set[object] = set()
    for trial in plan.trials:
        task, loss = trial.config.task, trial.config.loss
        if trial.config.seed != first:
            continue
        if (trial.arm, id(task)) not in seen:  # trials of an arm share the objects of their tasks
            seen.add((trial.arm, id(task)))
            chooses = getattr(task.training, "epoch_split", None) is not None
            for each in declared_fields(type(task)):
                shown = each.shown(each.value_of(task))
                yield _declared(each, plan.spec.metric, chooses), trial.arm, shown
        yield from _loss_fields(loss, trial.arm, loss_defaults(loss.name))
        if trial.arm not in seen:
            seen.add(trial.arm)
            known = dataclasses.replace(origin, code_fingerprint=trial.code)
            yield from _digests(dataclasses.asdict(known), trial.arm)


def _recorded(rows: "pd.DataFrame", loss: str, metric: str) -> Iterator[_Told]:
    """The settings in the canonical configurations of records, where absent fields have their defaults.

    Records may be a stranger's, so no loss is imported. The fields of own losses are in columns `hp_*`.
    """
    fields = [name for name in rows.columns if name.startswith("hp_") and name not in SETTING_COLUMNS]
    columns = [loss, "config", *(["data_fingerprint"] if "data_fingerprint" in rows.columns else []), *fields]
    keys = [loss, "config_id"] if "config_id" in rows.columns else [loss, "config"]
    for row in rows[rows["config"].notna()].drop_duplicates(keys)[columns].to_dict("records"):
        tree, arm = json.loads(row["config"]), str(row[loss])
        if not _is_known(tree):
            continue
        chooses = "evaluated_epoch" in tree["task"].get("training", {})
        for each in declared_fields(TASKS[tree["task"]["kind"]]):
            yield _declared(each, metric, chooses), arm, _value_in(tree["task"], each)
        named = LossConfig(**{"params": {}, **tree["loss"]})
        if is_import_path(named.name):
            found = {name.removeprefix("hp_"): row[name] for name in fields if row[name] == row[name]}
            named = LossConfig(name=named.name, params={**found, **named.params})
        yield from _loss_fields(named, arm, {} if is_import_path(named.name) else _defaults(named.name))
        yield from _digests({"data_fingerprint": row.get("data_fingerprint")}, arm)


def _is_known(tree: dict[str, Any]) -> bool:
    """Whether a config has the parts that this version knows. Records of strangers or newer versions may not."""
    named, task = tree.get("loss", {}), tree.get("task", {})
    return {"name"} <= set(named) <= {"name", "params"} and task.get("kind") in TASKS


def _tabulated(table: "Understood") -> Iterator[_Told]:
    """The hyperparameters of a table, and its columns that have one value and do not measure anything."""
    from analysis.model.info import SettingInfo
    from analysis.tables.usual_names import MEASURED

    rows, mapping = table.rows, table.mapping
    meant = {mapping.metric, mapping.selects, mapping.loss, mapping.seed, mapping.status, *mapping.describes}
    declared = {column.removeprefix("hp_"): each for column, each in SETTING_COLUMNS.items()}
    for column in (str(name) for name in rows.columns if name not in meant):
        bare, values = column.removeprefix("hp_"), rows[column].dropna()
        swept = column in mapping.axes
        if column == mapping.data:
            setting = _declared(SETTING_COLUMNS["data"], "")
        elif bare in declared and bare != "data":
            setting = _declared(declared[bare], "")
        elif column in DIGESTS:
            setting = _digest(column)
        elif swept:
            setting = SettingInfo(name=bare, label=spaced(bare), group="hyperparameters", values={})
        elif (
            values.nunique() == 1
            and column not in TrialRecord.__dataclass_fields__
            and not column.startswith(MEASURED)
        ):
            setting = SettingInfo(
                name=bare, label=spaced(bare), group="other columns", values={}, doubt="it may be no setting"
            )
        else:
            continue
        for loss, of_loss in values.groupby(rows[mapping.loss]):
            yield from ((setting, str(loss), value) for value in of_loss.unique().tolist())


def _declared(each: Declared, metric: str, chooses_epoch: bool = False) -> "SettingInfo":
    """A setting without values. Those of the probe `knn` matter to every metric where it chooses the epoch."""
    from analysis.model.info import SettingInfo

    probe = PROBE_OF_METRIC.get(metric)
    used = each.table != "probe" or probe is None or each.name in probe.settings
    used = used or (chooses_epoch and each.name in PROBES["knn"].settings)
    return SettingInfo(
        name=each.path,
        label=each.words.replace(", ", " in "),  # such as "budget in steps", since texts list several labels
        group="budget" if each.name in BUDGETS else _GROUPS.get(each.table, each.table),
        values={},
        column=each.setting.column.removeprefix("hp_"),
        doubt="" if used else "the compared metric does not depend on it",
    )


def _value_in(tree: Mapping[str, Any], each: Declared) -> Any:
    """A field's value in the canonical form of a task, as reports show it; the default where it is absent."""
    place = tree.get(each.table, {}) if each.table else tree
    default = None if each.default is MISSING else each.default
    return each.shown(place.get(each.name, default))


def _loss_fields(loss: LossConfig, arm: str, defaults: Mapping[str, Any]) -> Iterator[_Told]:
    """The name of a loss, and its fields, with `defaults` for those that the trial does not set."""
    from analysis.model.info import SettingInfo

    yield SettingInfo(name="losses.loss", label="loss", group="losses", values={}), arm, loss.name
    for name, value in {**defaults, **loss.params}.items():
        setting = SettingInfo(
            name=f"losses.{name}", label=field_label(loss.name, name), group="losses", values={}, column=name
        )
        yield setting, arm, value


def _defaults(loss: str) -> Mapping[str, Any]:
    """The defaults of a built-in loss; none for a loss that this version does not have."""
    try:
        return loss_defaults(loss)
    except ValueError:
        return {}


def _digests(hashes: Mapping[str, str | None], arm: str) -> Iterator[_Told]:
    yield from ((_digest(name), arm, value[:_SHOWN_OF_A_HASH]) for name, value in hashes.items() if value)


def _digest(name: str) -> "SettingInfo":
    from analysis.model.info import SettingInfo

    label, group = DIGESTS[name]
    return SettingInfo(name=name, label=label, group=group, values={}, digest=True)


def _collected(told: Iterable[_Told]) -> tuple["SettingInfo", ...]:
    """The settings with all their values. Values that are the same for every arm have no label of an arm."""
    from analysis.fairness.settings import ordered

    found: dict[str, SettingInfo] = {}
    values: dict[str, dict[str, list[Any]]] = {}
    for setting, arm, value in told:
        found.setdefault(setting.name, setting)
        values.setdefault(setting.name, {}).setdefault(arm, []).append(_plain(setting, value))
    by_arm = {name: {arm: ordered(each) for arm, each in arms.items()} for name, arms in values.items()}
    return tuple(
        dataclasses.replace(item, values=_joined(item, by_arm[name])) for name, item in found.items()
    )


def _joined(item: "SettingInfo", by_arm: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Values by arm; without the arms where all are alike, unless every loss has its own by nature."""
    of_the_loss = item.group == "losses" or item.column == LR_KEY
    alike = len(set(by_arm.values())) == 1 and not of_the_loss
    return {"": next(iter(by_arm.values()))} if alike else by_arm


def _plain(setting: "SettingInfo", value: Any) -> Any:
    """The value as a number or text for readers, without machine paths."""
    from analysis.redact import redact_paths

    if value is None:
        return _UNSET.get(setting.name, "not set")
    if isinstance(value, (tuple, list)) and not value:
        return "none" if setting.name in _MAY_BE_NONE else _UNSET.get(setting.name, "not set")
    if isinstance(value, (tuple, list)):
        value = ", ".join(map(str, value))
    return value if isinstance(value, (bool, int, float)) else redact_paths(str(value))


_ALL = [each for task in TASKS.values() for each in declared_fields(task)]

#: How texts show that a setting is None, or empty if that is its default.
_UNSET = {each.path: each.setting.unset for each in _ALL}

#: Settings that are None by default: if one is an empty list, that is a value.
_MAY_BE_NONE = {each.path for each in _ALL if each.default is None}
