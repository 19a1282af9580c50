"""Configurations of a space hold exactly the hyperparameters that their other values call for."""

from search_spaces.axes import Range, listed
from search_spaces.space import Tied, grid_points, point_at

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


def test_a_coordinate_is_of_the_case() -> None:
    one = point_at(SPACE, {"t": 0.9, "kernel": 0.1, "gamma": 0.0})
    other = point_at(SPACE, {"t": 0.9, "kernel": 0.6, "gamma": 0.0})
    assert one == {"t": 16.0, "kernel": "gaussian", "gamma": 2.0}
    assert other == {"t": 3, "kernel": "imq", "gamma": 2.0}
