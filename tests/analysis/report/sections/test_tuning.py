"""The section on tuning gives the gaps of a known surface, and parity only where two losses share seeds and space."""

import dataclasses

import numpy as np
import pytest

from analysis.report.sections.tuning.tuning import tuning_section
from analysis.report.sections.tuning.tuning_gaps import BUDGET
from analysis.study_analysis import StudyAnalysis, analyse, analyse_table
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, Study

SEEDS = tuple(range(6))


@pytest.fixture
def decided() -> StudyAnalysis:
    """Three losses without noise to speak of: the surfaces are what is measured."""
    arms = [synthetic.arm_info("infonce"), synthetic.arm_info("dhel"), synthetic.arm_info("kcl", kernel=True)]
    planned = synthetic.plan(arms, seeds=SEEDS)
    records = synthetic.run(planned, SURFACES, noise=1e-6, rng=np.random.default_rng(0))
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS))


def test_gaps_are_those_of_the_surface(decided: StudyAnalysis) -> None:
    """With all of the space tried, tuned is the best cell; random is the mean; default its own cell."""
    content = tuning_section(decided)
    assert content is not None
    gaps = content.data["tuning_gaps"].fillna({"budget": 0}).set_index(["arm", "budget"])
    for label, cells in decided.cells.items():
        means, row = cells.test.mean(axis=1), gaps.loc[(label, 0)]
        summary = decided.summaries[label]
        assert row["tuned"] == pytest.approx(means.max(), abs=1e-4)
        assert row["gap_to_default"] == pytest.approx(means.max() - means[summary.default.at], abs=1e-4)
        assert row["gap_to_random"] == pytest.approx(means.max() - means @ cells.weights, abs=1e-4)
        assert row["gap_to_worst_tenth"] == pytest.approx(means.max() - summary.worst.value, abs=1e-4)
        assert gaps.loc[(label, BUDGET), "tuned"] < row["tuned"]


def test_the_page_shows_gains_at_one_budget_with_intervals(decided: StudyAnalysis) -> None:
    content = tuning_section(decided)
    assert content is not None
    shown = content.tables[1]
    assert shown.title == f"What tuning gains with {BUDGET} trials"
    assert len(shown.rows) == len(decided.cells)
    assert all(cell.below.startswith("[") for row in shown.rows for cell in row[1:])
    assert all(row[4].text.startswith("+") for row in shown.rows)  # above the worst tenth


def test_no_trials_to_parity_between_losses_on_different_seeds(study: Study) -> None:
    planned, records, info = study
    shifted = planned["seed"] + 10 * (planned["arm"] == "dhel")
    found = tuning_section(analyse(planned.assign(seed=shifted), records, info))
    assert found is not None
    below = {row[0].text: row[-1].below for row in found.tables[0].rows}
    assert below["DHEL"] == "different seeds"
    assert below["KCL"] != "different seeds"


def test_no_interval_of_parity_on_a_part_of_the_space(decided: StudyAnalysis) -> None:
    """Every seed lacks another cell of DHEL: its curve covers the rest, and nothing is sure."""
    table = decided.table.copy()
    for seed in SEEDS:
        rows = table.index[(table["arm"] == "dhel") & (table["seed"] == seed)]
        table.loc[rows[seed], ["status", "test_probe10_accuracy", "val_probe10_accuracy"]] = np.nan
    info = dataclasses.replace(decided.info, reference="infonce")
    found = tuning_section(analyse_table(table, info))
    assert found is not None
    row = next(row for row in found.tables[0].rows if row[0].text == "dhel")
    assert row[1].below.startswith("provisional: over")
    assert row[-1].below.startswith("provisional: over")
