"""Design `random`: independent uniform points."""

from functools import partial

import numpy as np

from search_spaces.designs.design import Design
from search_spaces.designs.unit_cube import COLUMNS, drawn_points


def random_points(count: int, seed: int) -> np.ndarray:
    """Independent uniform points `(count, 64)` in [0, 1)."""
    return np.random.default_rng(seed).random((count, COLUMNS))


RANDOM = Design(
    name="random",
    meaning="independent points drawn from ranges, the same for all losses",
    points=partial(drawn_points, random_points),
    keys=("points", "design_seed"),
    budget="points",
    drawn=True,
)
