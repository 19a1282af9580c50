"""The values of one hyperparameter: a list, a single value, or a range with a number of points."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from trainables.config import Scalar


class Range(BaseModel):
    """`{ log = [low, high], points = n }` or `{ linear = [low, high], points = n }`, both ends included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    log: tuple[float, float] | None = None
    linear: tuple[float, float] | None = None
    points: Annotated[int, Field(ge=2, le=10_000)]

    @model_validator(mode="after")
    def _one_sound_range(self) -> "Range":
        if (self.log is None) == (self.linear is None):
            raise ValueError("a range has either log = [low, high] or linear = [low, high]")
        low, high = self.ends
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"a range goes from a finite low to a finite, larger high, got [{low}, {high}]")
        if self.log and low <= 0:
            raise ValueError(f"a log range starts above 0, got [{low}, {high}]")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return self.log or self.linear or (math.nan, math.nan)

    def values(self) -> tuple[float, ...]:
        """The points, rounded to six digits: ids must not hang on the last bit of some library's power."""
        space = np.geomspace if self.log else np.linspace
        points = space(*self.ends, self.points)
        return tuple(float(f"{point:.6g}") for point in points)


Axis = Range | list[Scalar] | Scalar


def axis_values(axis: Any) -> tuple[Scalar, ...]:
    """The values of an axis in the order given. Raises `ValueError` when it is empty or repeats a value."""
    if isinstance(axis, Range):
        return axis.values()
    values = tuple(axis) if isinstance(axis, list) else (axis,)
    if not values:
        raise ValueError("got an empty list, at least one value is needed")
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"got {', '.join(repeated)} more than once, each value is allowed once")
    return values
