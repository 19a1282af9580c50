"""Points of the unit cube, from which drawn designs compute configurations: the same points for every loss.

Every hyperparameter has its own fixed column, and one seed gives one table of points. So losses are paired point by
point: the k-th configurations of two losses agree in shared hyperparameters, and their main axes have the same
coordinate. More points, or a further axis, do not change the earlier coordinates.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from search_spaces.designs.design import PointRequest
from search_spaces.space import Point, Space, point_at

#: Number of columns of the table. Every table depends on it, because a scrambling is drawn for all columns at once.
COLUMNS = 64
#: The columns of a loss's own fields. Column 0 is for the main axis, the others are the numbers of the shared axes.
_FIELDS = range(16, 48)

#: Makes a table `(count, COLUMNS)` of coordinates in [0, 1) from the number of points and the seed.
Coordinates = Callable[[int, int], np.ndarray]


def drawn_points(coordinates: Coordinates, space: Space, request: PointRequest) -> Iterator[Point]:
    """The configurations of a space at the coordinates that a design draws.

    Raises `ValueError` for a loss with more fields than there are columns, and `KeyError` for a hyperparameter of the
    space that is neither an axis of training nor a field of the loss.
    """
    assert request.count is not None
    column = columns(request.main_axis, request.training_axes, request.fields)
    for row in coordinates(request.count, request.seed):
        yield point_at(space, {name: row[column[name]] for name in space})


def columns(main_axis: str | None, shared: Mapping[str, int], fields: Sequence[str]) -> dict[str, int]:
    """The column of each hyperparameter. The main axis has the first, because low columns are the most evenly spread.

    `shared` has the number of each axis of training, `fields` all fields of a loss in their fixed order. Raises
    `ValueError` for more fields than there are columns.
    """
    if len(fields) > len(_FIELDS):
        raise ValueError(f"got {len(fields)} fields; drawn designs have room for {len(_FIELDS)}")
    own = dict(zip(fields, _FIELDS, strict=False))
    return own | dict(shared) | ({main_axis: 0} if main_axis else {})
