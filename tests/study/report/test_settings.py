"""Every declared setting reaches the comparison of studies: from a plan, from records and from a table."""

import dataclasses
import json
from typing import Any

import pandas as pd
import pytest

from analysis.fairness.card import Card
from analysis.fairness.studies import study_cards
from analysis.model.info import ArmInfo, AxisInfo, SettingInfo, StudyInfo
from analysis.model.metric import Metric
from analysis.tables.mapping import build_mapping
from study.loaded import load_study
from study.report.settings import DIGESTS, planned_settings, with_settings
from tests.study.conftest import WriteStudy
from trainables.config import TASKS, ImagesTask, Provenance, canonical, canonical_json
from trainables.evaluation.probes import PROBES
from trainables.settings import Declared, declared_fields
from trainables.views.recipes import changed_recipe

FIELDS = [
    pytest.param(kind, each, id=f"{kind}-{each.path}")
    for kind, task in TASKS.items()
    for each in declared_fields(task)
]


def info(name: str) -> StudyInfo:
    axes = (AxisInfo(name="hp_batch_size"), AxisInfo(name="hp_temperature"))
    metric = Metric(name="probe10_accuracy", worst=0.1)
    return StudyInfo(name=name, metric=metric, arms=(ArmInfo(label="a", loss="dhel", axes=axes),), seeds=(0,))


def record(kind: str, **changes: Any) -> dict[str, Any]:
    """A record with only the configuration of its trial. A key such as `encoder.width` changes a field."""
    task: dict[str, Any] = {"kind": kind}
    for path, value in changes.items():
        table, _, name = path.rpartition(".")
        (task.setdefault(table, {}) if table else task)[name] = value
    config = json.dumps({"seed": 0, "loss": {"name": "dhel"}, "task": task})
    return {"arm": "a", "seed": 0, "status": "ok", "config": config}


def cards(one: dict[str, Any], other: dict[str, Any]) -> list[Card]:
    """The cards on two studies of one record each, without those that pass."""
    infos = tuple(with_settings(info(name), pd.DataFrame([row])) for name, row in (("A", one), ("B", other)))
    table = pd.DataFrame([{**one, "study": "A"}, {**other, "study": "B"}]).drop(columns="config")
    found = study_cards(dataclasses.replace(infos[0], compared=infos), table)
    return [card for card in found if card.title.startswith("Studies differ")]


@pytest.mark.parametrize(("kind", "each"), FIELDS)
def test_a_declared_setting_that_differs_is_named_with_both_values(kind: str, each: Declared) -> None:
    """It needs no code besides its declaration."""
    [card] = cards(record(kind, **{each.path: 3}), record(kind, **{each.path: 5}))
    label = each.words.replace(", ", " in ") + " of a" * (each.name == "lr")  # every loss has its own rate
    assert f"{label}: 3 in A, 5 in B" in card.text
    unused = each.table == "probe" and each.name not in PROBES["probe10"].settings
    assert card.level == ("warn" if unused else "fail")


def test_an_absent_field_has_its_default() -> None:
    assert cards(record("images"), record("images", **{"encoder.width": 16})) == []
    [card] = cards(record("images"), record("images", **{"encoder.width": 32}))
    assert (card.title, card.text) == ("Studies differ in network", "encoder width: 16 in A, 32 in B.")
    [card] = cards(record("images"), record("images", **{"data.train_limit": 200}))
    assert card.text == "training images: all in A, 200 in B."
    [card] = cards(record("images"), record("images", **{"encoder.head_hidden": []}))
    assert card.text.startswith("hidden layers of the projection head: ")
    assert "one of the encoder's width in A, none in B" in card.text
    [card] = cards(record("images"), record("images", **{"encoder.head_hidden": [512, 512]}))
    assert "one of the encoder's width in A, 512, 512 in B" in card.text


def test_a_written_out_recipe_of_views_is_told_by_its_changed_fields() -> None:
    written = canonical(changed_recipe("cifar", {"crop_scale": (0.2, 1.0), "grey_probability": 0.1}))
    [card] = cards(record("images", views="cifar"), record("images", views=written))
    assert card.text == "views: cifar in A, cifar with crop 0.2 to 1, grey 0.1 in B."
    assert card.level == "fail"


def test_a_plan_tells_all_settings_and_hashes(write_study: WriteStudy) -> None:
    plan = load_study(str(write_study()), "nowhere", None).plan
    found = {item.name: item for item in planned_settings(plan)}
    assert {each.path for each in declared_fields(ImagesTask)} <= set(found)
    assert found["encoder.width"].values == {"": (4,)}
    assert found["training.batch_size"].values == {"": (8, 16)}
    assert found["losses.temperature"].values == {"ntxent": (0.1, 0.5)}
    assert found["losses.t"].values == {"kcl": (2.0,)}
    assert found["losses.loss"].values == {"ntxent": ("ntxent",), "kcl": ("kcl",)}
    assert set(found["training.lr"].values) == {"ntxent", "kcl"}
    assert found["data.classes"].values == {"": ("all",)}
    assert found["probe.suite"].doubt
    assert not found["probe.draws"].doubt
    assert len(found["data_fingerprint"].values[""][0]) == 8


def test_the_neighbours_matter_to_every_metric_where_they_choose_the_epoch(write_study: WriteStudy) -> None:
    chosen = ("steps = 3", 'steps = 3\nevaluated_epoch = "best_test"')
    for changes, doubted in (((), True), ((chosen,), False)):
        plan = load_study(str(write_study(*changes)), "nowhere", None).plan
        found = {item.name: item for item in planned_settings(plan)}
        assert bool(found["probe.knn_k"].doubt) == doubted
        assert found["probe.sgd_lr"].doubt


@pytest.mark.parametrize("epoch", ["last", "best_test"])
def test_a_plan_and_its_records_tell_the_same(epoch: str, write_study: WriteStudy) -> None:
    study = write_study(("steps = 3", f'steps = 3\nevaluated_epoch = "{epoch}"'))
    plan = load_study(str(study), "nowhere", None).plan
    rows = pd.DataFrame(
        [
            {"arm": trial.arm, "config": canonical_json(trial.config), "config_id": trial.keys.config_id}
            for trial in plan.trials
        ]
    )
    told = {item.name: item for item in with_settings(info("A"), rows).settings}
    planned = {item.name: item for item in planned_settings(plan) if not item.digest}
    assert told == planned


def test_every_hash_of_the_provenance_is_compared() -> None:
    assert set(DIGESTS) == {field.name for field in dataclasses.fields(Provenance)}


def test_a_table_tells_its_hyperparameters_and_constant_columns() -> None:
    rows = pd.DataFrame(
        [
            {"loss": loss, "seed": seed, "tau": tau, "epochs": 12, "width": 32, "acc": 0.5 + seed + tau}
            for loss in ("a", "b")
            for seed in (0, 1)
            for tau in (0.1, 0.2)
        ]
    )
    mapping = build_mapping({"metric": "acc"})
    found = {item.name: item for item in with_settings(info("A"), rows, mapping).settings}
    assert found == {
        "training.epochs": SettingInfo(
            name="training.epochs",
            label="budget in epochs",
            group="budget",
            values={"": (12,)},
            column="epochs",
        ),
        "tau": SettingInfo(name="tau", label="tau", group="hyperparameters", values={"": (0.1, 0.2)}),
        "width": SettingInfo(
            name="width",
            label="width",
            group="other columns",
            values={"": (32,)},
            doubt="it may be no setting",
        ),
    }
