"""Adaptive searches are reported by what tuning found, and no score of the whole space is given."""

import numpy as np
import pandas as pd
import pytest

from analysis.report.sections.all_sections import build_sections
from analysis.report.sections.space.scatter_figure import places_figure
from analysis.report.sections.tuning.search import best_so_far
from analysis.statistics.scores.robustness import ADAPTIVE
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.report.pages import told_of
from tests.prose import assert_says

#: Temperatures in the order in which a search asked for them; the best one is the third.
ASKED = (0.8, 0.1, 0.3, 0.25)
PEAK = synthetic.hill(peak=0.9, at=0.3, width=2.0)


def searched(
    seeds: tuple[int, ...] = (0, 1),
    adaptive: bool = True,
    drawn: bool = True,
    failed: tuple[str, ...] = (),
    status: str = "diverged",
) -> StudyAnalysis:
    arms = [synthetic.arm_info("infonce"), synthetic.arm_info("dhel")]
    parts = [synthetic.plan(arms, seeds=seeds, batch_sizes=(64,), values=[value]) for value in ASKED]
    for number, part in enumerate(parts):
        part["trial_id"] += f"-{number}"
        part["hp_batch_size"] = 16 * (number + 1)  # so that places are no grid
    planned = pd.concat(parts, ignore_index=True)
    records = synthetic.run(planned, {"infonce": PEAK, "dhel": PEAK})
    records = synthetic.fail(records, list(failed), status=status) if failed else records
    return analyse(planned, records, synthetic.study_info(arms, seeds=seeds, adaptive=adaptive, drawn=drawn))


def test_no_score_over_the_space_is_told() -> None:
    findings = searched()
    summary = findings.summaries["dhel"]
    for estimate in (summary.mean, summary.mean_finished, summary.worst, summary.tolerance):
        assert np.isnan(estimate.value)
        assert estimate.note == ADAPTIVE
    assert [(item.arm, item.reference) for item in findings.comparisons] == [("dhel", "infonce")]
    assert findings.decisions is None
    assert summary.tuned.estimate.value == pytest.approx(0.9)
    told = told_of(findings)
    assert "more robust" not in told
    assert "An adaptive search chose the configurations" in told
    assert not {"good_space", "tuning", "hyperparameters", "surfaces", "curves", "stability"} & set(
        build_sections(findings)
    )


def test_the_score_is_told_at_its_budget() -> None:
    content = build_sections(searched())["scores"]
    assert [column.title for column in content.tables[0].columns][3] == "Budget, configurations"
    assert content.tables[0].rows[0][3].text == "4"
    assert list(content.figures) == ["best_so_far", "tuned"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2)])
def test_the_best_so_far_goes_in_the_order_of_the_search(seeds: tuple[int, ...]) -> None:
    curve = [item.value for item in best_so_far(searched(seeds))["infonce"]]
    scores = [float(PEAK(np.array(64), np.array(value))) for value in ASKED]
    # hill() has its default slope of 0, so batch size does not matter
    assert curve == pytest.approx(np.maximum.accumulate(scores))


def test_what_the_search_stopped_is_not_missing() -> None:
    stopped = ("dhel-64-0-0-0", "dhel-64-0-1-0")
    findings = searched(failed=stopped, status="pruned")
    assert [summary.missing for summary in findings.summaries.values()] == [0, 0]
    told = told_of(findings)
    assert_says(told, "14 trials, none failed", "2 more stopped early")
    assert findings.summaries["dhel"].tuned.estimate.value == pytest.approx(0.9)
    card = next(card for card in build_sections(findings)["fairness"].cards if card.title == "Complete")
    assert_says(card.text, "All 16 planned trials", "stopped 2 of them early")


def test_searches_of_other_lengths_are_no_fair_comparison() -> None:
    findings = searched()
    shorter = findings.table[(findings.table["arm"] == "dhel") | (findings.table["hp_temperature"] < 0.5)]
    columns = ["trial_id", "config_id", "arm", "seed", "hp_batch_size", "hp_temperature", "hp_epochs"]
    again = analyse(shorter[columns], shorter.drop(columns="arm"), findings.info)
    card = next(
        card for card in build_sections(again)["fairness"].cards if card.title == "Budget of the searches"
    )
    assert card.level == "fail"
    assert_says(card.text, "3 for infonce", "4 for dhel")


@pytest.mark.parametrize(("adaptive", "drawn"), [(False, True), (True, True), (False, False)])
def test_places_without_a_grid_are_drawn_one_by_one(adaptive: bool, drawn: bool) -> None:
    findings = searched(
        adaptive=adaptive, drawn=drawn, failed=("dhel-64-0-0-0", "dhel-64-0-1-0", "dhel-64-0-1-1")
    )
    sections = build_sections(findings)
    assert "places" in sections
    assert "surfaces" not in sections
    figure = places_figure(findings)
    assert figure is not None
    infonce, dhel = figure.axes[:2]
    points = {place: np.ma.getdata(each.get_offsets()) for place, each in enumerate(infonce.collections)}
    assert sorted(points[1][:, 1]) == pytest.approx(sorted(ASKED))  # 0: not run, 1: with a score
    crosses, half_failed = (np.ma.getdata(dhel.collections[place].get_offsets()) for place in (2, 3))
    assert crosses[:, 1] == pytest.approx([0.8])
    assert half_failed[:, 1] == pytest.approx([0.1])
    assert infonce.get_xlabel() == "batch size, pairs"


def test_a_grid_has_surfaces_and_no_scatter(findings: StudyAnalysis) -> None:
    assert {"surfaces"} <= set(build_sections(findings))
    assert "places" not in build_sections(findings)
