"""Kept curves and embeddings of a store from somebody else: one that the writers do not write costs only itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from study.report.kept_tables import CURVE_COLUMNS, EMBEDDINGS_COLUMNS, _read
from trainables.sphere.curves import EMBEDDINGS_SCHEMA, write_embeddings
from trainables.store.artefacts import curve_path, embeddings_path
from trainables.training.curves import CURVE_SCHEMA, write_curves

IDS = ("a" * 20, "b" * 20)
TRIALS: Any = [
    SimpleNamespace(
        keys=SimpleNamespace(pretrain_id=id_, trial_id=f"trial {id_[0]}"),
        config=SimpleNamespace(task=SimpleNamespace(n_pairs=3, dim=2)),
    )
    for id_ in IDS
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rows = [
        {
            "member": member,
            "step": step,
            "samples_seen": 2 * step,
            "samples_selection": None,
            "optimum_gap": 0.5,
        }
        for member in (0, 1)
        for step in (1, 10)
    ]
    write_curves(rows, IDS, tmp_path)
    write_embeddings(torch.ones(2, 2, 3, 2), IDS, tmp_path)
    return tmp_path


def test_the_columns_are_those_that_are_written(store: Path) -> None:
    for columns, schema in ((CURVE_COLUMNS, CURVE_SCHEMA), (EMBEDDINGS_COLUMNS, EMBEDDINGS_SCHEMA)):
        assert dict(columns) == {
            column.name: column.type for column in schema if column.name != "pretrain_id"
        }
    curves = _read(TRIALS, store, curve_path, CURVE_COLUMNS)
    assert curves["step"].tolist() == [1, 10, 1, 10]
    assert curves["pretrain_id"].tolist() == [IDS[0]] * 2 + [IDS[1]] * 2
    assert curves["trial_id"].tolist() == ["trial a"] * 2 + ["trial b"] * 2
    points = _read(TRIALS, store, embeddings_path, EMBEDDINGS_COLUMNS)
    assert np.stack(points["z"].tolist()).shape == (12, 2)


def column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


CURVES: Mapping[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "absent": (lambda table: table.drop_columns(["optimum_gap"]), "it has no column optimum_gap"),
    "text": (lambda table: column(table, "step", pa.array(["x", "y"])), "column step does not have the type int64"),
    "lists": (
        lambda table: column(table, "lr", pa.array([[1.0], [2.0]])), "column lr does not have the type double",
    ),
    "twice": (lambda table: table.append_column("step", table["step"]), "two of its columns have the same name"),
    "bomb": (
        lambda table: pa.table({name: np.zeros(1_000_000) for name in table.column_names}),
        "it has 1,000,000 rows, at most 200,000 are read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CURVES.values(), ids=CURVES)
def test_a_foreign_curve_costs_only_itself(
    change: Callable[[pa.Table], pa.Table], reason: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = curve_path(store, IDS[0])
    pq.write_table(change(pq.read_table(path)), path)
    assert_left_out(store, curve_path, reason, capsys)


def assert_left_out(
    store: Path, path_of: Callable[[Path, str], Path], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = CURVE_COLUMNS if path_of is curve_path else EMBEDDINGS_COLUMNS
    assert set(_read(TRIALS, store, path_of, columns)["trial_id"]) == {"trial b"}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("study: left out of the report, which shows the others: ")
    assert f"{path_of(store, IDS[0])} (" in line
    assert reason in line


def test_many_values_in_few_rows_are_bounded(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = embeddings_path(store, IDS[0])
    values = pa.ListArray.from_arrays(pa.array([0, 20_000_000], pa.int32()), pa.array(np.zeros(20_000_000)))
    pq.write_table(pa.table({"view": [0], "pair": [0], "z": values}), path)
    assert path.stat().st_size < 100_000
    assert_left_out(store, embeddings_path, "more than 128,000,000 bytes when decoded", capsys)


def test_other_sizes_of_embeddings(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_embeddings(torch.ones(1, 2, 4, 2), IDS[:1], store)
    assert_left_out(store, embeddings_path, "it does not have two views of 3 pairs", capsys)
    write_embeddings(torch.ones(1, 2, 3, 5), IDS[:1], store)
    assert_left_out(store, embeddings_path, "its points do not all have 2 numbers", capsys)


@pytest.mark.parametrize(
    "metadata", [b"not json", b'{"index_columns":["nope"],"columns":5,"column_indexes":[{}]}']
)
def test_text_and_metadata_for_pandas_have_no_effect(
    metadata: bytes, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither texts, which may be no UTF-8, nor the metadata are read."""
    path = curve_path(store, IDS[0])
    offsets = pa.array([0, 1, 2], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xff")])
    table = column(pq.read_table(path), "pretrain_id", texts)
    pq.write_table(table.replace_schema_metadata({b"pandas": metadata}), path)
    curves = _read(TRIALS, store, curve_path, CURVE_COLUMNS)
    assert curves["pretrain_id"].tolist() == [IDS[0]] * 2 + [IDS[1]] * 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no Parquet file"), (b"PAR1" + b"x" * 40 + b"\xff\xff\xff\x7fPAR1", "its footer is too large")],
)
def test_no_parquet(content: bytes, reason: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve_path(store, IDS[0]).write_bytes(content)
    assert_left_out(store, curve_path, reason, capsys)


def test_no_regular_file(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = curve_path(store, IDS[0])
    path.unlink()
    path.mkdir()
    assert_left_out(store, curve_path, "is a folder, must be a regular file", capsys)
    path.rmdir()
    assert len(_read(TRIALS, store, curve_path, CURVE_COLUMNS)) == 2
    assert capsys.readouterr().err == ""
