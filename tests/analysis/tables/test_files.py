"""Files of tables, as people have them: separators, padding, byte order marks, line ends, and what is no table."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from analysis import load_records
from analysis.csv_text import csv_text
from analysis.tables.files import read_file
from tests.analysis.tables.example_table import ROWS

TEXT = ROWS.to_csv(index=False)


def written(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\ufeff" + TEXT,
        TEXT.replace(",", " , "),
        TEXT.replace("\n", ",\n"),  # a trailing comma
        TEXT.partition("\n")[0] + "\n" + TEXT.partition("\n")[2].replace("\n", ",\n"),  # in the rows only
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace("\n", "\n\n"),
        TEXT.encode("utf-16"),
        gzip.compress(TEXT.encode()),
        ROWS.to_json(orient="records", lines=True),
        ROWS.to_json(orient="records"),
    ],
)
def test_every_dress_of_a_table_gives_its_rows(content: str | bytes, tmp_path: Path) -> None:
    rows = load_records(written(tmp_path, content))
    pd.testing.assert_frame_equal(rows.rename(columns=str.strip), ROWS, check_dtype=False)


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.dat"])
def test_binary_tables_are_known_by_their_content(name: str, tmp_path: Path) -> None:
    ROWS.to_feather(tmp_path / name) if "feather" in name else ROWS.to_parquet(tmp_path / name)
    pd.testing.assert_frame_equal(load_records(tmp_path / name), ROWS)


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    rows = load_records(written(tmp_path, f"loss,note\na,{'x' * 200_000}\n"))
    assert len(rows["note"][0]) == 200_000


def test_a_separator_other_than_a_comma_is_said(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, TEXT))[1] == ()
    assert read_file(written(tmp_path, TEXT.replace(",", ";")))[1] == (
        "Fields are separated by a semicolon.",
    )


def test_nested_objects_become_columns(tmp_path: Path) -> None:
    rows = load_records(written(tmp_path, '{"a": {"b": 1, "c": {"d": "x"}}, "e": 2.5}\n{"e": 3}\n'))
    assert list(rows.columns) == ["a/b", "a/c/d", "e"]
    assert rows["e"].tolist() == [2.5, 3.0]
    assert rows["a/b"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n1,2,3\n4,5,6,7\n", "line 3 has 4 fields, the header has 3"),
        ("a,b,c\n1,2,3,4\n1,2,3,4\n", "line 2 has 4 fields, the header has 3"),
        ("a,b,c\n1,2\n", "line 2 has 2 fields, the header has 3"),
        ('a,b\n"1,2\n', "line 2"),
        ("a,b,a\n1,2,3\n", "two columns have the name 'a'"),
        ("0.1,32,0.8\n0.2,32,0.9\n", "line 1 has numbers where the names of columns belong"),
        ("loss|seed\na|1\n", "one column, 'loss|seed'; fields are separated by commas, semicolons or tabs"),
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (
            b"PK\x03\x04\x14\0\x06\0",
            "read are CSV with commas, semicolons or tabs, JSON lines, Parquet and Feather",
        ),
        (b"a,b\n\xe9,1\n", "neither UTF-8 text nor a file of a known kind"),
        (b"PAR1 no", "no table"),
        (b"\x1f\x8bno", "no table"),
        (gzip.compress(TEXT.encode())[:-20] + bytes(12), "no table"),
        ("\ufeff \n", "the file is empty"),
        (",,\n,,\n", "one column, ',,'"),
        ("[" * 100_000, "no table"),
        ('{"a": 1}\n{"a": \n', "line 2: not JSON"),
        ('{"a": 1}\n[2]\n', "line 2: got [2], must be an object"),
    ],
)
def test_what_is_no_table_is_one_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no table") as caught:
        read_file(written(tmp_path, content))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_apostrophe_before_a_formula_is_no_part_of_the_cell(tmp_path: Path) -> None:
    """Our own CSV files have it, so that spreadsheets run nothing."""
    rows = pd.DataFrame({"loss": ["=1+1", "'quoted'", "-x"], "acc": [0.5, -0.5, 1.0]})
    path = written(tmp_path, csv_text(rows))
    assert "'=1+1" in path.read_text()
    pd.testing.assert_frame_equal(load_records(path), rows)
