"""The trials table joins plan and records: the plan wins, missing and failed trials keep their status."""

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import RECORD_COLUMNS
from analysis.model.table import build_table
from tests.analysis import synthetic

PLANNED = synthetic.plan([synthetic.arm_info("infonce")])
RECORDS = synthetic.run(PLANNED, {"infonce": synthetic.hill(peak=0.9, at=0.3, width=5.0)})


def test_a_trial_without_record_is_missing_and_a_failed_one_keeps_its_status() -> None:
    records = synthetic.fail(RECORDS, ["infonce-16-0-1"]).drop(0)
    table = build_table(PLANNED, records)
    assert list(table["trial_id"]) == list(PLANNED["trial_id"])
    assert table["status"].isna().sum() == 1
    assert pd.isna(table.loc[0, "status"])
    assert table.loc[1, "status"] == "diverged"


def test_records_in_any_order_and_of_other_studies_give_the_same_table() -> None:
    other = RECORDS.assign(trial_id="x" + RECORDS["trial_id"])
    shuffled = pd.concat([other, RECORDS]).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(build_table(PLANNED, shuffled), build_table(PLANNED, RECORDS))


def test_no_records_give_every_record_column_empty() -> None:
    table = build_table(PLANNED, pd.DataFrame())
    assert len(table) == len(PLANNED)
    assert set(RECORD_COLUMNS) <= set(table.columns)
    assert table["status"].isna().all()


def test_the_plan_wins_over_the_record() -> None:
    table = build_table(PLANNED, RECORDS.assign(hp_batch_size=-1))
    assert np.array_equal(table["hp_batch_size"], PLANNED["hp_batch_size"])


def test_two_arms_may_share_a_trial() -> None:
    twin = pd.concat([PLANNED, PLANNED.assign(arm="twin")], ignore_index=True)
    assert build_table(twin, RECORDS)["status"].eq("ok").all()


@pytest.mark.parametrize(
    ("planned", "records", "message"),
    [
        (PLANNED.drop(columns="seed"), RECORDS, "planned: columns .'seed'. are missing"),
        (PLANNED, RECORDS.drop(columns="status"), "records: columns .'status'. are missing"),
        (pd.concat([PLANNED, PLANNED]), RECORDS, "planned: trial infonce-16-0-0 stands there twice"),
        (PLANNED, pd.concat([RECORDS, RECORDS]), "records: trial infonce-16-0-0 stands there twice"),
    ],
)
def test_bad_input_is_named(planned: pd.DataFrame, records: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_table(planned, records)
