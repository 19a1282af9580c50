"""Arrays of cells hold every row in its place, from a table or a file, and bad input gives one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.tables import cell_arrays as module
from analysis.tables.cell_arrays import ABSENT, cell_arrays


def rows() -> pd.DataFrame:
    """Two losses, one with an empty hyperparameter, in no order; one seed of one configuration is absent."""
    frame = pd.DataFrame(
        [
            {"loss": loss, "t": t, "batch": batch, "seed": seed}
            for loss, t in (("b", 0.5), ("b", 0.1), ("a", None))
            for batch in (256, 16)
            for seed in (3, 1, 2)
        ]
    )
    frame["accuracy"] = np.arange(len(frame)) / 100
    frame["status"] = ["ok", "diverged"] * (len(frame) // 2)
    return frame.drop(index=[4]).sample(frac=1, random_state=0)


def table() -> pa.Table:
    return pa.Table.from_pandas(rows(), preserve_index=False)


def test_every_row_stands_in_its_place() -> None:
    found = cell_arrays(table(), ["loss", "t", "batch"], ["accuracy"])
    assert found.seeds.tolist() == [1, 2, 3]
    assert found.values["accuracy"].shape == (6, 3)
    for row in rows().itertuples():
        same = (found.level("loss") == row.loss) & (found.level("batch") == row.batch)
        same &= np.isnan(found.level("t")) if np.isnan(row.t) else found.level("t") == row.t
        (cell,) = np.flatnonzero(same)
        seed = found.seeds.tolist().index(row.seed)
        assert found.values["accuracy"][cell, seed] == row.accuracy
        assert found.statuses[found.status[cell, seed]] == row.status


def test_cells_are_in_order_and_what_is_absent_says_so() -> None:
    found = cell_arrays(table(), ["loss", "t", "batch"], ["accuracy"])
    assert found.level("loss").tolist() == ["a", "a", "b", "b", "b", "b"]
    np.testing.assert_array_equal(found.level("t"), [np.nan, np.nan, 0.1, 0.1, 0.5, 0.5])
    assert found.level("batch").tolist() == [16, 256] * 3
    (gap,) = np.argwhere(found.status == found.statuses.index(ABSENT))
    assert gap.tolist() == [4, 0]  # loss b, t 0.5, batch 16, seed 1
    assert np.isnan(found.values["accuracy"][4, 0])


def test_a_file_gives_the_same_as_the_table(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "rows.parquet")
    one, other = (
        cell_arrays(source, ["loss", "t", "batch"], ["accuracy"])
        for source in (table(), tmp_path / "rows.parquet")
    )
    np.testing.assert_array_equal(one.values["accuracy"], other.values["accuracy"])
    np.testing.assert_array_equal(one.codes, other.codes)


def test_many_levels_are_numbered_by_sorting_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = cell_arrays(table(), ["loss", "t", "batch"], ["accuracy"])
    monkeypatch.setattr(module, "_MOST_COMBINATIONS", 1)
    sorted_ = cell_arrays(table(), ["loss", "t", "batch"], ["accuracy"])
    np.testing.assert_array_equal(direct.codes, sorted_.codes)
    np.testing.assert_array_equal(direct.values["accuracy"], sorted_.values["accuracy"])


def test_dictionary_columns_and_whole_numbers_are_read() -> None:
    given = table()
    coded = given.set_column(0, "loss", given["loss"].dictionary_encode())
    found = cell_arrays(coded, ["loss", "t"], ["batch"], seed="accuracy", status=None)
    assert found.statuses == (ABSENT, "ok")
    assert set(found.level("loss")) == {"a", "b"}
    assert set(found.values["batch"][np.isfinite(found.values["batch"])]) == {16.0, 256.0}


def test_no_rows_give_no_cells() -> None:
    found = cell_arrays(table().slice(0, 0), ["loss", "t"], ["accuracy"])
    assert found.values["accuracy"].shape == (0, 0)
    assert found.codes.shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keys": ["loss", "t"]}, "two rows of one seed"),
        ({"keys": []}, "at least one column"),
        ({"keys": ["loss", "temperature"]}, "temperature"),
        ({"values": ["loss"]}, "only numbers"),
        ({"seed": "t"}, "empty values"),
        ({"status": "state"}, "state"),
    ],
)
def test_bad_input_is_told_in_one_line(change: dict[str, object], message: str) -> None:
    options: dict[str, object] = {"keys": ["loss", "t", "batch"], "values": ["accuracy"], **change}
    with pytest.raises(ValueError, match=message) as error:
        cell_arrays(table(), **options)
    assert "\n" not in str(error.value)
