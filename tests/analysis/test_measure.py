import dataclasses

import numpy as np
import pytest

from analysis.findings import Findings
from analysis.measure import axis_weights, cell_weights, log_width


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
