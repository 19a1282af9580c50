"""Every field of the configuration declares itself once, and what follows from declarations is sound."""

import dataclasses
import doctest
from typing import Any

import pytest

from tests.trainables.nested_settings import Head, Network
from tests.trainables.tiny_trial import example
from trainables import settings
from trainables.config import AXES, BUDGETS, SETTING_COLUMNS, TASKS, TrainingConfig, task_columns
from trainables.settings import (
    AXIS_NUMBERS,
    declared_axes,
    declared_columns,
    declared_fields,
    setting,
    setting_columns,
    without_none,
)
from trainables.store.schema import TrialRecord, record_schema


def all_fields() -> list[Any]:
    return [each for task in TASKS.values() for each in declared_fields(task)]


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_every_field_is_declared(task: type) -> None:
    """A field without a declaration is a table of declared fields."""
    todo = [task]
    while todo:
        for spec in dataclasses.fields(todo.pop()):
            if "setting" not in spec.metadata:
                assert dataclasses.is_dataclass(spec.type), f"{task.__name__}.{spec.name} is not declared"
                todo.append(spec.type)


def test_every_declaration_says_what_the_field_means() -> None:
    assert [each.name for each in all_fields() if not each.setting.doc] == []


def test_every_number_that_records_hold_has_a_unit() -> None:
    numbers = [
        each for each in all_fields() if without_none(each.type) in (int, float) and each.setting.column
    ]
    assert [each.name for each in numbers if not each.setting.unit] == []


def test_an_axis_has_a_column_of_its_name_and_a_number_of_its_own() -> None:
    axes = [each for each in all_fields() if each.setting.axis is not None]
    assert {each.setting.column for each in axes} == {f"hp_{each.axis_name}" for each in axes}
    numbers = {(each.axis_name, each.setting.axis) for each in axes}
    assert len(numbers) == len({name for name, _ in numbers}) == len({number for _, number in numbers})
    assert {number for _, number in numbers} <= set(AXIS_NUMBERS)


def test_numbers_of_axes_never_change() -> None:
    """They decide which coordinate of a drawn point is whose: another number draws other points."""
    numbers = {name: each.setting.axis for name, each in AXES.items()}
    assert numbers == {
        "batch_size": 1, "lr": 2, "epochs": 3, "steps": 4, "samples": 5, "weight_decay": 6, "momentum": 7,
        "warmup_fraction": 8, "selection": 9, "n_pairs": 10, "dim": 11, "defect": 12, "defect_level": 13,
        "view_cosine": 14,
    }  # fmt: skip


def test_fields_of_one_column_have_one_type() -> None:
    types: dict[str, Any] = {}
    for each in all_fields():
        if each.setting.column:
            assert types.setdefault(each.setting.column, without_none(each.type)) == without_none(each.type)


def test_every_column_of_a_setting_is_one_of_the_record() -> None:
    names = {spec.name for spec in dataclasses.fields(TrialRecord)}
    assert set(SETTING_COLUMNS) <= names
    assert set(BUDGETS) == {name for name in BUDGETS if f"hp_{name}" in names}


def test_a_record_column_has_the_type_and_unit_of_its_setting() -> None:
    field = record_schema().field("hp_momentum")
    assert (str(field.type), field.metadata[b"unit"]) == ("double", b"1")


def test_columns_of_a_task_are_known_before_its_trial_runs() -> None:
    training = TrainingConfig(batch_size=32, lr=0.1, steps=4)
    assert setting_columns(training)["hp_batch_size"] == 32
    assert setting_columns(training)["hp_optimizer"] == "sgd"
    sphere = TASKS["sphere"]
    (training_type,) = (spec.type for spec in dataclasses.fields(sphere) if spec.name == "training")
    task = sphere(n_pairs=4, dim=3, training=training_type(batch_size=2, lr=0.5, steps=1))
    columns = task_columns(task)
    assert (columns["hp_optimizer"], columns["hp_n_pairs"], columns["hp_selection"]) == ("sgd", 4, "shuffle")


def test_columns_of_settings_that_another_replaces_are_empty() -> None:
    def columns(**settings: Any) -> tuple[float | None, float | None]:
        training = TrainingConfig(batch_size=32, lr=0.1, epochs=4, **settings)
        found = task_columns(dataclasses.replace(example().task, training=training))
        return found["hp_momentum"], found["hp_warmup_fraction"]

    assert columns() == columns(optimizer="lars") == (0.9, 0.1)
    assert columns(optimizer="adam") == (None, 0.1)
    assert columns(optimizer="adamw", warmup_epochs=1, momentum=0.8) == (None, None)
    assert columns(warmup_epochs=0) == (0.9, None)


def test_lists_and_nested_tables_can_be_declared() -> None:
    columns = setting_columns(Network(depth=3, head=Head(widths=(8, 4))))
    assert columns == {"hp_depth": 3, "hp_widths": "[8, 4]", "hp_bias": True}
    assert list(declared_axes(Network)) == ["depth", "bias"]
    assert list(declared_columns(Network)) == ["hp_depth", "hp_widths", "hp_bias"]


def test_a_setting_without_a_default_is_required() -> None:
    with pytest.raises(TypeError, match="batch_size"):
        TrainingConfig(lr=0.1, steps=4)  # type: ignore[call-arg]


def test_a_label_is_the_name_in_words_unless_it_is_declared() -> None:
    assert AXES["weight_decay"].label == "weight decay"
    assert AXES["batch_size"].label == "batch size, pairs"


@pytest.mark.parametrize("number", [0, 16, 47, 64])
def test_a_number_that_no_axis_may_have_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"axis: got {number}"):
        setting(1.0, doc="Example.", axis=number)


def test_a_field_knows_the_table_that_holds_it() -> None:
    assert {each.name: each.table for each in declared_fields(Network)} == {
        "depth": "",
        "widths": "head",
        "bias": "head",
    }


def test_axes_of_images_lie_in_tables_that_configurations_are_built_from() -> None:
    """A task applies the swept values of these tables; an axis in another one would have no effect."""
    assert {axis.table for axis in declared_axes(TASKS["images"]).values()} <= {
        "training",
        "selection",
        "encoder",
    }


def test_the_example_of_the_docstring_holds() -> None:
    found = doctest.testmod(settings)
    assert (found.attempted > 0, found.failed) == (True, 0)
