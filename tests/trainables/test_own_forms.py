"""The three forms of a user's own loss give equal records, alone and in a stack."""

import dataclasses
import json
from typing import Any

import pytest

from study.launch.rerun import RUN_COLUMNS
from tests.trainables.sphere.small import records_of, sphere_trial
from tests.trainables.tiny_trial import tiny
from trainables.config import TrialConfig
from trainables.store.schema import Status, TrialRecord, record_to_table
from trainables.trial import run_trial

MODULE = "tests.trainables.own_forms"

#: Columns that name the loss, and so differ between equal losses.
_NAMED = {"trial_id", "config_id", "pretrain_id", "loss", "config", "seconds_selection"}


def results(record: TrialRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in RUN_COLUMNS | _NAMED}


def named(config: TrialConfig, form: str) -> TrialConfig:
    return dataclasses.replace(config, loss=dataclasses.replace(config.loss, name=f"{MODULE}:{form}"))


@pytest.mark.parametrize("form", ["Module", "function"])
@pytest.mark.parametrize(
    "example",
    [tiny(f"{MODULE}:Class", temperature=0.2), sphere_trial(f"{MODULE}:Class", steps=20, temperature=0.2)],
    ids=["images", "sphere"],
)
def test_a_trial_alone_has_the_record_of_the_dataclass_to_the_bit(example: TrialConfig, form: str) -> None:
    first, record = run_trial(example), run_trial(named(example, form))
    assert record.status == Status.OK, record.error_traceback
    assert results(record) == results(first)
    assert record.trial_id != first.trial_id
    record_to_table(record)


@pytest.mark.parametrize("task", ["images", "sphere"])
def test_a_stack_has_the_records_of_the_dataclass_to_the_bit(task: str) -> None:
    """In a stack of one form, and in one of all three."""
    new = tiny if task == "images" else sphere_trial
    configs = [new(f"{MODULE}:Class", seed=seed, temperature=t) for seed, t in ((0, 0.2), (0, 0.5), (1, 0.2))]
    stacked = [results(record) for record in records_of(*configs)]
    for form in ("Module", "function"):
        assert [results(record) for record in records_of(*(named(each, form) for each in configs))] == stacked
    forms = zip(configs, ("Module", "function", "Class"), strict=True)
    mixed = records_of(*(named(each, form) for each, form in forms))
    assert [record.execution_mode for record in mixed] == ["stacked:eager"] * 3
    assert [results(record) for record in mixed] == stacked


@pytest.mark.parametrize("form", ["Class", "Module", "function"])
def test_hyperparameters_are_columns_of_the_record(form: str) -> None:
    """Of their own where the schema has one of that type; a value of another type is kept as JSON."""
    record = run_trial(sphere_trial(f"{MODULE}:{form}", steps=2, form="sum", weight=2.0))
    assert (record.hp_temperature, record.hp_form) == (0.5, "sum")
    assert record.hp_other == {"weight": "2.0"}
    odd = run_trial(sphere_trial(f"{MODULE}:{form}", steps=2, form=True))
    assert odd.hp_form is None
    assert odd.hp_other is not None
    assert json.loads(odd.hp_other["form"]) is True
    record_to_table(odd)
