import dataclasses

import numpy as np
import pytest

from analysis.findings import Findings, analyse
from analysis.statistics.measure import axis_weights, cell_weights, log_width
from tests.analysis import synthetic


@pytest.mark.parametrize("values", [[16, 64, 256], np.geomspace(0.05, 2, 5), [0.5]])
def test_equal_log_steps_weigh_alike(values: list[float]) -> None:
    np.testing.assert_allclose(axis_weights(np.array(values)), 1 / len(values))


def test_a_value_counts_for_half_the_way_to_its_neighbours() -> None:
    # gaps 1, 1 and 2 in the logarithm: widths 1, 1, 1.5 and 2
    weights = axis_weights(np.exp([0.0, 1.0, 2.0, 4.0]))
    np.testing.assert_allclose(weights, np.array([1, 1, 1.5, 2]) / 5.5)


def test_crowded_points_do_not_count_more() -> None:
    crowded = np.array([1.0, 1.01, 1.02, 1.03, 100.0])
    assert axis_weights(crowded)[:4].sum() < 0.5


def test_an_axis_with_zero_is_linear() -> None:
    np.testing.assert_allclose(axis_weights(np.array([0.0, 1.0, 2.0])), 1 / 3)
    assert log_width(np.array([-1.0, 3.0])) == 4


def test_cells_that_nobody_planned_have_no_weight(findings: Findings) -> None:
    surface = findings.test["infonce"]
    status = surface.status.copy()
    status[0, 0] = "unplanned"
    weights = cell_weights(dataclasses.replace(surface, status=status))
    assert weights[0, 0] == 0
    np.testing.assert_allclose(weights.ravel()[1:], 1 / 14)


def test_other_measures_are_uniform_in_the_value_or_over_values() -> None:
    values = np.array([1.0, 2.0, 10.0])
    np.testing.assert_allclose(axis_weights(values, "linear"), np.array([2, 9, 16]) / 27)
    np.testing.assert_allclose(axis_weights(values, "each"), 1 / 3)


def test_scores_weigh_the_space_by_the_measures_that_a_study_names() -> None:
    """The mean over the space is that of the cells, weighed; the other scores stay."""
    arm = synthetic.arm_info("infonce")
    planned = synthetic.plan([arm], values=[0.05, 0.1, 1.0])
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.9, at=0.05, width=5.0)})
    named = dataclasses.replace(arm, measures=("log", "linear"))
    by_log, by_value = (analyse(planned, records, synthetic.study_info([each])) for each in (arm, named))
    surface = by_value.test["infonce"]
    cells = surface.scored(by_value.info.chance).mean(axis=2)
    expected = cells.mean(axis=0) @ axis_weights(surface.y, "linear")
    assert by_value.summaries["infonce"].mean.value == pytest.approx(expected)
    assert by_value.summaries["infonce"].mean.value < by_log.summaries["infonce"].mean.value
    assert by_value.summaries["infonce"].tuned.estimate == by_log.summaries["infonce"].tuned.estimate
