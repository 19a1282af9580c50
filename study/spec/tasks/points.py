"""Helpers of the tasks that check configurations and build them from fixed and swept values."""

from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces.space import Point
from study.errors import StudyError
from study.spec.schema import SelectionSection
from trainables.config import BUDGETS, SELECTION_AXIS, Scalar, SelectionConfig


def is_integer(value: Scalar) -> bool:
    """Whether a value is a whole number, written as 8 or 8.0."""
    return not isinstance(value, (bool, str)) and float(value).is_integer()


def check_rate(lr: Any) -> None:
    """Raises `StudyError` unless a learning rate is a number above 0."""
    if isinstance(lr, (str, bool)) or not lr > 0:
        raise StudyError(f"lr: got {lr!r}, must be a number above 0")


def one_budget(fixed: Mapping[str, Any], swept: Point, names: Iterable[str] = BUDGETS) -> dict[str, Any]:
    """The training values of a spec, with swept values replacing fixed ones. A swept budget replaces a fixed one."""
    replaced = dict.fromkeys(names) if set(BUDGETS) & set(swept) else {}
    return {**fixed, **replaced, **swept}


def selection_of(section: SelectionSection, swept: Point) -> SelectionConfig:
    """The selection of a configuration, with the swept method if there is one, else the method of the spec."""
    method = swept.get(SELECTION_AXIS)
    return section.config(None if method is None else str(method))
