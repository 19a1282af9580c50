"""Every number of a study file has limits: at them a value is allowed, and beyond them it is refused in one line."""

import math
from typing import Any

import pytest

from search_spaces.axes import listed
from study.errors import StudyError
from study.spec.faults import check_swept
from study.spec.section import section_with
from trainables.config import TASKS
from trainables.settings import Declared, declared_fields, without_none

NUMBERS = {
    f"{task}.{each.table}.{each.name}": each
    for task, config in TASKS.items()
    for each in declared_fields(config)
    if without_none(each.type) in (int, float)
}


def refusal(each: Declared, value: Any) -> str:
    """The line for a value; "" for an allowed one."""
    try:
        check_swept("here", section_with(each), listed(value))
    except StudyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_limits(name: str) -> None:
    each = NUMBERS[name]
    kind, bounds = without_none(each.type), each.setting.bounds
    if kind is float:
        low = bounds.get("ge", bounds.get("gt"))
        assert low is not None, "no lower bound"
        assert not refusal(each, math.nextafter(low, math.inf))
        assert refusal(each, math.nextafter(low, -math.inf)).startswith("here: got ")
        assert bool(refusal(each, float(low))) == ("gt" in bounds)
        if "le" in bounds:
            assert not refusal(each, bounds["le"])
            assert "must be at most" in refusal(each, math.nextafter(bounds["le"], math.inf))
        return
    if each.name not in ("train_limit", "test_limit", "pool", "keep", "refresh"):  # the data limits these
        assert not refusal(each, bounds["le"])
        assert "must be at most" in refusal(each, bounds["le"] + 1)
    assert not refusal(each, bounds["ge"])
    assert refusal(each, bounds["ge"] - 1) == f"here: got {bounds['ge'] - 1}, must be at least {bounds['ge']}"
    assert refusal(each, bounds["ge"] + 0.5) == f"here: got {bounds['ge'] + 0.5}, must be a whole number"


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused(name: str) -> None:
    each = NUMBERS[name]
    assert refusal(each, "1") == "here: got '1', must be a number"
    assert refusal(each, True) == "here: got True, must be a number"
    with pytest.raises(ValueError, match=r"got 1\.000e\+30, must be below 2\^63"):
        listed(10**30)
