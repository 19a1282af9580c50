"""Values of an axis are numbers where all are, and otherwise categories in an order, whatever type holds them."""

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.model.axis_values import category, category_order, floats_or_categories, is_empty


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1024, 32, 128], None),
        ([1024.0, 32.0, 128.0], "float32"),
        ([1024, 32, 128], "Int64"),
        (["1024", "32", "128"], object),
        (["1024", " 32 ", "1.28e2"], "string"),
        ([Decimal(1024), Decimal("32.0"), Decimal(128)], object),
        ([np.int64(1024), np.float32(32), "128"], object),
        ([1024, 32, 128], pd.CategoricalDtype([32, 128, 1024], ordered=True)),
        ([1024, 32, 128], pd.CategoricalDtype([1024, 32, 128])),
    ],
)
def test_numbers_are_numbers_in_any_type(values: list[Any], dtype: Any) -> None:
    column = pd.Series(values, dtype=dtype)
    found = floats_or_categories(column)
    assert found.dtype == np.float64
    assert found.tolist() == [1024.0, 32.0, 128.0]
    assert category_order(column) == ()


def test_a_number_of_single_precision_is_the_one_that_was_written() -> None:
    column = pd.Series([0.1, 0.2], dtype="float32")
    assert floats_or_categories(column).tolist() == [0.1, 0.2]
    assert floats_or_categories(column.astype("Float32")).tolist() == [0.1, 0.2]
    assert floats_or_categories(pd.Series([np.float32(0.1)], dtype=object)).tolist() == [0.1]


@pytest.mark.parametrize(
    ("values", "dtype", "order"),
    [
        (["sgd", "lars"], object, ("lars", "sgd")),
        (["sgd", "lars"], "string", ("lars", "sgd")),
        ([True, False], bool, ("False", "True")),
        ([True, None, False], "boolean", ("False", "True", "")),
        ([1024, None, 128], "float64", ("128", "1024", "")),
        ([1024, None, 128], "Int64", ("128", "1024", "")),
        (
            [1024, "auto", 128, "64", 0.5, True, None],
            object,
            ("True", "0.5", "64", "128", "1024", "auto", ""),
        ),
        (["b", "a"], pd.CategoricalDtype(["b", "c", "a"], ordered=True), ("b", "a")),
        (["b", None, "a"], pd.CategoricalDtype(["b", "a"], ordered=True), ("b", "a", "")),
        ([1, 4, 2], pd.CategoricalDtype([4, 1, 2], ordered=True), ("4", "1", "2")),
        (["b", "a"], pd.CategoricalDtype(["b", "a"]), ("a", "b")),
        (["2025-01-01", "2024-02-01"], "datetime64[ns]", ("2024-02-01", "2025-01-01")),
        (["10 days", "9 days"], "timedelta64[ns]", ("9 days 00:00:00", "10 days 00:00:00")),
        ([datetime.date(2025, 1, 1), datetime.date(2024, 1, 1)], object, ("2024-01-01", "2025-01-01")),
        ([2**60 + 1, 2**60], "int64", (str(2**60), str(2**60 + 1))),
        ([10**400, 2], object, ("2", str(10**400))),
        (["inf", "1"], object, ("1", "inf")),
    ],
)
def test_categories_have_an_order(values: list[Any], dtype: Any, order: tuple[str, ...]) -> None:
    column = pd.Series(values, dtype=dtype)
    assert category_order(column) == order
    assert {category(value) for value in floats_or_categories(column).tolist()} == set(order)


def test_periods_are_in_order_of_time() -> None:
    column = pd.Series(pd.PeriodIndex(["2025-01", "2024-11"], freq="M"))
    assert category_order(column) == ("2024-11", "2025-01")


def test_equal_numbers_have_equal_texts() -> None:
    same = [32, 32.0, np.int32(32), np.float32(32), Decimal("32.00"), "32", "3.2e1"]
    assert {category(value) for value in same} == {"32"}
    assert {category(value) for value in (0.1, np.float32(0.1), Decimal("0.1"), "0.10")} == {"0.1"}
    assert [category(value) for value in (None, np.nan, pd.NA, pd.NaT, "")] == [""] * 5
    assert category(0.1234567) != category(0.1234568)
    assert (category(True), category(1)) == ("True", "1")


def test_empty_cells_are_those_without_a_value_in_any_type() -> None:
    empty = [
        None,
        np.nan,
        np.float32("nan"),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT"),
        Decimal("nan"),
        Decimal("sNaN"),
    ]
    assert [is_empty(value) for value in empty] == [True] * len(empty)
    assert not any(
        is_empty(value) for value in ("", "nan", 0, False, Decimal(0), np.datetime64("2025-01-01"))
    )
