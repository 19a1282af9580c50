"""What a design declares: how it chooses the configurations of a loss, and what that means for scores.

`study.spec` checks the table `[search]` with it, `study` and the report ask it what holds for its configurations.
Each design is a file of this package with one `Design`, and a line in the registry (`search_spaces.designs`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from search_spaces.space import Point, Space


@dataclass(frozen=True, kw_only=True)
class PointRequest:
    """What the points of one loss depend on beside its space."""

    count: int | None = None  # configurations, of designs with a budget
    seed: int = 0  # of the design, not of the trials
    main_axis: str | None = None
    training_axes: tuple[str, ...] = ()  # all that `[axes]` may have, in their fixed order
    fields: tuple[str, ...] = ()  # all fields of the loss, in their fixed order


def _any_count(_count: int) -> None:
    """Accepts every number of configurations."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """A way to choose the configurations of every loss. Code asks these properties and compares no names."""

    name: str
    #: One clause for the reference of the study file.
    meaning: str
    #: The configurations of a space. Of an adaptive design, those that must be sound before the search begins.
    points: Callable[[Space, PointRequest], Iterable[Point]]
    #: Keys of `[search]`, beside `design`, that this design takes.
    keys: tuple[str, ...] = ()
    #: The one of `keys` that says how many configurations of each loss run; "" where the space decides.
    budget: str = ""
    #: Raises `ValueError` for a number of configurations that the design cannot make.
    check_count: Callable[[int], None] = _any_count
    #: Draws values from ranges. Drawn configurations make no grid: scores weigh each by its axes' measures over the
    #: measures by which it was drawn. Configurations that are not drawn have the weights of their axes where they
    #: make a grid, and equal weights elsewhere.
    drawn: bool = False
    #: Takes the tables `points` of the losses; a main axis that is not given keeps its default.
    listed: bool = False
    #: Chooses configurations by the scores of earlier ones. They crowd where scores are good, so they show what
    #: tuning finds, and span no surface and no measure over the space.
    adaptive: bool = False
