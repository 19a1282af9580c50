"""`Design`, the declaration of a design: how it chooses configurations, and what that means for scores.

`study.spec` checks the table `[search]` with it. `study` and the report read the properties of configurations from
it. Each design is a file of this package with one `Design`, and a line in the registry (`search_spaces.designs`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from search_spaces.space import Point, Space


@dataclass(frozen=True, kw_only=True)
class PointRequest:
    """The inputs, besides the space, that the points of one loss depend on."""

    count: int | None = None  # number of configurations, for designs with a budget
    seed: int = 0  # seed of the design, not of the trials
    main_axis: str | None = None
    #: The number of each axis that `[axes]` may have.
    training_axes: Mapping[str, int] = field(default_factory=dict)
    fields: tuple[str, ...] = ()  # all fields of the loss, in their fixed order


def _any_count(_count: int) -> None:
    """Accepts every number of configurations."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """A way to choose the configurations of every loss. Code checks these properties, not the names of designs."""

    name: str
    #: One clause for the reference of study-file keys.
    meaning: str
    #: The configurations of a space. For an adaptive design, the configurations to check before the search begins.
    points: Callable[[Space, PointRequest], Iterable[Point]]
    #: Keys of `[search]`, besides `design`, that this design accepts.
    keys: tuple[str, ...] = ()
    #: The key in `keys` that gives the number of configurations per loss; "" if the space determines the number.
    budget: str = ""
    #: Raises `ValueError` for a number of configurations that the design cannot make.
    check_count: Callable[[int], None] = _any_count
    #: Whether the design draws values from ranges. Drawn configurations do not form a grid: scores weight each by the
    #: measures of its axes divided by the measures by which it was drawn. Configurations that are not drawn have the
    #: weights of their axes if they form a grid, and equal weights otherwise.
    drawn: bool = False
    #: Whether the design uses the `points` tables of the losses. A main axis that is not given keeps its default.
    listed: bool = False
    #: Whether the design chooses configurations by the scores of earlier ones. Such configurations are dense where
    #: scores are good. They show what tuning finds, but they give no surface and no measure over the space.
    adaptive: bool = False
