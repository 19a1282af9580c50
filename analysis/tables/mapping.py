"""The mapping from columns of a results table to their meaning, from options or a small TOML file."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trainables.reading import STUDY_BYTES, parse_toml, read_text
from trainables.suggestion import short_name, shortened


@dataclass(frozen=True, kw_only=True)
class TableMapping:
    """The meaning of a table's columns.

    Columns that are not named are found by their usual names (`results.usual_names`) and by the design that the rows
    show (`results.hyperparameters`). Hyperparameters with one value are left out. `x` and `main` are the two axes of
    surfaces; where they are not given, they are chosen from the hyperparameters.
    """

    metric: str  # column that is reported
    selects: str | None = None  # column that chooses configurations; `metric` where not given
    loss: str | None = None  # column with the names of the losses
    seed: str | None = None
    status: str | None = None  # column of statuses; without one, every row is "ok"
    data: str | None = None  # column of data sets
    axes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()  # columns that are neither hyperparameters nor anything else
    describes: tuple[str, ...] = ()  # metrics of the representation, beside columns z_* and h_*
    x: str | None = None
    main: str | None = None
    measures: dict[str, str] | None = None  # column: log | linear | each
    #: column: (factor, power) of its equivalent temperature factor * value^power, such as (0.5, -1) for T = 1/(2t)
    temperatures: dict[str, tuple[float, float]] | None = None
    higher_is_better: bool | None = None  # by the metric's name where not given
    selects_higher_is_better: bool | None = None  # of `selects`; by its name where not given
    percent: bool | None = None  # whether the metric is in percent; by its name and values where not given
    worst: float | None = None  # value of a failed trial; the worst value of the column where not given
    tolerance: float | None = None  # of the tolerance volume, in the metric's unit
    reference: str = ""  # loss with which the others are compared
    null_controls: tuple[tuple[str, str], ...] = ()  # pairs of losses that must not differ
    complete: bool = False  # whether the table has a row for every planned trial
    adaptive: bool = False  # whether a search chose the configurations by the scores of earlier ones
    decimal_comma: bool = False  # whether numbers in text have a decimal comma
    name: str = ""


#: The types of the keys in words.
_EXPECTED = {
    "str": "text",
    "bool": "true or false",
    "float": "a number",
    "tuple[str, ...]": 'a list of text, such as ["lr", "tau"]',
    "dict[str, str]": 'a table of text, such as { tau = "log" }',
    "dict[str, tuple[float, float]]": "a table of pairs of numbers, such as { t = [0.5, -1.0] } for T = 0.5/t",
    "tuple[tuple[str, str], ...]": 'a list of pairs of text, such as [["dcl", "flatnce"]]',
}


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys of a mapping file. Raises `ValueError` for a file that cannot be read."""
    try:
        return parse_toml(read_text(path, STUDY_BYTES))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ValueError(f"{path}: no TOML file ({error})") from error


def build_mapping(values: dict[str, Any]) -> TableMapping:
    """A mapping from keys and values. Raises `ValueError` with the key that is unknown, missing or wrong."""
    unknown = sorted(set(values) - set(TableMapping.__dataclass_fields__))
    if unknown:
        allowed = ", ".join(TableMapping.__dataclass_fields__)
        raise ValueError(f"mapping: unknown key {short_name(unknown[0])}; allowed are {allowed}")
    try:
        mapping = TypeAdapter(TableMapping).validate_python(values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = str(fault["loc"][0])
        if fault["type"] == "missing":
            raise ValueError(f"mapping: {key} is missing; name the column that is reported") from error
        raise ValueError(f"mapping: {key} must be {_expected(key)}; got {shortened(values[key])}") from error
    for name, (factor, power) in (mapping.temperatures or {}).items():
        if not (0 < factor < math.inf and math.isfinite(power) and power != 0):
            raise ValueError(
                f"mapping: temperatures.{short_name(name)} must be a factor above 0 and a power other than 0; got "
                f"{factor:g} and {power:g}"
            )
    return mapping


def _expected(key: str) -> str:
    """What a key's value must be, in words, from its type."""
    kind = str(TableMapping.__dataclass_fields__[key].type).removeprefix("<class '").removesuffix("'>")
    return _EXPECTED[kind.removesuffix(" | None")]


def mapping_keys(mapping: TableMapping) -> dict[str, Any]:
    """The keys that differ from their defaults, as in a mapping file."""
    plain = TableMapping(metric=mapping.metric)
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(mapping).items()
        if value is not None and (key == "metric" or value != getattr(plain, key))
    }
