"""The good share of the space does not depend on the other losses, and its reach is stated."""

import dataclasses

import numpy as np
import pytest

from analysis.report.sections.space.good_space import good_space_section
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SEEDS = (0, 1)


def findings(*, outlier: bool = False, bounds: tuple[float, float] = (0.0, 1.0)) -> StudyAnalysis:
    """Two arms, one trial of the second far out or not."""
    arms = [synthetic.arm_info("a"), synthetic.arm_info("b")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    records = synthetic.run(planned, dict.fromkeys(("a", "b"), synthetic.hill(peak=0.9, at=0.3, width=5.0)))
    if outlier:
        records.loc[records["trial_id"] == "b-16-0-0", "test_probe10_accuracy"] = 0.0
    info = synthetic.study_info(arms, seeds=SEEDS)
    return analyse(
        planned, records, dataclasses.replace(info, metric=dataclasses.replace(info.metric, bounds=bounds))
    )


def area(found: StudyAnalysis) -> float:
    content = good_space_section(found)
    assert content is not None
    return float(content.data["good_space"].set_index("arm").loc["a", "area"])


def test_a_trial_of_another_loss_moves_no_area() -> None:
    assert area(findings()) == area(findings(outlier=True))
    assert area(findings()) == pytest.approx(findings().summaries["a"].mean.value)


def test_without_bounds_the_area_reaches_as_far_as_scores_go_and_says_so() -> None:
    found = findings(outlier=True, bounds=(-np.inf, np.inf))
    assert area(found) != area(findings(bounds=(-np.inf, np.inf)))
    content = good_space_section(found)
    assert content is not None
    assert "moves the area of every loss" in content.lead
