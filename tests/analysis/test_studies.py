"""Several studies in one report keep their own analyses, names and files."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.info import StudyInfo
from analysis.sections.all_sections import build_sections
from analysis.sections.overview import overview_section
from analysis.sections.studies import study_gaps
from analysis.studies import ComparedStudy, compare_studies
from analysis.table import build_table
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
    gap = next(item for item in found.comparisons if item.arm == "infonce (long)" and item.score == "mean")
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


def test_the_cards_say_what_the_studies_did_differently() -> None:
    long = study("long", seeds=(0, 1, 2))
    table = long.table.assign(hp_epochs=50, device="cuda", numerics_version=3, probe_id="other")
    short = study("short")
    found = compare_studies([short, dataclasses.replace(long, table=table)]).only
    assert found is not None
    cards = {card.title: card for card in build_sections(found)["fairness"].cards}
    assert cards["Budget of the studies differs"].level == "fail"
    assert cards["Budget of the studies differs"].text == "epochs: short 12; long 50."
    assert cards["Seeds of the studies differs"].text == "seed: short 0, 1; long 0, 1, 2."
    assert "device: short cpu; long cuda" in cards["Hardware of the studies differs"].text
    assert cards["Protocol of the studies"].level == "pass"  # one study did not record the probe


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


def test_studies_that_name_no_data_share_it() -> None:
    assert compare_studies([study("a", data=None), study("b", data=None)]).only is not None


def other_metric(info: StudyInfo) -> StudyInfo:
    return dataclasses.replace(info, metric=dataclasses.replace(info.metric, reports="test_knn_accuracy"))


def test_what_cannot_be_compared_is_named() -> None:
    one, two = study("one"), study("two")
    with pytest.raises(ValueError, match="studies: got 1; at least two"):
        compare_studies([one])
    with pytest.raises(ValueError, match="data: two names no data set, where others do"):
        compare_studies([one, study("two", data=None)])
    imported = dataclasses.replace(two.info, imported=True)
    with pytest.raises(ValueError, match="name its column of data sets by --data of `study import`"):
        compare_studies([one, dataclasses.replace(study("two", data=None), info=imported)])
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
