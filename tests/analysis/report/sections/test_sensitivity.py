"""The section on sensitivity tells a loss whose best place moves between data sets from one that is flat."""

import numpy as np
import pytest

from analysis.report.sections.hyperparameters.sensitivity import sensitivity_section, tuning_needs
from tests.analysis.data_sets import environments, rows


def test_a_loss_whose_best_moves_wants_tuning_and_a_flat_one_does_not() -> None:
    found = environments(rows({"one": 0.1, "two": 0.4}))
    needs = tuning_needs(found)
    # on each set: best 0.8, one of three steps away 0.7, two steps 0.6; 0.2 is 0.7 on both, so the mean is 0.7
    scales = [np.percentile([0.8, 0.7, 0.6, 0.8, 0.8, 0.8] * 2, [5, 95])] * 2
    width = scales[0][1] - scales[0][0]
    assert needs["a"].sensitivity.sensitivity.value == pytest.approx(0.1 / width)
    assert needs["b"].sensitivity.sensitivity.value == pytest.approx(0.0)
    assert [item.dimensionality and item.dimensionality.value for item in needs.values()] == [1, 0]
    row = sensitivity_section(found).tables[0].rows[0]
    assert [cell.text for cell in row[4:]] == ["1 of 2", "tau", "2", "6"]


def test_points_that_form_no_grid_have_no_dimensionality() -> None:
    table = rows({"one": 0.1, "two": 0.4})
    table = table[(table["batch"] == 32) | (table["tau"] == 0.1)]
    item = tuning_needs(environments(table, complete=True))["a"]
    assert item.dimensionality is None
    assert np.isfinite(item.sensitivity.sensitivity.value)


def test_other_seeds_on_each_data_set_leave_it_open() -> None:
    table = rows({"one": 0.1, "two": 0.4})
    table.loc[table["set"] == "two", "seed"] += 10
    content = sensitivity_section(environments(table))
    assert content.sentences == ("No loss has its sensitivity yet.",)
    assert content.tables[0].rows[0][3].below == "no shared seeds"
