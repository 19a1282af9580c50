"""Surfaces hold every value at its axis values, and failed, missing and unplanned trials apart."""

import numpy as np
import pandas as pd
import pytest

from analysis.model.surface import build_surface
from analysis.model.table import build_table
from tests.analysis import synthetic

METRIC = "test_probe10_accuracy"
ARMS = [synthetic.arm_info("infonce"), synthetic.arm_info("kcl", kernel=True)]
PLANNED = synthetic.plan(ARMS)
HILL = synthetic.hill(peak=0.9, at=0.3, width=5.0, slope=0.01)
RECORDS = synthetic.run(PLANNED, {"infonce": HILL, "kcl": HILL})


def table(records: pd.DataFrame = RECORDS, arm: str = "infonce") -> pd.DataFrame:
    rows = build_table(PLANNED, records)
    return rows[rows["arm"] == arm]


def test_values_stand_at_their_axis_values() -> None:
    surface = build_surface(table(), METRIC)
    assert surface.values.shape == (3, 5, 2)
    assert surface.x.tolist() == [16, 64, 256]
    expected = HILL(surface.x[:, None], surface.y[None, :])
    np.testing.assert_allclose(surface.values, np.repeat(expected[..., None], 2, axis=-1))
    assert (surface.status == "ok").all()


def test_row_order_does_not_matter() -> None:
    shuffled = table().sample(frac=1, random_state=1)
    np.testing.assert_array_equal(
        build_surface(shuffled, METRIC).values, build_surface(table(), METRIC).values
    )


def test_each_arm_has_its_own_main_axis() -> None:
    surface = build_surface(table(arm="kcl"), METRIC, y="hp_t")
    np.testing.assert_allclose(surface.y, synthetic.KERNEL_SCALES)


def test_failed_and_missing_trials_are_nan_with_their_status() -> None:
    records = synthetic.fail(RECORDS, ["infonce-16-0-1"], status="oom").drop(2)
    surface = build_surface(table(records), METRIC)
    assert surface.status[0, 0].tolist() == ["ok", "oom"]
    assert surface.status[0, 1].tolist() == ["missing", "ok"]
    assert np.isnan(surface.values[0, 0, 1])
    assert np.isnan(surface.values[0, 1, 0])
    assert surface.failed.sum() == surface.missing.sum() == 1


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_finished_trial_without_finite_score_is_a_failure(score: float) -> None:
    records = RECORDS.copy()
    records.loc[0, METRIC] = score
    surface = build_surface(table(records), METRIC)
    assert surface.status[0, 0, 0] == "no_score"
    assert surface.failed[0, 0, 0]
    assert np.isnan(surface.values[0, 0, 0])


def test_a_score_of_a_failed_trial_is_not_used() -> None:
    records = RECORDS.copy()
    records.loc[0, "status"] = "diverged"
    assert np.isnan(build_surface(table(records), METRIC).values[0, 0, 0])


def test_a_pruned_trial_counts_as_missing() -> None:
    surface = build_surface(table(synthetic.fail(RECORDS, ["infonce-16-0-0"], status="pruned")), METRIC)
    assert surface.missing[0, 0, 0]
    assert not surface.failed.any()


def test_an_empty_main_axis_holds_the_default() -> None:
    planned = PLANNED[PLANNED["arm"] == "infonce"].groupby(["hp_batch_size", "seed"], as_index=False).first()
    rows = build_table(planned.drop(columns="hp_temperature"), RECORDS.drop(columns="hp_temperature"))
    surface = build_surface(rows, METRIC, y_default=0.5)
    assert surface.y.tolist() == [0.5]
    assert surface.values.shape == (3, 1, 2)


def test_a_ragged_grid_has_unplanned_cells() -> None:
    rows = table()
    rows = rows[(rows["hp_batch_size"] != 16) | (rows["hp_temperature"] > 0.1)]
    surface = build_surface(rows, METRIC)
    assert surface.status[0, 0].tolist() == ["unplanned", "unplanned"]
    assert surface.planned.sum() == 28
    assert not surface.missing.any()


def test_words_span_an_axis_as_well() -> None:
    rows = table().assign(hp_form=np.where(table()["hp_temperature"] > 0.1, "released", None))
    rows = rows[rows["hp_temperature"].isin(rows["hp_temperature"].unique()[:2])]
    surface = build_surface(rows, METRIC, y="hp_form")
    assert surface.y.tolist() == ["released", ""]
    assert not surface.y_axis.numeric


def test_any_table_of_results_has_surfaces() -> None:
    rows = pd.DataFrame({"batch": [1, 1, 2], "tau": [0.1, 0.2, 0.1], "seed": 0, "acc": [0.5, 0.6, 0.7]})
    surface = build_surface(rows, "acc", x="batch", y="tau")
    assert surface.status[:, :, 0].tolist() == [["ok", "ok"], ["ok", "unplanned"]]


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"metric": "test_knn"}, "columns \\['test_knn'\\] are missing"),
        ({"hp_temperature": np.nan}, {}, "axis hp_temperature: got no value and no default"),
        ({"hp_temperature": np.inf}, {}, "axis hp_temperature: got an infinite value"),
        ({"hp_temperature": 0.5}, {}, "several trials of one seed share a cell"),
    ],
)
def test_bad_input_is_named(changes: dict, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_surface(table().assign(**changes), **{"metric": METRIC, **options})
