"""Configurations of a space hold exactly the hyperparameters that their other values call for."""

from search_spaces.axes import Range, listed
from search_spaces.space import Tied, grid_points, grid_size, point_at

SPACE = {
    "t": Tied(on="kernel", cases={"gaussian": Range(log=(0.25, 16.0), points=2), "imq": listed(1, 2, 3)}),
    "kernel": listed("gaussian", "imq"),
    "gamma": listed(2.0, 16.0),
}


def test_the_grid_has_the_values_of_each_case() -> None:
    points = list(grid_points(SPACE))
    assert len(points) == 2 * (2 + 3)
    assert {point["t"] for point in points if point["kernel"] == "gaussian"} == {0.25, 16.0}
    assert {point["t"] for point in points if point["kernel"] == "imq"} == {1, 2, 3}
    assert all(list(point) == ["t", "kernel", "gamma"] for point in points)


def test_the_size_of_a_grid_is_known_before_its_points() -> None:
    assert grid_size(SPACE) == 10
    assert grid_size({"gamma": SPACE["gamma"], "lr": listed(0.1, 0.2, 0.3)}) == 6
    assert grid_size({}) == len(list(grid_points({}))) == 1
    large = Range(linear=(0.0, 1.0), points=10_000)
    assert grid_size({"a": large, "b": large, "c": large}) == 10**12


def test_a_coordinate_is_of_the_case() -> None:
    one = point_at(SPACE, {"t": 0.9, "kernel": 0.1, "gamma": 0.0})
    other = point_at(SPACE, {"t": 0.9, "kernel": 0.6, "gamma": 0.0})
    assert one == {"t": 16.0, "kernel": "gaussian", "gamma": 2.0}
    assert other == {"t": 3, "kernel": "imq", "gamma": 2.0}
