"""The section on stability repeats the score of the page for ranges as declared, and leaves out losses with gaps."""

from collections.abc import Sequence

import numpy as np
import pytest

from analysis.report.sections.content import Content
from analysis.report.sections.hyperparameters.stability import stability_section
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

SEEDS = tuple(range(5))


def findings(absent: Sequence[str] = (), *, planned_too: bool = True) -> StudyAnalysis:
    """Two arms; without the trials `absent`, as missing or as never planned."""
    arms = [synthetic.arm_info("whole"), synthetic.arm_info("gaps")]
    planned = synthetic.plan(arms, seeds=SEEDS)
    hills = dict.fromkeys(("whole", "gaps"), synthetic.hill(peak=0.9, at=0.3, width=5.0))
    records = synthetic.run(planned, hills, noise=0.01, rng=np.random.default_rng(0))
    kept = planned if planned_too else planned[~planned["trial_id"].isin(absent)]
    info = synthetic.study_info(arms, seeds=SEEDS)
    return analyse(kept, records[~records["trial_id"].isin(absent)], info)


def section(found: StudyAnalysis) -> Content:
    content = stability_section(found)
    assert content is not None
    return content


@pytest.mark.parametrize("planned_too", [True, False])
def test_a_loss_with_gaps_has_a_note_and_no_numbers(planned_too: bool) -> None:
    absent = ["gaps-16-0-0", "gaps-64-2-1"]
    (ranges,) = section(findings(absent, planned_too=planned_too)).tables
    assert {row[0].text for row in ranges.rows} == {"whole"}
    assert ranges.note.startswith("Not for gaps: trials are missing")


def test_as_declared_is_the_score_of_the_page() -> None:
    found = findings()
    content = section(found)
    assert content.tables[0].note == ""
    data = (
        content.data["range_stability"].query("variant == 'as declared'").set_index(["arm", "score"])["value"]
    )
    for label, summary in found.summaries.items():
        assert data[label, "average"] == pytest.approx(summary.mean.value)
        assert data[label, "worst 10 %"] == pytest.approx(summary.worst.value)
        assert data[label, "near own best, %"] == pytest.approx(summary.tolerance.value)


def test_some_of_every_range_is_near_its_best() -> None:
    data = section(findings()).data["range_stability"]
    # of the halves of five values, three have a share: at least a fifth of one value's
    assert data[data["score"] == "near own best, %"]["value"].min() > 0.05
