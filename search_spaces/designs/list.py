"""Design `list`: the configurations that a study file lists in `points` of each loss."""

from search_spaces.designs.design import Design
from search_spaces.space import grid_points

LIST = Design(
    name="list",
    meaning="the `points` of each loss",
    points=lambda space, _request: grid_points(space),  # all values that a listed point leaves open
    listed=True,
)
