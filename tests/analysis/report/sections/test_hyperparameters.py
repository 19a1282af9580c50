"""The section on hyperparameters states level and units, needs three seeds, and scores slopes on other seeds."""

import numpy as np
import pytest

from analysis.report.sections.hyperparameters.correlations import correlations_section
from analysis.report.sections.hyperparameters.hyperparameters import hyperparameters_section
from analysis.report.sections.space.steps import steps_section
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

STATED = "95 %, over seeds, for these configurations"


def findings(seeds: int) -> StudyAnalysis:
    arm = synthetic.arm_info("a")
    planned = synthetic.plan([arm], seeds=tuple(range(seeds)))
    hill = synthetic.hill(peak=0.9, at=0.3, width=5.0)
    records = synthetic.run(planned, {"a": hill}, noise=0.01, rng=np.random.default_rng(0))
    return analyse(planned, records, synthetic.study_info([arm], seeds=tuple(range(seeds))))


@pytest.mark.parametrize("seeds", [2, 3])
def test_importance_needs_three_seeds(seeds: int) -> None:
    """Below, a sentence instead of a table without a number; gains stand either way."""
    content = hyperparameters_section(findings(seeds))
    assert content is not None
    titles = [shown.title for shown in content.tables]
    assert ("Importance" in titles) is (seeds == 3)
    assert any("they need 3 seeds" in text for text in content.sentences) is (seeds == 2)
    assert "Gain of tuning it" in titles
    if seeds == 3:
        row = content.tables[0].rows[0]
        assert row[2].below == "too few seeds"
        assert "–" not in [cell.text for cell in row[2:4]]


def test_leads_tell_level_and_unit_of_intervals() -> None:
    for section in (hyperparameters_section, steps_section, correlations_section):
        content = section(findings(5))
        assert content is not None
        assert STATED in content.lead


def test_the_slope_at_the_tuned_value_is_held_out() -> None:
    content = steps_section(findings(5))
    assert content is not None
    assert "pairs of seeds" in content.data["steps"]["elasticity_fixed_interval"].iloc[0]
