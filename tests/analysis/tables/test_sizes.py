"""Tables without end, and tables that are no files, are refused in one line before they are in memory."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from analysis.tables import files, sizes
from analysis.tables.build import table_study
from analysis.tables.files import read_file
from analysis.tables.mapping import build_mapping, read_mapping
from analysis.tables.read import read_rows

SMALLER = "leave out columns that the report does not need, or split the table"


def grow(path: Path, size: int) -> None:
    """A file of this size without content, which takes no room on the disk."""
    path.touch()
    os.truncate(path, size)


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the message is what callers check
        read_file(path)
    return str(caught.value).replace(f"{path}: ", "")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "cannot be read (is a pipe, must be a regular file)"),
        (lambda path: path.symlink_to("/dev/zero"), "cannot be read (is a device, must be a regular file)"),
        (lambda path: path.symlink_to(path.name), "cannot be read (Too many levels of symbolic links)"),
        (
            lambda path: grow(path, 3_000_000_000),
            "cannot be read (has 3,000,000,000 bytes; at most 1,000,000,000 are read)",
        ),
    ],
)
def test_what_is_no_file_of_a_table(make: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    make(path)
    assert refusal(path) == said
    with pytest.raises(ValueError, match=r"^.*a.csv: cannot be read \("):
        read_rows(path)
    path.unlink()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            ",".join(f"c{number}" for number in range(20_000)) + "\n",
            "no table (20,000 columns; at most 10,000 are read)",
        ),
        ("x" * 11_000_000, "no table (line 1 has 11,000,000 characters; at most 10,000,000 are read)"),
        ('{"a": ' * 200 + "1" + "}" * 200, "no table (line 1: dicts are nested more than 64 deep)"),
        ('{"a": ' + "[" * 100_000, "no table (line 1: lists and objects are nested too deep)"),
        (
            '{"a": ' + "9" * 5000 + "}",
            "no table (line 1: a whole number has 5000 digits, at most 4300 are read)",
        ),
        (
            "".join(f'{{"k{number}": 1}}\n' for number in range(10_001)),
            f"no table (7,072 rows of 7,072 columns are 50,013,184 cells; at most 50,000,000 are read; {SMALLER})",
        ),
        ("a,b\n1,\0\n", f"no table (not a file of a known kind; read are {files.READABLE})"),
    ],
)
def test_text_without_end(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    assert refusal(path) == said


def test_text_of_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_CELLS", 8)
    path = tmp_path / "a.csv"
    path.write_text("loss,acc\n" + "a,1\n" * 3)
    assert read_file(path)[0].shape == (3, 2)
    path.write_text("loss,acc\n" + "a,1\n" * 4)
    assert refusal(path).startswith(
        "no table (5 rows of 2 columns are 10 cells; at most 8 are read; leave out columns"
    )


def test_a_packed_table_says_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TABLE_BYTES", 1000)
    path, packed = tmp_path / "a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 300)
    monkeypatch.setattr(files, "read_bytes", lambda path, _: path.read_bytes())
    path.write_bytes(packed)
    assert refusal(path) == "no table (it unpacks to 1,204 bytes; at most 1,000 are read)"
    path.write_bytes(packed[:-4] + b"\1\0\0\0")  # a size that is not true
    assert refusal(path) == "no table (it unpacks to more than 1,000 bytes, which is the most that is read)"


def test_parquet_of_too_many_rows(tmp_path: Path) -> None:
    path, column = tmp_path / "a.parquet", pa.array(np.zeros(26_000_000, dtype="int8"))
    pq.write_table(pa.table({"loss": column, "seed": column}), path)
    assert path.stat().st_size < 1_000_000
    assert refusal(path).startswith(
        "no table (26,000,000 rows of 2 columns are 52,000,000 cells; at most 50,000,000"
    )


@pytest.mark.parametrize("store_schema", [True, False])
def test_one_text_for_every_row_is_not_copied(store_schema: bool, tmp_path: Path) -> None:
    places = pa.array(np.zeros(1_000_000, dtype="int32"))
    table = pa.table({"loss": pa.DictionaryArray.from_arrays(places, pa.array(["x" * 100_000]))})
    pq.write_table(table, tmp_path / "a.parquet", store_schema=store_schema)
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    assert refusal(tmp_path / "a.parquet").endswith(" bytes or more; at most 1,000,000,000 are read)")


def test_feather_of_too_many_cells(tmp_path: Path) -> None:
    column = pa.array(np.zeros(26_000_000, dtype="int8"))
    feather.write_feather(
        pa.table({"loss": column, "seed": column}), tmp_path / "a.feather", compression="zstd"
    )
    assert " cells; at most 50,000,000 are read" in refusal(tmp_path / "a.feather")


def test_bounded_parquet_is_what_pyarrow_reads(tmp_path: Path) -> None:
    table = pa.table(
        {
            "coded": pa.array(["x", None, "y"]).dictionary_encode(),
            "text": ["p", "q", None],
            "number": [1, 2, 3],
            "bytes": [b"a", None, b"c"],
            "list": [["a"], None, ["b", "c"]],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    assert sizes.bounded_parquet(content).equals(pq.read_table(tmp_path / "a.parquet"), check_metadata=True)
    feather.write_feather(table, tmp_path / "a.feather")
    content = (tmp_path / "a.feather").read_bytes()
    assert sizes.bounded_feather(content).equals(feather.read_table(tmp_path / "a.feather"))


def test_a_mapping_is_a_small_regular_file(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text("metric = " + "[" * 5000)
    with pytest.raises(
        ValueError, match=r"no TOML file \(more than 16 lists and tables are nested \(at line 1\)\)"
    ):
        read_mapping(path)
    path.write_text("#" * 900_000)
    with pytest.raises(ValueError, match=r"cannot be read \(has 900,000 bytes; at most 800,000 are read\)"):
        read_mapping(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r"cannot be read \(is a pipe, must be a regular file\)"):
        read_mapping(path)
    with pytest.raises(ValueError, match=r"^mapping: metric must be text; got \[1, 1, .{90,100} \.\.\.$"):
        build_mapping({"metric": [1] * 100_000})


def test_values_in_messages_are_short() -> None:
    rows = pd.DataFrame(
        {"loss": ["a", "b"] * 2, "seed": [0] * 4, "lr": [1, 1, 2, 2], "acc": ["x" * 50_000, "0.5", "1", "1"]}
    )
    with pytest.raises(ValueError, match="acc: got") as caught:
        table_study(rows, build_mapping({"metric": "acc"}))
    assert len(str(caught.value)) < 300
