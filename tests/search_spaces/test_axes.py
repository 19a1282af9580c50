"""Axes are read as study files write them, as lists, ranges and cases, with their measures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.axes import Axis, Cases, Range, listed, measure_of, parse_axis


def axis(raw: Any) -> Axis:
    parsed = parse_axis(raw)
    assert not isinstance(parsed, Cases)
    return parsed


def test_a_value_is_a_list_of_one() -> None:
    assert axis(3) == axis([3]) == listed(3)


@given(st.floats(0, 1, exclude_max=True))
def test_coordinates_stay_in_the_range_up_to_rounding(coordinate: float) -> None:
    for raw in ({"log": [0.05, 2.0]}, {"linear": [-3.0, 5.0]}):
        low, high = Range(**raw).ends
        assert low - 1e-5 <= float(axis(raw).at(coordinate)) <= high + 1e-5


def test_coordinates_are_uniform_in_the_spacing() -> None:
    assert Range(log=(0.01, 1.0)).at(0.5) == 0.1
    assert Range(linear=(0.0, 1.0)).at(0.25) == 0.25


def test_values_of_a_list_have_equal_shares() -> None:
    coordinates = [0.0, 0.3, 0.34, 0.66, 0.67, 0.999]
    assert [listed("a", "b", "c").at(x) for x in coordinates] == ["a", "a", "b", "b", "c", "c"]
    assert Range(log=(0.1, 10.0), points=3).at(0.5) == 1.0


def test_whole_numbers() -> None:
    sizes = Range(log=(16, 256), points=5, whole=True)
    assert sizes.values() == (16, 32, 64, 128, 256)
    assert all(isinstance(Range(log=(16, 256), whole=True).at(x / 10), int) for x in range(10))


@pytest.mark.parametrize(
    ("raw", "measure"),
    [
        ([0.1, 0.5], "log"),
        ([0, 0.5], "linear"),
        ([-4, 4], "linear"),
        (["gaussian", "imq"], "each"),
        ([True, False], "each"),
        ({"log": [0.1, 1.0]}, "log"),
        ({"linear": [0.1, 1.0]}, "linear"),
        ({"log": [0.1, 1.0], "measure": "linear"}, "linear"),
        ({"values": [0.1, 0.5], "measure": "each"}, "each"),
    ],
)
def test_every_axis_has_a_measure(raw: Any, measure: str) -> None:
    assert measure_of(axis(raw)) == measure


def test_cases_are_told_from_ranges() -> None:
    """A kernel is called `log`, as a spacing is."""
    cases = parse_axis({"log": {"log": [0.1, 1.0]}, "imq": [1, 2]})
    assert isinstance(cases, Cases)
    assert cases.axes == {"log": Range(log=(0.1, 1.0)), "imq": listed(1, 2)}
    assert axis({"log": [0.1, 1.0]}) == Range(log=(0.1, 1.0))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"log": [0.1, 1.0], "measure": "each"}, "without points"),
        ({"linear": [0, 1.0], "measure": "log"}, "above 0"),
        ({"values": ["a", "b"], "measure": "log"}, "for numbers"),
        ({"values": [1, 2], "measure": "uniform"}, "measure"),
        ({"values": [1, 2], "points": 3}, "points"),
        ({"gaussian": {"imq": [1, 2]}, "log": {"linear": {"x": 1}}}, "gaussian: got a table with keys imq"),
        ({"gaussian": []}, "empty"),
        ({}, "either log"),
        (None, "None"),
        ([[1]], r"\[1\]"),
    ],
)
def test_what_is_no_axis(raw: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_axis(raw)


def test_a_grid_needs_points() -> None:
    with pytest.raises(ValueError, match="points is missing"):
        Range(log=(0.1, 1.0)).values()


def test_points_that_rounding_makes_one() -> None:
    with pytest.raises(ValueError, match="more than once"):
        Range(linear=(2, 4), points=9, whole=True).values()
