"""Recognises the frames of other tools by their columns, and says what each column is."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.tables.exports.words import is_housekeeping
from analysis.tables.metric_words import is_outcome

OPTUNA, RAY_TUNE, MLFLOW, WANDB = "Optuna", "Ray Tune", "MLflow", "Weights & Biases"

#: Roles of columns. Of columns with one bare name, the first in this order gets it.
ROLES = ("hyperparameter", "metric", "tag", "status", "housekeeping")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the frame of one tool looks like.

    `roles` has no entry for a column whose role the layout leaves open, as for most columns of the CSV file from the
    site of Weights & Biases. `names` has every column, and no two columns have one name.
    """

    tool: str  # one of the names above
    roles: dict[str, str]  # column as in the frame: one of ROLES
    names: dict[str, str]  # column as in the frame: name without the tool's prefix


#: Attributes that the adaptive samplers of Optuna leave with trials.
_ADAPTIVE = re.compile(r"system_attrs_(tpe|gp|cma\w*|\w*GASampler|NSGA\w+):")

#: What a tool makes of a column: its role, or None where it is open, and its bare name.
_Reading = tuple[str | None, str]


def recognise(columns: Sequence[str]) -> Layout | None:
    """The layout of the tool whose frame has these columns; None for a plain table.

    Where several columns have one bare name (`params.lr` and `metrics.lr`), the hyperparameter gets it, else the
    metric, the tag, the status, in this order. The others keep their name in the frame. Where that is the bare name,
    they get their role before it (`metric.lr`).

    >>> recognise(["number", "value", "params_lr", "state"]).names["params_lr"]
    'lr'
    >>> recognise(["loss", "seed", "lr", "acc"]) is None
    True
    """
    told = [str(name) for name in columns]
    for tool, belongs, read in _TOOLS:
        if belongs(set(told)):
            readings = {name: read(name) for name in told}
            roles = {name: role for name, (role, _) in readings.items() if role is not None}
            return Layout(tool=tool, roles=roles, names=_distinct(readings))
    return None


def is_adaptive(columns: Sequence[str]) -> bool:
    """Whether the columns have attributes that Optuna's adaptive samplers leave, such as TPE's."""
    return any(_ADAPTIVE.match(str(name)) for name in columns)


def _distinct(readings: dict[str, _Reading]) -> dict[str, str]:
    def rank(name: str) -> int:
        role = readings[name][0]
        return ROLES.index(role) if role else ROLES.index("tag")

    order = sorted(readings, key=rank)
    first = {readings[name][1]: name for name in reversed(order)}
    names = {name: bare for bare, name in first.items()}
    for name in order:
        wanted = names.get(name, name)
        while name not in names and wanted in names.values():
            wanted = f"{readings[name][0] or 'column'}.{wanted}"
        names[name] = wanted
    return {name: names[name] for name in readings}


def _starting(columns: set[str], *prefixes: str) -> int:
    return sum(name.startswith(prefixes) for name in columns)


#: Columns of Optuna's frame without a prefix that hardly any other table has.
_OPTUNA_OWN = {"number", "value", "datetime_start", "datetime_complete"}


def _is_optuna(columns: set[str]) -> bool:
    params, attributes = _starting(columns, "params_"), _starting(columns, "user_attrs_", "system_attrs_")
    own = len(columns & _OPTUNA_OWN) + _starting(columns, "values_", "value_")
    of_trials = params + attributes > 0 and own > 0  # `params_total` alone may be the size of a model
    return of_trials or (params > 0 and attributes > 0) or {"number", "state", "value"} <= columns


def _read_optuna(name: str) -> _Reading:
    for prefix, role in (("params_", "hyperparameter"), ("user_attrs_", "tag")):
        if name.startswith(prefix):
            return role, name.removeprefix(prefix)
    if name == "state":
        return "status", name
    if name == "value" or name.startswith(("value_", "values_")):
        bare = name.partition("_")[2]
        return "metric", name if not bare or bare.isdigit() else bare
    own = name.startswith(("system_attrs_", "intermediate_values_")) or is_housekeeping(name)
    return ("housekeeping" if own else None), name


def _is_ray(columns: set[str]) -> bool:
    return _starting(columns, "config/") > 0 or {"training_iteration", "trial_id", "done"} <= columns


def _read_ray(name: str) -> _Reading:
    if name.startswith("config/"):
        return "hyperparameter", name.removeprefix("config/")
    if name == "status":
        return "status", name
    if is_housekeeping(name):
        return "housekeeping", name
    return ("metric" if name == "loss" or is_outcome(name) else None), name


def _is_mlflow(columns: set[str]) -> bool:
    prefixed = _starting(columns, "params.", "metrics.", "tags.mlflow.")
    return prefixed > 1 or (prefixed > 0 and bool({"run_id", "experiment_id"} & columns)) or _is_page(columns)


def _is_page(columns: set[str]) -> bool:
    """Whether MLflow's page wrote the table: parameters and metrics have no prefix in it."""
    return {"Run ID", "Status", "Start Time"} <= columns


def _read_mlflow(name: str) -> _Reading:
    if name.startswith(("tags.mlflow.", "metrics.system/")):
        return "housekeeping", name
    for prefix, role in (("params.", "hyperparameter"), ("metrics.", "metric"), ("tags.", "tag")):
        if name.startswith(prefix):
            return role, name.removeprefix(prefix)
    if name.lower() == "status":
        return "status", name
    return ("housekeeping" if is_housekeeping(name) else None), name


#: Columns with which the table of runs on the site of Weights & Biases begins.
_SITE = {"Name", "Agent", "State", "Notes", "User", "Tags", "Created", "Runtime", "Sweep"}


def _is_wandb(columns: set[str]) -> bool:
    configured, summed = _starting(columns, "config."), _starting(columns, "summary.")
    return bool(configured and summed) or configured > 1 or ("State" in columns and len(columns & _SITE) > 2)


def _read_wandb(name: str) -> _Reading:
    prefix, _, bare = name.partition(".")
    if (prefix in ("config", "summary") and bare.startswith("_")) or name.startswith("_"):
        return "housekeeping", name
    if prefix in ("config", "summary") and bare:
        return ("hyperparameter" if prefix == "config" else "metric"), bare
    if name in ("State", "state"):
        return "status", name
    return ("housekeeping" if name in _SITE or is_housekeeping(name) else None), name


_TOOLS: tuple[tuple[str, Callable[[set[str]], bool], Callable[[str], _Reading]], ...] = (
    (RAY_TUNE, _is_ray, _read_ray),
    (MLFLOW, _is_mlflow, _read_mlflow),
    (WANDB, _is_wandb, _read_wandb),
    (OPTUNA, _is_optuna, _read_optuna),
)
