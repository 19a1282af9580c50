"""Cells are names or values: names keep their text, values are numbers where they are some."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from analysis.results.values import is_time, names, values, with_decimal_points


@pytest.mark.parametrize(
    ("cells", "want"),
    [
        (["1", " 2 ", "3e0"], [1, 2, 3]),
        (["1024", "128", "32"], [1024, 128, 32]),
        (["0.1", "NA", "None", "", "null"], [0.1, None, None, None, None]),
        ([0.1, "auto", "NA"], [0.1, "auto", "NA"]),
        (["sgd", " sgd", "lars", ""], ["sgd", "sgd", "lars", None]),
        ([True, False, None], ["True", "False", None]),
        (["true", "FALSE"], ["True", "False"]),
        ([Decimal("0.1"), Decimal(2)], [0.1, 2.0]),
        ([10**400, 2], [str(10**400), 2]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["1", "2"], dtype="category"), [1, 2]),
        (pd.Series([True, None], dtype="boolean"), ["True", None]),
        (pd.Series(["x", None], dtype="string"), ["x", None]),
        ([None, None], [None, None]),
    ],
)
def test_values(cells: Any, want: list[Any]) -> None:
    found = values(pd.Series(cells))
    assert [None if pd.isna(value) else value for value in found] == want


@pytest.mark.parametrize(
    ("cells", "want"),
    [
        (["1.10", "1.1"], ["1.10", "1.1"]),
        (["NA", "None", "nan", "null"], ["NA", "None", "nan", "null"]),
        (["a", "a ", "\u00a0a"], ["a", "a", "a"]),
        (["caf\u00e9", "cafe\u0301"], ["caf\u00e9", "caf\u00e9"]),
        ([1.0, 2.5, None], ["1", "2.5", None]),
        ([1, True], ["1", "True"]),
    ],
)
def test_names(cells: list[Any], want: list[Any]) -> None:
    assert names(pd.Series(cells, dtype=object)).tolist() == want


def test_times_are_known() -> None:
    assert is_time(pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"])))
    assert is_time(pd.Series(pd.to_timedelta([1, 2], unit="s")))
    assert is_time(pd.Series(["2026-01-01T10:00:00Z", "2026-01-01 10:00"]))
    assert not is_time(pd.Series(["2026", "2027"]))
    assert not is_time(pd.Series([20260101, 20260102]))


def test_decimal_commas_become_points() -> None:
    rows = pd.DataFrame({"acc": ["0,81", "1,5e-3", "-,5"], "note": ["a,b", "1,2,3", "x"]})
    assert with_decimal_points(rows)["acc"].tolist() == ["0.81", "1.5e-3", "-.5"]
    assert with_decimal_points(rows)["note"].tolist() == rows["note"].tolist()
