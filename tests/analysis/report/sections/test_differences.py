"""The section on differences corrects equality for all losses, and gives no verdict where trials are missing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.report.sections.space.differences import differences_section
from analysis.statistics.comparisons.compare import holm
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SEEDS = tuple(range(5))
LABELS = ("infonce", "a", "b", "c")


def findings(absent: Sequence[str] = ()) -> StudyAnalysis:
    """Four arms of one surface; without the trials `absent`."""
    arms = [synthetic.arm_info(label) for label in LABELS]
    planned = synthetic.plan(arms, seeds=SEEDS)
    hill = synthetic.hill(peak=0.9, at=0.3, width=8.0)
    rng = np.random.default_rng(0)
    records = synthetic.run(planned, dict.fromkeys(LABELS, hill), noise=0.03, rng=rng)
    info = synthetic.study_info(arms, seeds=SEEDS)
    return analyse(planned, records[~records["trial_id"].isin(absent)], info)


def decisions(found: StudyAnalysis) -> tuple[pd.DataFrame, list[list[str]]]:
    content = differences_section(found)
    assert content is not None
    below = [[cell.below for cell in row] for row in content.tables[0].rows]
    return content.data["decisions"].set_index("arm"), below


def test_equality_is_decided_for_all_losses_together() -> None:
    table, below = decisions(findings())
    assert table["equivalence_p_holm"].tolist() == list(holm(table["equivalence_p"].to_numpy()))
    assert (table["equivalence_p_holm"] > table["equivalence_p"]).any()
    assert (table["equivalence"] == "equivalent").tolist() == (table["equivalence_p_holm"] < 0.05).tolist()
    assert not any(text == "trials missing" for row in below for text in row)


def test_a_loss_with_missing_trials_gets_no_verdict_and_no_interval() -> None:
    table, below = decisions(findings(absent=["a-16-0-0"]))
    assert table["equivalence"].tolist() == ["incomplete", *table["equivalence"][1:]]
    assert "incomplete" not in table["equivalence"][1:].tolist()
    assert np.isnan(table.loc["a", "equivalence_p"])
    assert np.isnan(table.loc["a", "probability_of_improvement_low"])
    assert below[0][3:7] == ["trials missing"] * 4
    assert "trials missing" not in below[1]


def test_a_reference_with_missing_trials_leaves_all_open() -> None:
    table, _ = decisions(findings(absent=["infonce-16-0-0"]))
    assert table["equivalence"].tolist() == ["incomplete"] * 3


def test_the_level_and_the_unit_of_intervals_are_told() -> None:
    content = differences_section(findings())
    assert content is not None
    assert "95 %, over seeds; configurations as given" in content.lead
