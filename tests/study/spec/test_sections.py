"""Tables of the study file follow from the declarations of the configuration, with their checks."""

import dataclasses
from typing import Any

import pytest
from pydantic import ValidationError

from study.spec.reference import key_tables
from study.spec.section import config_of, section_of
from study.spec.tasks.protocol import StudyTask
from study.spec.tasks.registry import TASKS
from tests.trainables.nested_settings import Head, Network
from trainables import config
from trainables.settings import declared_fields, setting
from trainables.trial import TASK_KINDS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimiser:
    """A table with every kind of check."""

    name: str = setting(doc="Its name.", choices=("sgd", "adam"))
    rate: float = setting(0.1, doc="Its rate.", gt=0)
    warmup: int | None = setting(None, doc="Steps.", ge=1)
    nesterov: bool = setting(False, doc="Nesterov momentum.")
    widths: tuple[int, ...] = setting((8, 8), doc="Widths.", ge=1, le=9, min_length=1)
    layers: tuple[str, ...] = setting(("all",), doc="Which layers.", choices=("all", "head"), min_length=1)
    betas: tuple[float, float] = setting(
        (0.9, 0.9), doc="Two decays.", min_length=2, max_length=2, ge=0, lt=1
    )


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"name": "sdg"}, "'sgd' or 'adam'"),
        ({"name": "sgd", "rate": 0}, "greater than 0"),
        ({"name": "sgd", "rate": float("inf")}, "finite"),
        ({"name": "sgd", "rate": "0.1"}, "got '0.1', must be a number"),
        ({"name": "sgd", "warmup": True}, "got True, must be a number"),
        ({"name": "sgd", "warmup": 0}, "greater than or equal to 1"),
        ({"name": "sgd", "nesterov": "yes"}, "got 'yes', must be true or false"),
        ({"name": "sgd", "nesterov": 1}, "got 1, must be true or false"),
        ({"name": "sgd", "layers": ["all", "all"]}, "got 'all' more than once"),
        ({"name": "sgd", "layers": []}, "at least 1 item"),
        ({"name": "sgd", "layers": ["tail"]}, "'all' or 'head'"),
        ({"name": "sgd", "widths": []}, "at least 1 item"),
        ({"name": "sgd", "widths": [8, 0]}, "greater than or equal to 1"),
        ({"name": "sgd", "widths": [10]}, "less than or equal to 9"),
        ({"name": "sgd", "widths": ["8"]}, "valid integer"),
        ({"name": "sgd", "widths": [True]}, "valid integer"),
        ({"name": "sgd", "betas": [0.9]}, "at least 2 items"),
        ({"name": "sgd", "betas": [0.9, 0.9, 0.9]}, "at most 2 items"),
        ({"name": "sgd", "betas": [0.9, 1]}, r"betas\.1\n.* less than 1"),
        ({"name": "sgd", "betas": [0.9, "0.9"]}, "valid number"),
        ({"name": "sgd", "betas": [0.9, False]}, "valid number"),
        ({"name": "sgd", "betas": [0.9, float("nan")]}, "finite"),
        ({"name": "sgd", "speed": 1}, "not permitted"),
        ({}, "required"),
    ],
)
def test_a_table_checks_what_is_declared(keys: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        section_of(Optimiser).model_validate(keys)


def test_a_table_has_the_defaults_that_are_declared() -> None:
    table = section_of(Optimiser).model_validate({"name": "adam"})
    assert table.model_dump() == {
        "name": "adam",
        "rate": 0.1,
        "warmup": None,
        "nesterov": False,
        "widths": (8, 8),
        "layers": ("all",),
        "betas": (0.9, 0.9),
    }


def test_numbers_of_a_list_may_repeat() -> None:
    assert section_of(Optimiser).model_validate({"name": "sgd", "betas": [0, 0]}).betas == (0, 0)


def test_a_table_within_a_table_is_one_too() -> None:
    table = section_of(Network).model_validate({"depth": 2, "head": {"widths": [4, 2]}})
    assert table.model_dump() == {"depth": 2, "head": {"widths": (4, 2), "bias": True}}
    assert config_of(Network, table.model_dump()) == Network(depth=2, head=Head(widths=(4, 2)))
    assert config_of(Network, section_of(Network).model_validate({}).model_dump()) == Network()
    with pytest.raises(ValidationError, match=r"head\.width"):
        section_of(Network).model_validate({"head": {"width": [4]}})


def test_what_is_swept_may_be_left_out() -> None:
    table = section_of(Optimiser, without=("layers",), optional=("name",)).model_validate({})
    assert table.model_dump() == {
        "name": None,
        "rate": 0.1,
        "warmup": None,
        "nesterov": False,
        "widths": (8, 8),
        "betas": (0.9, 0.9),
    }


def test_every_key_of_a_setting_is_in_the_reference() -> None:
    keys = {key.name for table in key_tables() for key in table.keys}
    swept_alone = {"batch_size", "pool", "keep", "refresh"}
    named = {each.name for task in config.TASKS.values() for each in declared_fields(task)}
    assert named - swept_alone <= keys


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_complete(name: str) -> None:
    """A new task is a configuration, a file of the study's side and one of the trial's side, each in its registry."""
    task = TASKS[name]
    assert issubclass(task, StudyTask)
    assert task.config_type is config.TASKS[name], f"{name}: config_type is not its configuration"
    assert name in TASK_KINDS, f"{name}: trainables.trial.TASK_KINDS has no runner for it"
    assert task.spec_type.model_fields["task"].annotation is not str, f"{name}: its spec does not fix `task`"
    assert not task.__abstractmethods__, f"{name}: {sorted(task.__abstractmethods__)} are missing"
    assert set(TASKS) == set(config.TASKS) == set(TASK_KINDS)


def test_a_key_that_the_configuration_lacks_is_never_dropped() -> None:
    with pytest.raises(TypeError, match="Network has no field width"):
        config_of(Network, {"depth": 2, "width": 9})
