"""Points of the unit cube: quasi-random (scrambled Sobol) or random, the same for every loss.

Every hyperparameter has a column of its own whatever else varies, and one seed gives one table of points. So
losses are paired point by point: the k-th configurations of two losses agree in what they share, and their main
axes are at one coordinate. More points, or a further axis, keep the coordinates that were there.
"""

from collections.abc import Callable, Sequence

import numpy as np

#: Columns of the table. The number is part of every table: a scrambling is drawn for all columns at once.
_COLUMNS = 64
#: The first column of a loss's own fields; those before are the main axis's and the shared axes'.
_FIRST_FIELD = 16


def sobol_points(count: int, seed: int) -> np.ndarray:
    """Scrambled Sobol points `(count, 64)` in [0, 1), Owen's scrambling as in `scipy.stats.qmc`.

    `count` is a power of two: every column then has one point in each of `count` equal intervals, and low columns
    are balanced together; other counts leave holes. Raises `ValueError` for one.
    """
    from scipy.stats import qmc

    if count < 1 or count & (count - 1):
        raise ValueError(f"points: got {count}, must be a power of two for sobol points")
    sampler = qmc.Sobol(_COLUMNS, scramble=True, rng=np.random.default_rng(seed))
    return sampler.random_base2(count.bit_length() - 1)


def random_points(count: int, seed: int) -> np.ndarray:
    """Independent uniform points `(count, 64)` in [0, 1)."""
    return np.random.default_rng(seed).random((count, _COLUMNS))


#: Every design that draws points, by the name that study files use.
DRAWN_DESIGNS: dict[str, Callable[[int, int], np.ndarray]] = {"sobol": sobol_points, "random": random_points}


def columns(main_axis: str | None, shared: Sequence[str], fields: Sequence[str]) -> dict[str, int]:
    """The column of each hyperparameter: the main axis in the first, since low columns are spread most evenly.

    `shared` are all axes of training, `fields` all fields of a loss, each in its fixed order. Raises `ValueError`
    for more fields than there are columns.
    """
    if _FIRST_FIELD + len(fields) > _COLUMNS:
        raise ValueError(
            f"got {len(fields)} fields, designs sobol and random have room for {_COLUMNS - _FIRST_FIELD}"
        )
    own = {name: _FIRST_FIELD + index for index, name in enumerate(fields)}
    common = {name: 1 + index for index, name in enumerate(shared)}
    return own | common | ({main_axis: 0} if main_axis else {})
