"""CSV files read back as the tables they are, and hold nothing that a spreadsheet runs."""

import io

import pandas as pd
import pytest

from analysis.csv_text import cell_of, csv_cell, csv_text
from analysis.names import visible
from tests.analysis.hostile import NAMES


def test_names_read_back() -> None:
    text = csv_text(pd.DataFrame({"=name": NAMES, "value": range(len(NAMES))}))
    read = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert [cell_of(name) for name in read["'=name"]] == [visible(name, lines=True) for name in NAMES]
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for name in read["'=name"])


@pytest.mark.parametrize("text", ["=1", "+a", "-a", "@a", "\ta", "\na", "＝1", "-1+2", "'=1", "''@x"])
def test_what_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == "'" + text


def test_control_characters_become_codes() -> None:
    assert csv_cell("\ra\x1b[31m\u202e\tb\n") == "\\ra\\x1b[31m\\u202e\tb\n"


@pytest.mark.parametrize("cell", ["-1", "+0.5", "-1e-3", ".5", "a=b", "'a'", "", -1, -0.5, None, True])
def test_numbers_and_other_texts_stay(cell: object) -> None:
    assert csv_cell(cell) is cell


def test_numbers_stay_numbers_and_empty_cells_empty() -> None:
    table = pd.DataFrame({"a": [-1.5, None], "b": [-2, "=x"], "c": pd.array([None, "-y"], dtype="string")})
    assert csv_text(table) == "a,b,c\n-1.5,-2,\n,'=x,'-y\n"
