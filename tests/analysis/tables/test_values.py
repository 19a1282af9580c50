"""Cells are names or values: names keep their text, values are numbers where they are some."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from analysis.model.axis_values import floats_or_categories
from analysis.tables.values import check_text, is_time, names, values, with_decimal_points, with_numbers


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
        (["0.5", "inf"], ["0.5", "inf"]),
        (["1", "1e400"], ["1", "1e400"]),
        ([0.5, float("inf")], [0.5, float("inf")]),
        ([Decimal("0.5"), Decimal("nan"), pd.NA, pd.NaT], [0.5, None, None, None]),
        (["1_000", "2"], ["1_000", "2"]),
        (["\u0661", "2"], ["\u0661", "2"]),
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


def test_a_metric_may_be_infinite() -> None:
    found = values(pd.Series(["0.5", "inf", "-1e400", "nan"]), infinite=True)
    assert found.tolist()[:3] == [0.5, float("inf"), float("-inf")]
    assert pd.isna(found[3])


def test_infinity_is_a_number_unless_the_column_has_a_name_of_hyperparameters() -> None:
    found = with_numbers(
        pd.DataFrame({"margin": ["1", "inf"], "acc": ["1", "inf"], "hp_margin": ["1", "inf"]})
    )
    assert found["margin"].tolist() == found["hp_margin"].tolist() == ["1", "inf"]
    assert found["acc"].tolist() == [1.0, float("inf")]


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


def test_a_text_that_is_rarer_than_the_numbers_beside_it_is_named_with_its_row() -> None:
    cells = pd.Series([32, 32, 64, "32px", 64, 128, 128], name="batch_size", dtype=object)
    said = r"^batch_size: got '32px' in row 4, which is text; most values of this hyperparameter are numbers$"
    with pytest.raises(ValueError, match=said):
        check_text(cells)
    with pytest.raises(ValueError, match=said):
        check_text(cells.astype(str))


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff12\uff18", "1e999"])
def test_a_text_that_no_axis_takes_for_a_number_is_text(text: str) -> None:
    cells = pd.Series([32, 32, 64, text, 64, " 128", "1.28e2 "], name="batch_size", dtype=object)
    assert floats_or_categories(cells).dtype.kind == "U"
    with pytest.raises(ValueError, match=f"^batch_size: got '{text}' in row 4, which is text; "):
        check_text(pd.concat([cells, cells[cells != text]]))


@pytest.mark.parametrize(
    "cells",
    [
        [1, 1, 2, 2, "auto", "auto"],  # as often as each number: a value of the sweep
        [0.1, 0.2, 0.3, "auto"],  # every value once
        ["r18", "r18", "r50", 18, 18, 18],  # half of them are names
        ["sgd", "sgd", "lars"],
        ["True", "True", "2", "2", "2", "x", "x", "x"],
        [32, 32, 64, 64],
    ],
)
def test_texts_that_are_values_of_a_sweep_are_no_mistake(cells: list[object]) -> None:
    check_text(pd.Series(cells, name="a", dtype=object))
