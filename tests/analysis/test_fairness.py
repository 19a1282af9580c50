"""The fairness checks pass a fair study and name each kind of unfairness, the gravest first."""

import dataclasses

import pandas as pd
import pytest

from analysis.fairness.card import Card
from analysis.fairness.checks import check_fairness
from analysis.fairness.settings import ordered
from analysis.model.info import BATCH_SIZE, AxisInfo
from analysis.study_analysis import analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study
from tests.prose import assert_says


def cards(planned: pd.DataFrame, records: pd.DataFrame, info: object) -> dict[str, Card]:
    return {card.title: card for card in check_fairness(analyse(planned, records, info))}


def test_a_fair_study_passes_where_it_should(study: Study) -> None:
    found = cards(*study)
    for title in ("Complete", "Failures", "Learning rates per loss", "Budget", "Protocol", "Hardware"):
        assert found[title].level == "pass"
    assert found["Few seeds"].level == "warn"
    assert_says(found["Steps over batch size"].text, "16 times")
    # 0.05 to 2 is a factor of 40, 0.25 to 16 one of 64
    assert found["Space"].level == "warn"
    assert_says(found["Space"].text, 40, 64)


def test_the_gravest_card_comes_first(study: Study) -> None:
    levels = [card.level for card in check_fairness(analyse(*study))]
    assert levels == sorted(levels, key=("fail", "warn", "pass").index)


@pytest.mark.parametrize(
    ("column", "title", "level"),
    [
        ("hp_epochs", "Budget differs", "fail"),
        ("data_fingerprint", "Protocol differs", "fail"),
        ("hp_precision", "Precision differs", "warn"),
        ("execution_mode", "Hardware differs", "warn"),
        ("git_revision", "Code differs", "warn"),
    ],
)
def test_what_differs_is_named(study: Study, column: str, title: str, level: str) -> None:
    planned, records, info = study
    odd, usual = (7, 12) if column == "hp_epochs" else ("b", "a")
    frame = planned if column in planned else records
    frame[column] = [odd] + [usual] * (len(records) - 1)
    card = cards(planned, records, info)[title]
    assert card.level == level
    words = {"data_fingerprint": "content of the data set: 2 different"}
    assert words.get(column, column.removeprefix("hp_").replace("_", " ")) in card.text


def test_shared_rates_and_missing_sources_are_warned_of(study: Study) -> None:
    planned, records, info = study
    shared = dataclasses.replace(info, arms=tuple(dataclasses.replace(arm, base_lr=0.1) for arm in info.arms))
    assert cards(planned, records, shared)["Learning rates shared"].level == "warn"
    bare = dataclasses.replace(info, arms=tuple(dataclasses.replace(arm, lr_source="") for arm in info.arms))
    assert cards(planned, records, bare)["Learning rates per loss"].level == "warn"


def test_rates_that_were_not_tuned_are_named(study: Study) -> None:
    planned, records, info = study
    first, second, third = info.arms
    arms = (first, dataclasses.replace(second, lr_tuned=False), third)
    card = cards(planned, records, dataclasses.replace(info, arms=arms))["Learning rates per loss"]
    assert card.level == "warn"
    assert_says(card.text, "Not tuned on this data and protocol: DHEL")
    shared = tuple(dataclasses.replace(arm, base_lr=0.1, lr_tuned=False) for arm in arms)
    card = cards(planned, records, dataclasses.replace(info, arms=shared))["Learning rates shared"]
    assert_says(card.text, "Not tuned on this data and protocol: InfoNCE, DHEL and KCL")


def test_a_swept_rate_needs_no_tuning() -> None:
    arm = synthetic.arm_info(
        "infonce", axes=(BATCH_SIZE, AxisInfo(name="hp_lr", label="base learning rate")), lr_tuned=False
    )
    planned = synthetic.plan([arm], values=(0.01, 0.1))
    assert cards(planned, pd.DataFrame(), synthetic.study_info([arm]))["Learning rates swept"].level == "pass"
    arm = synthetic.arm_info("infonce", lr_tuned=False)
    base = synthetic.plan([arm])
    parts = [base.assign(hp_lr=lr, trial_id=base["trial_id"] + f"/{lr}") for lr in (0.1, 0.3)]
    found = cards(pd.concat(parts), pd.DataFrame(), synthetic.study_info([arm]))
    assert found["Learning rates per loss"].level == "pass"


def test_a_budget_swept_for_every_loss_is_fair(study: Study) -> None:
    planned, records, info = study
    parts = [planned.assign(hp_epochs=n, trial_id=planned["trial_id"] + f"/{n}") for n in (12, 24)]
    both = pd.concat(parts, ignore_index=True)
    found = pd.concat([records.assign(trial_id=part["trial_id"]) for part in parts], ignore_index=True)
    card = cards(both, found.drop(columns="hp_epochs"), info)["Budget"]
    assert card.level == "pass"
    assert_says(card.text, "epochs 12 (90 trials)", "24 (90 trials)")
    fewer = both[(both["arm"] != "kcl") | (both["hp_epochs"] == 12)]
    assert cards(fewer, found.drop(columns="hp_epochs"), info)["Budget differs"].level == "fail"


def test_an_axis_that_is_not_positive_spans_a_range() -> None:
    arm = synthetic.arm_info("infonce", axes=(BATCH_SIZE, AxisInfo(name="hp_s", label="exponent s")))
    planned = synthetic.plan([arm], values=(-2000.0, 0.0, 2000.0))
    card = cards(planned, pd.DataFrame(), synthetic.study_info([arm]))["Space"]
    assert_says(card.text, "3 values", "range of 4000")


def test_an_optimum_on_the_edge_is_named() -> None:
    arm = synthetic.arm_info("infonce", title="InfoNCE")
    planned = synthetic.plan([arm])
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.9, at=0.01, width=9, slope=0.01)})
    info = synthetic.study_info([arm])
    card = cards(planned, records, info)["Optimum on the edge"]
    assert_says(card.text, "temperature 0.05 (InfoNCE)")
    failed = synthetic.fail(records, list(records["trial_id"]))
    assert "Optimum inside" in cards(planned, failed, info)


def test_other_seeds_and_batch_sizes_fail(study: Study) -> None:
    planned, records, info = study
    assert (
        cards(planned[(planned["arm"] != "kcl") | (planned["seed"] == 0)], records, info)["Seeds"].level
        == "fail"
    )
    other = planned[(planned["arm"] != "kcl") | (planned["hp_batch_size"] == 16)]
    assert cards(other, records, info)["Space"].level == "fail"


def test_a_loss_of_which_nothing_varies_is_not_compared_with_losses_that_have_a_range(study: Study) -> None:
    """Its price of not tuning would be that of the batch size alone."""
    planned, records, info = study
    one = planned[(planned["arm"] != "kcl") | (planned["hp_t"] == planned["hp_t"].max())]
    card = cards(one, records, info)["Space"]
    assert (card.level, card.losses) == ("fail", ("kcl",))
    assert_says(card.line, "hyperparameter of the loss", "5 values", "KCL 1 value")
    decisions = analyse(one, records, info).decisions
    assert decisions is not None
    assert {item.reason for item in decisions.items if item.loss == "kcl"} == {card.line}


def test_failures_of_the_machine_are_told_from_divergence(study: Study) -> None:
    planned, records, info = study
    assert cards(planned, records, info)["Failures"].text == "No trial failed."
    card = cards(planned, synthetic.fail(records, ["infonce-16-0-0"]), info)["Failures"]
    assert card.level == "warn"
    assert_says(card.text, "1 diverged", "worst outcome", "10.0")
    assert "machine" not in card.text
    card = cards(planned, synthetic.fail(records, ["infonce-16-0-0"], status="oom"), info)["Failures"]
    assert_says(card.text, "1 oom", "worst outcome", "10.0", "machine")


def test_one_seed_is_warned_of(study: Study) -> None:
    planned, records, info = study
    assert cards(planned[planned["seed"] == 0], records, info)["One seed"].level == "warn"


def test_changed_code_is_warned_of(study: Study) -> None:
    planned, records, info = study
    assert cards(planned, records.assign(git_revision="abc+"), info)["Code"].level == "warn"
    assert cards(planned, records.assign(git_revision="abc"), info)["Code"].level == "pass"


def imported(study: Study, *, records: dict | None = None) -> tuple:
    """The same study as a table of another tool, which tells nothing of how trials were run."""
    planned, found, info = study
    arms = tuple(dataclasses.replace(arm, base_lr=float("nan"), lr_source="") for arm in info.arms)
    known = found.drop(columns=["device", "hp_epochs"]).assign(**(records or {}))
    return planned.drop(columns="hp_epochs"), known, dataclasses.replace(info, arms=arms, imported=True)


def test_what_a_table_does_not_tell_is_warned_of(study: Study) -> None:
    found = cards(*imported(study))
    for question in ("Budget", "Protocol", "Precision", "Hardware", "Code", "Learning rates"):
        assert found[f"{question} not recorded"].level == "warn"
        assert question not in found
    assert not any("nothing recorded" in card.text for card in found.values())
    told = cards(*imported(study, records={"device": "cpu"}))
    assert_says(told["Hardware"].text, "every trial", "device cpu")


def test_a_loss_of_which_nothing_is_told_beside_others_is_named(study: Study) -> None:
    planned, records, info = imported(study, records={"device": "cpu"})
    records.loc[records["trial_id"].str.startswith("kcl"), "device"] = None
    card = cards(planned, records, info)["Hardware not recorded"]
    assert card.level == "warn"
    assert_says(card.text, "Not recorded of KCL", "the others: device cpu")


def test_our_own_trials_leave_empty_what_they_do_not_have(study: Study) -> None:
    planned, records, info = study
    assert cards(planned, records, info)["Precision"].level == "pass"
    nothing = tuple(
        dataclasses.replace(arm, base_lr=float("nan"), lr_source="nothing is trained") for arm in info.arms
    )
    card = cards(planned, records, dataclasses.replace(info, arms=nothing))["Learning rates per loss"]
    assert card.level == "pass"
    assert_says(card.text, "InfoNCE, DHEL and KCL (nothing is trained)")


def test_rates_that_only_some_tell_are_named(study: Study) -> None:
    planned, records, info = study
    first, *others = info.arms
    arms = (dataclasses.replace(first, base_lr=float("nan"), lr_source=""), *others)
    card = cards(planned, records, dataclasses.replace(info, arms=arms))["Learning rates per loss"]
    assert card.level == "warn"
    assert_says(card.text, "InfoNCE (not recorded)")


def test_seeds_of_an_unfinished_study_are_told() -> None:
    arms = [synthetic.arm_info("infonce"), synthetic.arm_info("dhel")]
    planned = synthetic.plan(arms, seeds=range(6))
    records = synthetic.run(
        planned, dict.fromkeys(("infonce", "dhel"), synthetic.hill(peak=0.9, at=0.3, width=5))
    )
    info = synthetic.study_info(arms, seeds=range(6))
    assert cards(planned, records, info)["Seeds"].level == "pass"
    lost = records["trial_id"].isin(["infonce-16-0-1", "dhel-64-2-4"])
    card = cards(planned, records[~lost], info)["Seeds unfinished"]
    assert card.level == "warn"
    assert_says(card.text, "6 seeds", "4 of them")


def test_choices_of_single_seeds_on_an_edge_are_told() -> None:
    """All seeds together choose the middle; two of five single seeds like the end best."""
    arm = synthetic.arm_info("infonce", title="InfoNCE")
    planned = synthetic.plan([arm], seeds=range(5))
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.7, at=0.316, width=9, slope=0.01)})
    column = "val_probe10_accuracy"
    at_end = records["trial_id"].isin(["infonce-64-4-1", "infonce-64-4-3"])
    middle = records["trial_id"].isin([f"infonce-64-2-{seed}" for seed in (0, 2, 4)])
    records.loc[at_end | middle, column] = 0.95
    card = cards(planned, records, synthetic.study_info([arm], seeds=range(5)))["Optimum near the edge"]
    assert card.level == "warn"
    assert_says(card.text, "InfoNCE 2 of 5 at temperature 2")


def test_values_of_settings_are_distinct_and_in_order() -> None:
    assert ordered([10, 9, 10.0, "auto", 0.5]) == (0.5, 9, 10.0, "auto")
    assert [str(value) for value in ordered([1, True, False, 1])] == ["False", "True", "1"]
    assert ordered(["b", "10", "9"]) == ("9", "10", "b")
