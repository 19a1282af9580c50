"""Means and intervals of large tables are scipy's, and the same each time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from analysis import cell_intervals


@pytest.fixture
def rows() -> pd.DataFrame:
    """Two configurations by six seeds in random order; one trial of the second failed, one of it is not run."""
    rng = np.random.default_rng(0)
    places = [(t, seed) for t in (0.1, 0.2) for seed in range(6)]
    rows = pd.DataFrame(places, columns=["t", "seed"]).assign(loss="dcl", status="ok")
    rows["acc"] = rng.normal(0.8, 0.01, len(rows))
    rows.loc[11, ["status", "acc"]] = ["diverged", np.nan]
    return rows.drop(index=10).sample(frac=1, random_state=0)


def test_student_s_intervals_are_scipy_s(rows: pd.DataFrame) -> None:
    found = cell_intervals(pa.Table.from_pandas(rows), ["loss", "t"], "acc")
    assert found[["loss", "t", "seeds", "failed"]].to_numpy().tolist() == [
        ["dcl", 0.1, 6, 0],
        ["dcl", 0.2, 4, 1],
    ]
    for (_, group), (_, row) in zip(rows.dropna().groupby("t"), found.iterrows(), strict=True):
        want = stats.t.interval(0.95, len(group) - 1, group["acc"].mean(), stats.sem(group["acc"]))
        assert (row["low"], row["high"]) == pytest.approx(want)


def test_a_failed_trial_counts_as_the_worst(rows: pd.DataFrame) -> None:
    found = cell_intervals(pa.Table.from_pandas(rows), ["t"], "acc", worst=0.1)
    second = rows[(rows["t"] == 0.2)]["acc"].fillna(0.1)
    assert found["seeds"].tolist() == [6, 5]
    assert found["mean"][1] == pytest.approx(second.mean())


def test_a_file_and_a_seeded_bootstrap_give_the_same_twice(rows: pd.DataFrame, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(rows), tmp_path / "rows.parquet")
    first, second = (
        cell_intervals(tmp_path / "rows.parquet", ["t"], "acc", rng=np.random.default_rng(0))
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    assert first["low"][0] < first["mean"][0] < first["high"][0]
    assert np.isnan(first["low"][1])  # four seeds are too few for the bootstrap


def test_nothing_finished_has_no_mean(rows: pd.DataFrame) -> None:
    found = cell_intervals(pa.Table.from_pandas(rows.assign(status="crashed")), ["t"], "acc")
    assert found["mean"].isna().all()
    assert found["failed"].tolist() == [6, 5]


def test_a_table_without_statuses_is_of_finished_trials(rows: pd.DataFrame, tmp_path: Path) -> None:
    """As the README calls it: a file, keys and a value."""
    finished = rows[rows["status"] == "ok"]
    finished.drop(columns="status").to_parquet(tmp_path / "trials.parquet")
    found = cell_intervals(tmp_path / "trials.parquet", ["loss", "t"], "acc")
    pd.testing.assert_frame_equal(found, cell_intervals(pa.Table.from_pandas(finished), ["loss", "t"], "acc"))
    with pytest.raises(ValueError, match="state"):
        cell_intervals(tmp_path / "trials.parquet", ["t"], "acc", status="state")
