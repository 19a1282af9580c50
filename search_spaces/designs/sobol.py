"""Design `sobol`: quasi-random points (scrambled Sobol), which are more evenly spread than independent points."""

from functools import partial

import numpy as np

from search_spaces.designs.design import Design
from search_spaces.designs.unit_cube import COLUMNS, drawn_points


def sobol_points(count: int, seed: int) -> np.ndarray:
    """Sobol points `(count, 64)` in [0, 1) with Owen's scrambling, as in `scipy.stats.qmc`.

    `count` must be a power of two. Then every column has one point in each of `count` equal intervals, and low
    columns are also balanced jointly. Other counts leave holes; the function raises `ValueError` for them.
    """
    from scipy.stats import qmc

    if count < 1:
        raise ValueError(f"points: got {count}, must be a power of two for sobol")
    check_power_of_two(count)
    sampler = qmc.Sobol(COLUMNS, scramble=True, rng=np.random.default_rng(seed))
    return sampler.random_base2(count.bit_length() - 1)


def check_power_of_two(count: int) -> None:
    """Raises `ValueError` unless a positive `count` is a power of two."""
    if count & (count - 1):
        below = 1 << (count.bit_length() - 1)
        raise ValueError(
            f"points: got {count}, must be a power of two for sobol, such as {below} or {2 * below}; "
            "other numbers leave holes; design = random allows any number"
        )


SOBOL = Design(
    name="sobol",
    meaning="quasi-random points (scrambled Sobol) drawn from ranges, the same for all losses",
    points=partial(drawn_points, sobol_points),
    keys=("points", "design_seed"),
    budget="points",
    check_count=check_power_of_two,
    drawn=True,
)
