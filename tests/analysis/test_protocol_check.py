"""The protocol check names what makes a comparison unfair, and says nothing where nothing is told."""

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.card import Card
from analysis.fairness.checks import check_fairness
from analysis.fairness.withheld import withheld
from analysis.model.info import BATCH_SIZE, ArmInfo, AxisInfo
from analysis.model.meaning import LOWER_TEMPERATURE, TEMPERATURE, Meaning
from analysis.report.verdict import study_verdict
from analysis.studies import ComparedStudy, compare_studies
from analysis.study_analysis import StudyAnalysis, analyse
from analysis.tables.build import table_study
from analysis.tables.evaluation_words import encoder_trained, is_best_epoch, names_test
from analysis.tables.mapping import build_mapping
from tests.analysis import synthetic
from tests.analysis.tables.example_table import KEYS, ROWS
from tests.analysis.tables.tables import table_findings
from tests.prose import assert_says

_SCALE = Meaning(of="kernel gaussian of kcl", larger_acts_as=LOWER_TEMPERATURE, law=(0.5, -1.0))


def arm(
    label: str, name: str = "hp_temperature", meaning: Meaning = TEMPERATURE, **changes: object
) -> ArmInfo:
    main = AxisInfo(name=name, label=name.removeprefix("hp_"), meaning=meaning)
    return synthetic.arm_info(label, axes=(BATCH_SIZE, main), title=label, **changes)


def findings(values: dict[str, tuple[float, ...]], **columns: object) -> StudyAnalysis:
    """A study of arms at these temperatures; `kcl` has kernel scales."""
    arms = [arm(label, "hp_t", _SCALE) if label == "kcl" else arm(label) for label in values]
    planned = pd.concat(
        [synthetic.plan([each], values=values[each.label]) for each in arms], ignore_index=True
    )
    surfaces = dict.fromkeys(values, synthetic.hill(peak=0.9, at=0.3, width=9.0))
    records = synthetic.run(planned, surfaces, noise=0.01, rng=np.random.default_rng(0))
    return analyse(planned.assign(**columns), records, synthetic.study_info(arms))


def cards(study: StudyAnalysis) -> dict[str, Card]:
    return {card.title: card for card in check_fairness(study)}


def test_one_temperature_each_and_not_the_same_withholds_the_verdict() -> None:
    study = findings({"simclr": (0.5,), "dcl": (0.1,), "kcl": (1.0,)})
    card = cards(study)["Temperatures differ"]
    assert (card.level, card.losses) == ("fail", ("dcl",))  # t = 1 is T = 0.5
    assert_says(card.text, "0.5 for simclr and kcl", "0.1 for dcl", "at one temperature")
    assert withheld(study.tried) == {"dcl": "temperature: 0.5 for simclr and kcl, 0.1 for dcl"}
    assert study.decisions is not None
    assert {item.loss for item in study.decisions.items if item.reason.startswith("temperature")} == {"dcl"}


def test_equal_temperatures_pass_by_their_equivalents() -> None:
    card = cards(findings({"simclr": (0.1, 0.5), "kcl": (1.0001, 5.0005)}))["Temperatures"]
    assert card.level == "pass"
    assert_says(card.text, "0.1", "0.5")


def test_equal_ranges_elsewhere_are_a_warning() -> None:
    study = findings({"simclr": (0.1, 0.4), "dcl": (0.2, 0.8)})
    card = cards(study)["Temperatures differ"]
    assert card.level == "warn"
    assert_says(card.text, "0.1 and 0.4 for simclr", "0.2 and 0.8 for dcl")
    assert withheld(study.tried) == {}


def test_what_the_space_says_is_not_said_twice() -> None:
    found = cards(findings({"simclr": (0.1, 0.4), "dcl": (0.1, 0.8)}))
    assert found["Space"].level != "pass"
    assert not {"Temperatures", "Temperatures differ"} & found.keys()


def test_losses_without_a_common_meaning_have_no_card() -> None:
    arms = [arm("simclr"), arm("kcl", "hp_t", Meaning(of="kernel imq of kcl"))]
    planned = synthetic.plan(arms)
    found = {
        card.title for card in check_fairness(analyse(planned, pd.DataFrame(), synthetic.study_info(arms)))
    }
    assert not {"Temperatures", "Temperatures differ"} & found


@pytest.mark.parametrize(
    ("rule", "facts"),
    [("linear", ["linear", "16 times from 16 to 256"]), ("sqrt", ["sqrt", "4 times from 16 to 256"])],
)
def test_a_rate_that_grows_with_the_batch_size_is_confounded_with_it(rule: str, facts: list[str]) -> None:
    card = cards(findings({"simclr": (0.5,), "dcl": (0.5,)}, hp_lr_rule=rule, hp_lr=0.1))[
        "Rate over batch size"
    ]
    assert card.level == "warn"
    assert_says(card.text, *facts, "not tuned at each batch size")


def test_one_rate_for_all_batch_sizes_is_confounded_too() -> None:
    card = cards(findings({"simclr": (0.5,), "dcl": (0.5,)}, hp_lr_rule="none", hp_lr=0.1))[
        "Rate over batch size"
    ]
    assert card.level == "warn"
    assert_says(card.text, "One learning rate for all batch sizes from 16 to 256")


def test_a_rate_swept_at_every_batch_size_passes() -> None:
    arms = [arm("simclr"), arm("dcl")]
    base = synthetic.plan(arms, values=(0.5,))
    parts = [base.assign(hp_lr=lr, trial_id=base["trial_id"] + f"/{lr}") for lr in (0.1, 0.3)]
    planned = pd.concat(parts, ignore_index=True).assign(hp_lr_rule="linear")
    planned["config_id"] += planned["hp_lr"].astype(str)
    info = synthetic.study_info(arms)
    assert cards(analyse(planned, pd.DataFrame(), info))["Rate over batch size"].level == "pass"
    at_one = planned[(planned["hp_lr"] == 0.1) | (planned["hp_batch_size"] == 16)]
    assert cards(analyse(at_one, pd.DataFrame(), info))["Rate over batch size"].level == "warn"


def test_one_batch_size_has_no_card_on_its_rate() -> None:
    arms = [arm("simclr"), arm("dcl")]
    planned = synthetic.plan(arms, values=(0.5,), batch_sizes=(64,)).assign(hp_lr_rule="linear")
    assert "Rate over batch size" not in cards(analyse(planned, pd.DataFrame(), synthetic.study_info(arms)))


def test_a_rate_tuned_for_one_loss_alone_is_named() -> None:
    arms = [arm("simclr", lr_tuned=False), arm("ours"), arm("dcl", lr_tuned=False)]
    planned = synthetic.plan(arms, values=(0.5,))
    card = cards(analyse(planned, pd.DataFrame(), synthetic.study_info(arms)))[
        "Learning rate tuned for one loss alone"
    ]
    assert card.level == "warn"
    assert_says(
        card.text, "Not tuned on this data and protocol: simclr and dcl", "The rate of ours was tuned"
    )


@pytest.mark.parametrize(
    ("metric", "data"),
    [
        ("best_test_acc", "on test data"),
        ("max_accuracy", "on data that it does not name"),
        ("test_acc", None),
        ("best_val_acc", None),
    ],
)
def test_a_column_that_is_a_maximum_by_its_name(metric: str, data: str | None) -> None:
    study = table_findings(ROWS.rename(columns={"acc": metric}), metric=metric)
    found = cards(study)
    title, other = "Maxima over epochs", "Evaluated epoch"
    assert (title in found, other in found) == (data is not None, data is None)
    if data:
        assert found[title].level == "warn"
        assert_says(found[title].text, metric, data)
    assert study_verdict(study).before == ((found[title].text,) if data else ())


@pytest.mark.parametrize(
    ("epoch", "title", "says"),
    [
        ("best_test", "Maxima over epochs", "The scores are maxima over epochs on test data"),
        ("last", "Evaluated epoch", "No test image chooses the epoch"),
    ],
)
def test_the_column_of_a_table_decides_before_its_name(epoch: str, title: str, says: str) -> None:
    study = table_findings(evaluated_at(epoch), metric="best_test_acc")
    found = cards(study)
    assert found.keys() & {"Maxima over epochs", "Evaluated epoch"} == {title}
    assert found[title].text.startswith(says)
    assert "By its name" not in found[title].text
    assert study_verdict(study).before == ((found[title].text,) if epoch == "best_test" else ())


def evaluated_at(epoch: str | None) -> pd.DataFrame:
    """The example in the columns of this package, with a metric that is a maximum by its name."""
    names = {"acc": "best_test_acc", "bs": "hp_batch_size", "tau": "hp_temperature"}
    return ROWS.rename(columns=names).assign(hp_evaluated_epoch=epoch)


def test_each_of_several_tables_has_the_card_of_its_own_column_or_name() -> None:
    parts = []
    for name, epoch in (("a", "last"), ("b", None), ("c", "best_test")):
        keys = build_mapping({**KEYS, "metric": "best_test_acc", "name": name})
        table, info = table_study(evaluated_at(epoch), keys)
        parts.append(ComparedStudy(name=name, table=table, info=info))
    study = compare_studies(parts).only
    assert study is not None
    found = {title: card.text for title, card in cards(study).items() if title.startswith("Maxima")}
    assert found.keys() == {"Maxima over epochs, in b", "Maxima over epochs, in c"}
    assert found["Maxima over epochs, in b"].startswith("By its name, best_test_acc is the best")
    assert found["Maxima over epochs, in c"].startswith("The scores are maxima")
    (told,) = (text for text in study_verdict(study).before if "best_test_acc" in text)
    assert told.startswith("The scores of simclr (c) and dhel (c) are maxima over epochs on test data")


def by_method(simclr: object, dhel: object) -> pd.Series:
    return ROWS["method"].map({"simclr": simclr, "dhel": dhel})


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("finetune", by_method(False, True)),
        ("freeze_backbone", by_method("yes", "no")),
        ("eval_protocol", by_method("linear", "fine-tuning")),
    ],
)
def test_a_loss_whose_encoder_was_not_frozen_is_not_compared(column: str, values: pd.Series) -> None:
    study = table_findings(ROWS.assign(**{column: values}))
    failed = [card for card in check_fairness(study) if card.level == "fail"]
    assert [(card.title, card.losses) for card in failed] == [
        ("Encoder not frozen for every loss", ("dhel",))
    ]
    assert_says(failed[0].text, f"By column {column}", "false for simclr, true for dhel")
    assert withheld(study.tried) == {"dhel": "labels train the encoder: false for simclr, true for dhel"}


def test_encoders_that_were_all_trained_are_a_warning_and_frozen_ones_nothing() -> None:
    card = cards(table_findings(ROWS.assign(frozen=0)))["Encoder not frozen"]
    assert card.level == "warn"
    assert_says(card.text, "those of fine-tuning")
    frozen = table_findings(ROWS.assign(frozen=1))
    assert not [card for card in check_fairness(frozen) if card.title.startswith("Encoder")]
    role = {name: each.role for each in frozen.info.columns for name in each.columns}
    assert role["frozen"] == "evaluation"


def test_a_compared_table_of_trained_encoders_is_withheld() -> None:
    parts = []
    for name, rows in (("a", ROWS), ("b", ROWS.assign(finetune=True))):
        table, info = table_study(rows, build_mapping({**KEYS, "name": name}))
        parts.append(ComparedStudy(name=name, table=table, info=info))
    study = compare_studies(parts).only
    assert study is not None
    card = cards(study)["Encoder not frozen for every loss"]
    assert (card.level, card.losses) == ("fail", ("dhel (b)", "simclr (b)"))


def test_a_table_whose_batch_sizes_have_rates_of_their_own() -> None:
    card = cards(table_findings(ROWS.assign(lr=ROWS["bs"] / 1000)))["Rate over batch size"]
    assert card.level == "warn"
    assert_says(card.text, "Each batch size from 32 to 64 has a learning rate of its own")


def test_a_table_with_several_rates_for_one_loss_alone() -> None:
    ours = ROWS[ROWS["method"] == "dhel"]
    rows = pd.concat([ROWS.assign(lr=0.1), ours.assign(lr=0.3)], ignore_index=True)
    card = cards(table_findings(rows))["Learning rate tuned for one loss alone"]
    assert card.level == "warn"
    assert_says(card.text, "Not tuned on this data and protocol: simclr", "The rate of dhel was tuned")


def test_words_of_evaluations() -> None:
    assert [is_best_epoch(name) for name in ("peakAccuracy", "acc.max", "test_at_best_val", "maxpool")] == [
        True,
        True,
        False,
        False,
    ]
    assert [names_test(name) for name in ("best/test-acc", "max_acc")] == [True, False]
    told = encoder_trained("Freeze Encoder", pd.Series([True, "0", None, "maybe"]))
    assert told is not None
    assert told.tolist() == [False, True, pd.NA, pd.NA]
    assert encoder_trained("freeze_layers", pd.Series([1, 0])) is None
    assert encoder_trained("frozen", pd.Series(["a", "b"])) is None
    assert encoder_trained("protocol", pd.Series(["linear", "knn"])) is None
