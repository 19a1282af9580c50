"""Design `grid`: every combination of the values of all axes."""

from search_spaces.designs.design import Design
from search_spaces.space import grid_points

GRID = Design(
    name="grid",
    meaning="every combination of the axes' values",
    points=lambda space, _request: grid_points(space),
)
