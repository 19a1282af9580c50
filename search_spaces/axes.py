"""The axis of one hyperparameter: a list or a range of values, with the measure that weights robustness scores."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trainables.config import Scalar
from trainables.suggestion import did_you_mean, first_names, short_name, shortened

#: How scores weight an axis: uniformly in its logarithm, uniformly in its value, or each listed value equally.
Measure = Literal["log", "linear", "each"]

#: An example of an axis in a study file, for messages.
_EXAMPLE = "{ log = [0.05, 2.0], points = 5 }"


#: The largest whole number that study files may have: TOML and the records have 64 bits.
LARGEST_WHOLE = 2**63 - 1

#: The most values of an axis, and the most cases.
_MOST_VALUES, _MOST_CASES = 10_000, 1000

#: The most values that a message lists.
_NAMED = 20

#: A number of a range, not the text "3".
Number = Annotated[float, Field(strict=True)]


class Range(BaseModel):
    """`{ log = [low, high] }` or `{ linear = [low, high] }`, including both ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    log: tuple[Number, Number] | None = Field(
        default=None, description="The lowest and the highest value, with values spaced by equal factors."
    )
    linear: tuple[Number, Number] | None = Field(
        default=None, description="The lowest and the highest value, with values spaced by equal steps."
    )
    points: Annotated[int, Field(ge=2, le=_MOST_VALUES, strict=True)] | None = Field(
        default=None,
        description="Number of values from low to high. A grid needs it. Without it, designs that draw points draw "
        "from the whole range.",
    )
    whole: bool = Field(
        default=False,
        strict=True,  # "yes" is a text
        description="Round to whole numbers. Batch sizes and budgets are always rounded.",
    )
    measure: Measure | None = Field(
        default=None, description="Weight in robustness scores; by default the same as the spacing."
    )

    @model_validator(mode="after")
    def _one_sound_range(self) -> "Range":
        if (self.log is None) == (self.linear is None):
            raise ValueError("a range has either log = [low, high] or linear = [low, high]")
        low, high = self.ends
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"a range goes from a finite low to a finite, larger high, got [{low}, {high}]")
        if self.log and low <= 0:
            raise ValueError(f"a log range starts above 0, got [{low}, {high}]")
        if self.measure == "each" and self.points is None:
            raise ValueError("measure each weights listed values, and a range without points lists no values")
        _check_measure(self.measure, self.ends)
        return self

    @property
    def drawn(self) -> Measure:
        """The measure by which designs that draw points pick values."""
        return "each" if self.points else "log" if self.log else "linear"

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return self.log or self.linear or (math.nan, math.nan)

    def values(self) -> tuple[Scalar, ...]:
        """The points, rounded to six digits, so that ids do not depend on the last bit of a library's power function.

        Raises `ValueError` without `points`, and if rounding to whole numbers makes two points equal.
        """
        if self.points is None:
            raise ValueError(
                "points is missing: a grid needs the number of values; designs that draw points do not"
            )
        space = np.geomspace if self.log else np.linspace
        values = tuple(self.rounded(value) for value in space(*self.ends, self.points))
        _refuse_repeats(values)
        return values

    def at(self, coordinate: float) -> Scalar:
        """The value at a coordinate in [0, 1): anywhere in the range, or one of its `points`."""
        if self.points is not None:
            return _pick(self.values(), coordinate)
        low, high = self.ends
        value = low * (high / low) ** coordinate if self.log else low + (high - low) * coordinate
        return self.rounded(value)

    def rounded(self, value: float) -> Scalar:
        """A value as trials use it: rounded to a whole number if the range is whole, otherwise to six digits."""
        return round(value) if self.whole else float(f"{value:.6g}")


class Values(BaseModel):
    """`[a, b, c]`, or `{ values = [a, b, c], measure = ... }`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listed: Annotated[tuple[Any, ...], Field(alias="values")]
    measure: Measure | None = None

    @model_validator(mode="after")
    def _sound_values(self) -> "Values":
        if not self.listed:
            raise ValueError("got an empty list; at least one value is needed")
        _check_count(len(self.listed))
        for value in self.listed:
            check_scalar(value)
        _refuse_repeats(self.listed)
        _check_measure(self.measure, self.listed)
        return self

    @property
    def drawn(self) -> Measure:
        """The measure by which designs that draw points pick values."""
        return "each"

    def values(self) -> tuple[Scalar, ...]:
        """The values in the order given."""
        return self.listed

    def at(self, coordinate: float) -> Scalar:
        """The value at a coordinate in [0, 1): each value has an equal share."""
        return _pick(self.listed, coordinate)


Axis = Range | Values


@dataclass(frozen=True)
class Cases:
    """An axis for each value of another hyperparameter, by text: `{ gaussian = {...}, imq = {...} }`."""

    axes: Mapping[str, Axis]


def listed(*values: Scalar) -> Axis:
    """An axis with these values. Raises `ValueError` as `parse_axis` does."""
    return _validated(Values, {"values": values})


def parse_axis(raw: Any) -> Axis | Cases:
    """Parse an axis of a study file: a value, a list of values, a range, or one of these for each case.

    Raises `ValueError` if it is empty, repeats a value, or contains anything but finite numbers, texts and booleans.
    """
    if isinstance(raw, (list, tuple)):
        _check_count(len(raw))
    if not isinstance(raw, dict):
        return _validated(Values, {"values": raw if isinstance(raw, (list, tuple)) else (raw,)})
    if "values" in raw:
        return _validated(Values, raw)
    if set(raw) <= set(Range.model_fields) and not any(isinstance(value, dict) for value in raw.values()):
        return _validated(Range, raw)
    if misspelt := _misspelt_range(raw):
        raise ValueError(misspelt)
    if len(raw) > _MOST_CASES:
        raise ValueError(f"got a table with {len(raw):,} keys, at most {_MOST_CASES:,} are allowed")
    return Cases({key: _parse_case(key, value) for key, value in raw.items()})


def _misspelt_range(raw: Mapping[str, Any]) -> str:
    """A message for a table with the ends of a range and an unknown key; "" for other tables."""
    unknown = [key for key in raw if key not in Range.model_fields]
    spacing = [key for key in ("log", "linear") if isinstance(raw.get(key), (list, tuple))]
    if not spacing or not unknown or any(isinstance(raw[key], (dict, list, tuple)) for key in unknown):
        return ""
    near = did_you_mean(unknown[0], Range.model_fields)
    return f"{short_name(unknown[0])}: unknown key{near}; allowed are {', '.join(Range.model_fields)}"


def _parse_case(key: str, raw: Any) -> Axis:
    axis = parse_axis(raw)
    if isinstance(axis, Cases):
        raise ValueError(
            f"{short_name(key)}: got a table with keys {_names(axis.axes)}; must be a range such as {_EXAMPLE}"
        )
    return axis


def _validated(model: type[Range] | type[Values], raw: dict[str, Any]) -> Axis:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        if fault["loc"][:1] in (("log",), ("linear",)):
            where, message = str(fault["loc"][0]), "must be two numbers, [low, high]"
        elif fault["type"] == "tuple_type":
            message = "must be a list"
        elif fault["type"] == "literal_error":
            choices = get_args(Measure)
            near = did_you_mean(str(fault["input"]), choices)
            message = f"got {shortened(fault['input'])}{near}, must be one of {', '.join(choices)}"
        elif fault["type"] not in ("value_error", "extra_forbidden"):
            message = f"got {shortened(fault['input'])}; {message[0].lower()}{message[1:]}"
        elif fault["type"] == "extra_forbidden":
            message = f"unknown key; allowed are {', '.join(_keys_of(model))}"
        got = f", got {shortened(raw)}" if model is Range and "got " not in message else ""
        raise ValueError(f"{where + ': ' if where else ''}{message}{got}") from error


def _keys_of(model: type[Range] | type[Values]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def repeats(values: Iterable[Hashable]) -> list[Any]:
    """The values that occur more than once, each once, in the order of their first occurrence."""
    return [value for value, count in Counter(values).items() if count > 1]


def _names(names: Iterable[str]) -> str:
    return first_names([short_name(name) for name in names], _NAMED)


def check_scalar(value: Any) -> None:
    """Raises `ValueError` unless `value` is a finite number within 64 bits, a text or a boolean."""
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise ValueError(f"got {shortened(value)}, must be below 2^63")
    if not isinstance(value, (bool, int, float, str)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise ValueError(f"got {shortened(value)}, must be a finite number, a text, true or false")


def not_an_axis(cases: Cases) -> str:
    """The error message for cases that match no other hyperparameter."""
    return (
        f"got a table with keys {_names(cases.axes)}; must be a range such as {_EXAMPLE}, or cases: an axis for "
        "each value of another field of this loss"
    )


def measure_of(axis: Axis) -> Measure:
    """The measure by which scores weight an axis.

    The default for a range is its spacing. For listed numbers it is `log` if all are positive, otherwise `linear`.
    For texts and booleans it is `each`.
    """
    if axis.measure is not None:
        return axis.measure
    if isinstance(axis, Range):
        return "log" if axis.log else "linear"
    if not all(_is_number(value) for value in axis.listed):
        return "each"
    return "log" if min(axis.listed) > 0 else "linear"


def checked_values(axis: Axis | Cases) -> Sequence[Scalar]:
    """The values that decide whether an axis is allowed: those of a list, and the ends of a range."""
    if isinstance(axis, Cases):
        return [value for case in axis.axes.values() for value in checked_values(case)]
    return [axis.rounded(end) for end in axis.ends] if isinstance(axis, Range) else axis.listed


def varies(axis: Axis) -> bool:
    """Whether an axis has more than one value."""
    return isinstance(axis, Range) or len(axis.listed) > 1


def is_numeric(axis: Axis) -> bool:
    """Whether all values of an axis are numbers."""
    return isinstance(axis, Range) or all(_is_number(value) for value in axis.listed)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _pick(values: tuple[Scalar, ...], coordinate: float) -> Scalar:
    return values[int(coordinate * len(values))]


def _check_count(count: int) -> None:
    if count > _MOST_VALUES:
        raise ValueError(
            f"got {count:,} values, at most {_MOST_VALUES:,} are allowed; a design that draws points takes any value "
            "of a range without points"
        )


def _refuse_repeats(values: tuple[Scalar, ...]) -> None:
    if repeated := repeats(values):
        raise ValueError(
            f"got {_names(sorted(map(str, repeated)))} more than once; each value is allowed once"
        )


def _check_measure(measure: Measure | None, values: tuple[Any, ...]) -> None:
    if measure in ("log", "linear") and not all(_is_number(value) for value in values):
        raise ValueError(f"measure {measure} is for numbers; measure each weights all values equally")
    if measure == "log" and min(values) <= 0:
        raise ValueError(f"measure log is for numbers above 0, got {min(values)}")
