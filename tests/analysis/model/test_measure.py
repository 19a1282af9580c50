"""The measure of the space gives the weights of cells: equal for equal log steps, 0 for points outside the plan."""

import dataclasses

import numpy as np
import pytest

from analysis.model.weights import axis_weights, density_ratio, log_width
from analysis.study_analysis import analyse
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


def test_cells_that_nobody_planned_have_no_weight() -> None:
    arm = synthetic.arm_info("infonce")
    planned = synthetic.plan([arm])
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.9, at=0.3, width=5.0)})
    fewer = planned[planned["config_id"] != "infonce-16-0"]
    weights = analyse(fewer, records, synthetic.study_info([arm])).cells["infonce"].weights
    assert weights[0] == 0
    np.testing.assert_allclose(weights[1:], 1 / 14)


def test_other_measures_are_uniform_in_the_value_or_over_values() -> None:
    values = np.array([1.0, 2.0, 10.0])
    np.testing.assert_allclose(axis_weights(values, "linear"), np.array([2, 9, 16]) / 27)
    np.testing.assert_allclose(axis_weights(values, "each"), 1 / 3)


def test_scores_weigh_the_space_by_the_measures_that_a_study_names() -> None:
    """The mean over the space is the weighted mean of the cells; the tuned score does not change."""
    arm = synthetic.arm_info("infonce")
    planned = synthetic.plan([arm], values=[0.05, 0.1, 1.0])
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.9, at=0.05, width=5.0)})
    linear = dataclasses.replace(arm.main, measure="linear")
    named = dataclasses.replace(arm, axes=(arm.x, linear))
    by_log, by_value = (analyse(planned, records, synthetic.study_info([each])) for each in (arm, named))
    cells = by_value.cells["infonce"]
    means = cells.on_grid(cells.test.mean(axis=1))
    expected = means.mean(axis=0) @ axis_weights(cells.axes[1].values, "linear")
    assert by_value.summaries["infonce"].mean.value == pytest.approx(expected)
    assert by_value.summaries["infonce"].mean.value < by_log.summaries["infonce"].mean.value
    tuned = [found.summaries["infonce"].tuned.estimate.value for found in (by_value, by_log)]
    assert tuned[0] == tuned[1]


@pytest.mark.parametrize(("drawn", "measure"), [("log", "linear"), ("linear", "log"), ("each", "log")])
def test_drawn_points_integrate_by_the_named_measure(drawn: str, measure: str) -> None:
    """The weighted mean of values drawn under one measure equals the mean under the other."""
    rng = np.random.default_rng(0)
    listed = np.array([1.0, 2.0, 4.0, 16.0])
    draws = {
        "log": np.exp(rng.uniform(0, np.log(16), 40_000)),
        "linear": rng.uniform(1, 16, 40_000),
        "each": rng.choice(listed, 40_000),
    }
    values, at = np.unique(draws[drawn], return_inverse=True)
    weights = density_ratio(values, measure, drawn)[at]
    log_mean = 15 / np.log(16)
    expected = {"linear": 8.5, "log": log_mean if drawn == "linear" else listed @ axis_weights(listed)}
    assert (weights @ values[at]) / weights.sum() == pytest.approx(expected[measure], rel=0.02)
    assert (density_ratio(values, drawn, drawn) == 1).all()
