"""Helpers of the tasks that check configurations and build them from fixed and swept values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces.space import Point
from study.errors import MissingRate
from study.spec.arm_space import LR_KEY
from study.spec.schema import POINTS_KEY, SelectionSection
from trainables.config import AXES, BUDGETS, SELECTION_AXIS, SelectionConfig
from trainables.settings import declared_axes
from trainables.suggestion import first_names

#: The most losses that a message names.
_NAMED = 20

#: The smallest batch: a pair alone has no negatives.
LEAST_BATCH: int = AXES["batch_size"].setting.bounds["ge"]


def by_table(config: type, swept: Point) -> dict[str, Point]:
    """The swept values of a task by the table of its configuration: "" for the task itself, `training`, ..."""
    tables: dict[str, Point] = defaultdict(dict)
    for name, axis in declared_axes(config).items():
        if name in swept:
            tables[axis.table][name] = swept[name]
    return tables


def one_budget(fixed: Mapping[str, Any], swept: Point, names: Iterable[str] = BUDGETS) -> dict[str, Any]:
    """The training values of a spec, with swept values replacing fixed ones. A swept budget replaces a fixed one."""
    replaced = dict.fromkeys(names) if set(BUDGETS) & set(swept) else {}
    return {**fixed, **replaced, **swept}


def raise_missing_rates(losses: Mapping[str, Mapping[str, Any]], otherwise: str) -> None:
    """Raise `MissingRate` for the losses whose tables, or points, give no learning rate.

    `otherwise` says why they need one or where it belongs.
    """
    missing = [
        f"losses.{label}.{LR_KEY}"
        for label, table in losses.items()
        if LR_KEY not in table and not all(LR_KEY in point for point in table.get(POINTS_KEY, ({},)))
    ]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MissingRate(f"{first_names(missing, _NAMED)}: {verb} missing; {otherwise}")


def selection_of(section: SelectionSection, swept: Point) -> SelectionConfig:
    """The selection of a configuration, with the swept method if there is one, else the method of the spec."""
    method = swept.get(SELECTION_AXIS)
    return section.config(None if method is None else str(method))
