"""The values of one hyperparameter: a list, a single value, or a range with a number of points."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


Axis = Range | tuple[Scalar, ...]


def parse_axis(raw: Any) -> Axis:
    """An axis as study files write it: a value, a list of values, or a range.

    Raises `ValueError` when it is empty, repeats a value, or holds what is no finite number, text or truth.
    """
    if isinstance(raw, dict):
        return _parse_range(raw)
    values = tuple(raw) if isinstance(raw, (list, tuple)) else (raw,)
    if not values:
        raise ValueError("got an empty list, at least one value is needed")
    for value in values:
        if not isinstance(value, (bool, int, float, str)) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise ValueError(f"got {value!r}, must be a finite number, a text, a list of them or a range")
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"got {', '.join(repeated)} more than once, each value is allowed once")
    return values


def _parse_range(raw: dict[str, Any]) -> Range:
    try:
        return Range.model_validate(raw)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where + ': ' if where else ''}{message}, got {raw}") from error


def axis_values(axis: Axis) -> tuple[Scalar, ...]:
    """The values of an axis in the order given."""
    return axis.values() if isinstance(axis, Range) else axis
