"""The section on failures gives rates, their cost and the worst place, and is absent without a failure."""

import numpy as np
import pytest

from analysis.report.sections.trials.failures import failures_section
from analysis.statistics.scores.failure_rates import wilson
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study


@pytest.fixture
def failing(study: Study) -> StudyAnalysis:
    """One of the two seeds of one KCL configuration failed."""
    planned, records, info = study
    return analyse(planned, synthetic.fail(records, ["kcl-16-0-0"]), info)


def test_rates_by_configuration_and_over_the_space(failing: StudyAnalysis) -> None:
    content = failures_section(failing)
    rates, costs = content.data["failure_rates"], content.data["failure_costs"].set_index("arm")
    failed = rates[rates["failed"] > 0]
    assert len(rates) == sum(len(cells.weights) for cells in failing.cells.values())
    assert failed[["arm", "failed", "tried", "rate"]].to_numpy().tolist() == [["kcl", 1, 2, 0.5]]
    low, high = wilson(np.array([1]), np.array([2]))
    assert failed[["low", "high"]].to_numpy().tolist() == [[low[0], high[0]]]
    cells = failing.cells["kcl"]
    at = int(np.argmax(cells.failed.any(axis=1)))
    assert costs.loc["kcl", "rate"] == pytest.approx(cells.weights[at] / 2)
    assert costs.loc["infonce", "rate"] == 0


def test_the_cost_is_the_paired_difference_of_the_averages(failing: StudyAnalysis) -> None:
    costs = failures_section(failing).data["failure_costs"].set_index("arm")
    summary = failing.summaries["kcl"]
    assert costs.loc["kcl", "mean"] == pytest.approx(summary.mean.value)
    assert costs.loc["kcl", "mean_without_failures"] == pytest.approx(summary.mean_finished.value)
    assert costs.loc["kcl", "cost"] == pytest.approx(summary.mean_finished.value - summary.mean.value)
    assert costs.loc["dhel", "cost"] == 0


def test_the_page_names_the_worst_place_and_draws_the_losses_that_failed(failing: StudyAnalysis) -> None:
    content = failures_section(failing)
    shown = next(table for table in content.tables if table.title == "How often, and at what cost")
    worst = {row[0].text: row[2] for row in shown.rows}
    assert worst["KCL"].text == "50.0"
    assert "batch size 16" in worst["KCL"].below
    assert worst["DHEL"].text == "0.0"
    figure = content.figures["failure_rates"].build()
    assert figure is not None
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["KCL"]


def test_without_a_failure_there_is_neither_table_nor_figure(findings: StudyAnalysis) -> None:
    content = failures_section(findings)
    assert not content.figures
    assert content.tables == ()
    assert content.facts == (("Failed trials", "None of 90."),)
    assert (content.data["failure_rates"]["failed"] == 0).all()
