"""Several studies in one report keep their own analyses, names and files."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.card import Card
from analysis.fairness.checks import check_fairness
from analysis.fairness.studies import study_cards
from analysis.model.info import SettingInfo, StudyInfo, Value
from analysis.model.meaning import Meaning
from analysis.model.table import build_table
from analysis.report.sections.all_sections import build_sections
from analysis.report.sections.data_sets.overview import overview_section
from analysis.report.sections.data_sets.studies import study_gaps
from analysis.report.verdict import study_verdict
from analysis.report.verdict_data_sets import failed_on_data_sets
from analysis.report.verdict_lines import verdict_lines
from analysis.statistics.comparisons.loss_values import AVERAGE
from analysis.studies import ComparedStudy, compare_studies
from tests.analysis import synthetic


def study(name: str, *, peak: float = 0.8, data: str | None = "digits", **changes: object) -> ComparedStudy:
    """InfoNCE and DHEL; `changes` are those of the plan."""
    arms = [synthetic.arm_info("infonce", title="InfoNCE"), synthetic.arm_info("dhel")]
    planned = synthetic.plan(arms, **changes)
    hill = synthetic.hill(peak=peak, at=0.3, width=5.0)
    records = synthetic.run(planned, {"infonce": hill, "dhel": hill}).assign(data=data)
    seeds = tuple(sorted(planned["seed"].unique()))
    info = synthetic.study_info(arms, seeds=seeds, name=name, null_controls=(("infonce", "dhel"),))
    return ComparedStudy(name=name, table=build_table(planned, records), info=info)


def test_studies_on_the_same_data_are_arms_of_one_space() -> None:
    found = compare_studies([study("short"), study("long", peak=0.9)]).only
    assert found is not None
    assert [arm.name for arm in found.info.arms] == [
        "InfoNCE (short)",
        "dhel (short)",
        "InfoNCE (long)",
        "dhel (long)",
    ]
    assert found.info.reference_arm.label == "infonce (short)"
    assert found.decisions is not None
    gap = found.decisions.of("infonce (long)", AVERAGE)
    assert gap is not None
    assert gap.difference.value == pytest.approx(0.1)
    assert len(found.null_controls) == 2
    assert found.info.name == "short and long"


def test_trials_that_both_share_count_in_both() -> None:
    one = study("one")
    found = compare_studies([one, dataclasses.replace(one, name="other")]).only
    assert found is not None
    assert len(found.table) == 2 * len(one.table)
    assert found.summaries["dhel (one)"].finished == found.summaries["dhel (other)"].finished == 30


def test_the_same_loss_is_compared_over_what_both_have() -> None:
    wide = study("wide", seeds=(0, 1, 2))
    narrow = study("narrow", peak=0.9, seeds=(1, 2, 3), batch_sizes=(64, 512))
    found = compare_studies([wide, narrow]).only
    assert found is not None
    gaps = list(study_gaps(found))
    assert [(gap.loss, gap.study, gap.first) for gap in gaps] == [
        ("InfoNCE", "narrow", "wide"),
        ("dhel", "narrow", "wide"),
    ]
    assert gaps[0].mean.value == gaps[0].tuned.value == pytest.approx(0.1)
    assert (len(gaps[0].aligned.codes), gaps[0].aligned.left_out) == (5, 15)
    assert gaps[0].aligned.seeds.tolist() == [1, 2]
    assert "studies" in build_sections(found)


def of_kernel(one: ComparedStudy, kernel: str) -> ComparedStudy:
    """A study whose losses have the main axis of that kernel."""
    arms = []
    for arm in one.info.arms:
        main = dataclasses.replace(arm.main, meaning=Meaning(of=f"kernel {kernel} of kcl"))
        arms.append(dataclasses.replace(arm, axes=(arm.x, main)))
    return dataclasses.replace(one, info=one.info.with_arms(tuple(arms)))


def test_one_label_of_two_kernels_is_not_compared_configuration_by_configuration() -> None:
    imq, log = of_kernel(study("one"), "imq"), of_kernel(study("other"), "log")
    same = compare_studies([imq, of_kernel(study("other"), "imq")]).only
    apart = compare_studies([imq, log]).only
    assert same is not None
    assert apart is not None
    assert (len(list(study_gaps(same))), list(study_gaps(apart))) == (2, [])
    elsewhere = of_kernel(study("other", data="cifar10"), "log")
    assert compare_studies([imq, elsewhere]).aligned("infonce") is None


def test_the_cards_say_what_the_studies_did_differently() -> None:
    long = study("long", seeds=(0, 1, 2))
    table = long.table.assign(device="cuda", numerics_version=3)
    short = study("short")
    short = dataclasses.replace(short, table=short.table.assign(numerics_version="2"))
    found = compare_studies([short, dataclasses.replace(long, table=table)]).only
    assert found is not None
    cards = {card.title: card for card in build_sections(found)["fairness"].cards}
    assert cards["Studies differ in numerics"].level == "fail"
    assert cards["Studies differ in numerics"].text == "numerics version: 2 in short, 3 in long."
    assert cards["Studies differ in seeds"].level == "fail"
    assert cards["Studies differ in seeds"].text == (
        "The studies share 2 seeds (0 and 1), and comparisons use only these: 0 and 1 in short, 0, 1 and 2 in long."
    )
    assert cards["Studies differ in hardware"].level == "warn"
    assert "device: cpu in short, cuda in long" in cards["Studies differ in hardware"].text


def setting(name: str, *values: Value, group: str = "network", **changes: object) -> SettingInfo:
    """A setting with these values for every loss."""
    facts = {"name": name, "label": name.replace(".", " "), "group": group, "values": {"": values}}
    return SettingInfo(**{**facts, **changes})


def with_settings(one: ComparedStudy, *settings: SettingInfo, **changes: object) -> ComparedStudy:
    return dataclasses.replace(one, info=dataclasses.replace(one.info, settings=settings, **changes))


def compared(*settings: Sequence[SettingInfo], **changes: object) -> dict[str, Card]:
    """The cards on studies A, B and so on with these settings."""
    infos = tuple(
        dataclasses.replace(study("A").info, name=name, settings=tuple(each), **changes)
        for name, each in zip("ABC", settings, strict=False)
    )
    table = pd.concat([study("A").table.copy().assign(study=info.name) for info in infos])
    info = dataclasses.replace(infos[0], compared=infos)
    return {card.title: card for card in study_cards(info, table)}


def test_a_setting_that_differs_fails_with_both_values() -> None:
    both = [[setting("encoder.width", width), setting("encoder.name", "small")] for width in (32, 64)]
    card = compared(*both)["Studies differ in network"]
    assert (card.level, card.text) == ("fail", "encoder width: 32 in A, 64 in B.")
    three = [[setting("encoder.width", width)] for width in (32, 64, 32)]
    assert compared(*three)["Studies differ in network"].text == "encoder width: 32 in A and C, 64 in B."


def test_a_setting_that_agrees_is_told() -> None:
    card = compared(*[[setting("encoder.width", 32)]] * 2)["Studies agree in network"]
    assert (card.level, card.text) == ("pass", "The same: encoder width 32.")


def test_values_that_round_alike_are_told_in_full() -> None:
    card = compared([setting("lr", 0.12341)], [setting("lr", 0.12342)])["Studies differ in network"]
    assert card.text == "lr: 0.12341 in A, 0.12342 in B."


def test_a_setting_that_both_sweep_is_compared_as_a_space() -> None:
    wide = tuple(float(value) for value in range(1, 11))
    found = compared([setting("batch_size", 8, 16)], [setting("batch_size", *wide)])
    assert "Studies differ in network" not in found
    assert found["Studies differ in space"].level == "fail"
    assert found["Studies differ in space"].text.startswith(
        "batch_size: 8 and 16 in A, 1 to 10 (10 values) in B. "
    )
    fixed = compared([setting("batch_size", 8, 16)], [setting("batch_size", 8)])
    assert fixed["Studies differ in network"].text == "batch_size: 8 and 16 in A, 8 in B."


def test_settings_of_a_loss_are_compared_for_the_losses_of_both() -> None:
    one = setting("gamma", group="losses", values={"kcl": (16.0,), "own": (1.0,)})
    other = setting("gamma", group="losses", values={"kcl": (2.0,), "else": (3.0,)})
    card = compared([one], [other])["Studies differ in losses"]
    assert card.text == "gamma of kcl: 16 in A, 2 in B."


def test_a_difference_that_need_not_matter_warns() -> None:
    pair = [[setting("probe.suite", text, doubt="the metric does not use it")] for text in ("a", "a, b")]
    card = compared(*pair)["Studies differ in network"]
    assert (card.level, card.text) == (
        "warn",
        "probe suite: a in A, a, b in B (the metric does not use it).",
    )


def test_hashes_of_content_are_told_where_no_setting_explains_them() -> None:
    pair = [[setting("content", text, digest=True), setting("limit", 200)] for text in ("aa", "bb")]
    assert compared(*pair)["Studies differ in network"].text == "content: aa in A, bb in B."
    pair = [[setting("content", text, digest=True), setting("limit", text)] for text in ("aa", "bb")]
    assert compared(*pair)["Studies differ in network"].text == "limit: aa in A, bb in B."


def test_what_only_some_studies_tell_is_listed_once() -> None:
    found = compared([setting("encoder.width", 32)], [setting("training.epochs", 12)], imported=True)
    card = found["Not recorded by every study"]
    assert card.level == "warn"
    assert card.text == (
        "Not recorded, so it may differ, by A: training epochs, data, budget, training, evaluation, "
        "numerics and code; by B: encoder width, data, budget, training, evaluation, numerics and code."
    )
    assert "Studies differ in network" not in found


def test_a_table_has_a_setting_under_its_column() -> None:
    file = setting("training.epochs", 12, column="epochs", label="budget in epochs", group="budget")
    card = compared([file], [setting("epochs", 50)])["Studies differ in budget"]
    assert card.text == "budget in epochs: 12 in A, 50 in B."


def test_failed_cards_stand_in_the_verdict() -> None:
    one, other = (
        with_settings(study(name), setting("encoder.width", width)) for name, width in (("A", 32), ("B", 64))
    )
    found = compare_studies([one, other]).only
    assert found is not None
    said = "Failed check “Studies differ in network”: encoder width: 32 in A, 64 in B."
    assert study_verdict(found).failed[0] == verdict_lines(study_verdict(found))[0] == said


def test_failed_cards_of_studies_on_other_data_stand_in_the_verdict() -> None:
    one, other = (
        with_settings(
            study(data, data=data),
            setting("encoder.width", width),
            setting("train_limit", width, group="data"),
        )
        for data, width in (("digits", 32), ("cifar10", 64))
    )
    found = compare_studies([one, other])
    assert failed_on_data_sets(found) == [
        "Failed check “Studies differ in network”: encoder width: 32 in digits, 64 in cifar10."
    ]


def test_studies_without_a_shared_seed_fail_in_one_line() -> None:
    found = compare_studies([study("A"), study("B", seeds=(7, 8))]).only
    assert found is not None
    [said] = [text for text in study_verdict(found).failed if "Failed check" in text]
    assert said == (
        "Failed check “No shared seeds”: The studies share no seed, so their losses cannot be compared in pairs: "
        "0 and 1 in A, 7 and 8 in B."
    )


def test_losses_of_one_study_are_held_against_each_other_within_it() -> None:
    """The studies have different budgets, but each gives all its losses the same one."""
    one, other = study("A"), study("B")
    other = dataclasses.replace(other, table=other.table.assign(hp_epochs=50))
    found = compare_studies([one, other]).only
    assert found is not None
    assert not [card.title for card in check_fairness(found) if card.title.startswith("Budget differs")]
    uneven = other.table.assign(hp_epochs=np.where(other.table["arm"] == "dhel", 50, 12))
    found = compare_studies([one, dataclasses.replace(other, table=uneven)]).only
    assert found is not None
    [card] = [card for card in check_fairness(found) if card.title.startswith("Budget differs")]
    assert (card.level, card.title) == ("fail", "Budget differs, in B")


def test_other_data_become_environments_in_which_losses_keep_their_names() -> None:
    found = compare_studies([study("a", data="digits"), study("b", data="cifar10", peak=0.7)])
    assert list(found.findings) == ["digits", "cifar10"]
    assert found.losses == {"infonce": ["digits", "cifar10"], "dhel": ["digits", "cifar10"]}
    aligned = found.aligned("dhel")
    assert aligned is not None
    assert len(aligned.codes) == 15
    assert not any("data:" in card.text for card in overview_section(found).cards)


def test_each_data_set_counts_failures_as_its_own_worst() -> None:
    ten, hundred = study("ten", data="a"), study("hundred", data="b")
    metric = dataclasses.replace(hundred.info.metric, worst=0.01)
    hundred = dataclasses.replace(hundred, info=dataclasses.replace(hundred.info, metric=metric))
    found = compare_studies([ten, hundred])
    assert [item.info.metric.worst for item in found.findings.values()] == [0.1, 0.01]


@pytest.mark.parametrize("guess_first", [False, True])
@pytest.mark.parametrize(
    ("guessed", "worst", "source", "withholds"),
    [(0.05, 0.05, "the worst finished value", True), (0.3, 0.1, "chance of 10 classes", False)],
)
def test_the_source_of_the_worst_value_is_that_of_the_study_that_gives_it(
    guess_first: bool, guessed: float, worst: float, source: str, withholds: bool
) -> None:
    """A study whose failures count as chance, and a table without --worst."""
    known, table = study("known"), study("table")
    chance = dataclasses.replace(known.info.metric, worst=0.1, worst_source="chance of 10 classes")
    guess = dataclasses.replace(
        chance, worst=guessed, worst_source="the worst finished value", worst_guess="--worst gives the value"
    )
    failed = table.table["trial_id"].isin(table.table["trial_id"].head(2))
    rows = table.table.assign(status=table.table["status"].mask(failed, "diverged"))
    studies = [
        dataclasses.replace(known, info=dataclasses.replace(known.info, metric=chance)),
        dataclasses.replace(table, table=rows, info=dataclasses.replace(table.info, metric=guess)),
    ]
    found = compare_studies(studies[::-1] if guess_first else studies).only
    assert found is not None
    metric = found.info.metric
    assert (metric.worst, metric.worst_source, bool(metric.worst_guess)) == (worst, source, withholds)
    titles = [card.title for card in check_fairness(found) if card.level == "fail"]
    assert ("Value of failures, in table" in titles) == withholds


def test_a_search_beside_a_grid_has_no_scores_over_the_space() -> None:
    search = study("search")
    search = dataclasses.replace(search, info=dataclasses.replace(search.info, drawn=True, adaptive=True))
    found = compare_studies([study("grid"), search]).only
    assert found is not None
    assert found.adaptive
    assert np.isnan(found.summaries["dhel (grid)"].mean.value)


@pytest.mark.parametrize(("other", "joined"), [(True, True), (False, False)])
def test_studies_of_drawn_places_stay_drawn_together(other: bool, joined: bool) -> None:
    """The joined study counts as drawn only if both studies do."""
    one, two = (
        dataclasses.replace(each, info=dataclasses.replace(each.info, drawn=drawn))
        for each, drawn in ((study("sobol"), True), (study("other"), other))
    )
    found = compare_studies([one, two]).only
    assert found is not None
    assert found.info.drawn == joined


def test_a_study_that_names_no_data_is_on_the_data_of_the_others() -> None:
    found = compare_studies([study("a"), study("b", data=None)])
    assert list(found.findings) == ["digits"]
    assert found.only is not None
    assert found.only.summaries["dhel (b)"].finished == 30


def test_studies_that_name_no_data_share_it() -> None:
    assert compare_studies([study("a", data=None), study("b", data=None)]).only is not None


def other_metric(info: StudyInfo) -> StudyInfo:
    return dataclasses.replace(info, metric=dataclasses.replace(info.metric, reports="test_knn_accuracy"))


def test_what_cannot_be_compared_is_named() -> None:
    one, two = study("one"), study("two")
    with pytest.raises(ValueError, match="studies: got 1; at least two"):
        compare_studies([one])
    other = study("other", data="cifar10")
    with pytest.raises(ValueError, match="data: two names no data set, where others have digits and cifar10"):
        compare_studies([one, other, study("two", data=None)])
    imported = dataclasses.replace(two.info, imported=True)
    with pytest.raises(ValueError, match="name its column of data sets by --data of `study import`"):
        compare_studies([one, other, dataclasses.replace(study("two", data=None), info=imported)])
    with pytest.raises(
        ValueError, match="in one metric, which --metric and --selects of `study import` name"
    ):
        compare_studies([one, dataclasses.replace(two, info=other_metric(imported))])
    with pytest.raises(ValueError, match="metric: one has reporting column test_probe10_accuracy, two has"):
        compare_studies([one, dataclasses.replace(two, info=other_metric(two.info))])


def test_a_study_without_any_result_stands_there_as_such() -> None:
    planned = synthetic.plan([synthetic.arm_info("infonce")])
    info = synthetic.study_info([synthetic.arm_info("infonce")], name="new")
    new = ComparedStudy(
        name="new", table=build_table(planned, pd.DataFrame()).assign(data="digits"), info=info
    )
    found = compare_studies([study("old"), new]).only
    assert found is not None
    assert found.summaries["infonce (new)"].missing == 30
