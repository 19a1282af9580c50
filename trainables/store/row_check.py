"""The one check of rows that enter a store: by a trial, by a merge, by compaction, or in a file that someone copied.

Every rule on the values of a record is stated here once, from the schema's declarations, and is applied in two ways:
`fault_of` takes one row as a dict, in about 0.1 ms; `faults_of` takes a table, column by column, and checks 50,000
rows in half a second. Both say the same. They see values only: the digest of a
row and the name of its file are checked by `trainables.store.record_file`.

The rules never refuse what the writer of records can write, of this version or an earlier one.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trainables.config import TASKS
from trainables.reading import parse_json
from trainables.settings import declared_fields
from trainables.store.files import ID_PATTERN, ID_WORDS
from trainables.store.row_text import array_of, take_rows
from trainables.store.schema import LATEST_TIME, SCHEMA_VERSION, Status, column_range, record_schema
from trainables.suggestion import first_line, shortened

#: The highest number of an attempt. It has six digits, so that every number has one name.
MOST_ATTEMPTS = 999_999

#: The most characters of a text: of a name, and of a text that is made of many parts, such as a traceback.
MOST_NAME, MOST_TEXT = 10_000, 1_000_000

#: The deepest nesting of lists and tables in a config.
MOST_DEPTH = 32

_LONG = ("config", "stack", "error_message", "error_traceback", "hp_other")

_PATTERNS = {
    **dict.fromkeys(("trial_id", "config_id", "pretrain_id", "probe_id"), (ID_PATTERN, ID_WORDS)),
    "status": ("|".join(Status), f"one of {', '.join(Status)}"),
    "stack": (f"{ID_PATTERN}( {ID_PATTERN})*", f"ids of {ID_WORDS}, with one blank between two"),
}
_RANGES = {
    "attempt": (0, MOST_ATTEMPTS),
    "schema_version": (1, SCHEMA_VERSION),
    "numerics_version": (1, 10**6),
    "seed": (0, 2**63 - 1),
    "started_at": (0, LATEST_TIME),
}

#: A share that is computed as a mean may exceed 1 by rounding.
_ROUNDING = 1e-9

#: A field of a loss. It becomes the name of a column.
_FIELD = re.compile(r"[^\W\d]\w{0,254}")

_SEED = r'"seed":(0|[1-9][0-9]{0,18})'


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """What the values of one column must be. Null is allowed unless the column is `required`."""

    column: str
    required: bool
    pattern: str = ""  # of the whole text
    pattern_words: str = ""
    longest: int | None = None  # characters of a text; None for numbers and times
    least: float | None = None  # the range of a number that is not NaN; None for any number
    most: float | None = None

    def fault(self, value: Any) -> str | None:
        """Why the value cannot be in the column; None if it can."""
        if value is None:
            return f"{self.column} is absent" if self.required else None
        if self.longest is not None:
            return self._text_fault(value)
        if self.least is None or self.most is None:
            return None
        if value < self.least or value > self.most:
            return f"{self.column} is {value!r}, must be from {_number(self.least)} to {_number(self.most)}"
        return None

    def _text_fault(self, value: str) -> str | None:
        longest = self.longest or 0
        if len(value) > longest:
            return f"{self.column} has {len(value):,} characters, must have at most {longest:,}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"{self.column} is {shortened(value)}, must be {self.pattern_words}"
        return None

    def suspects(self, column: pa.ChunkedArray) -> set[int]:
        """The rows of a whole column whose value may be at fault."""
        found = set()
        if self.required and column.null_count:
            found |= _rows(pc.is_null(column))
        if self.longest is not None:
            if (pc.max(pc.binary_length(column)).as_py() or 0) > self.longest:
                found |= _rows(pc.greater(pc.utf8_length(column), _scalar(self.longest, pa.int64())))
            if self.pattern:
                found |= _rows(pc.invert(pc.match_substring_regex(column, rf"\A(?:{self.pattern})\z")))
        elif self.least is not None and self.most is not None:
            column = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
            ends = pc.min_max(column).as_py()
            if ends["min"] is not None and (ends["min"] < self.least or ends["max"] > self.most):
                least, most = _scalar(self.least, column.type), _scalar(self.most, column.type)
                found |= _rows(pc.or_(pc.less(column, least), pc.greater(column, most)))
        return found


def fault_of(row: Mapping[str, Any]) -> str | None:
    """The first rule that a row breaks, in one line with the column, its value and what is allowed; None if none.

    The row has the columns of the record schema, with times as microseconds since 1970.
    """
    for rule in _rules():
        if fault := rule.fault(row[rule.column]):
            return fault
    return _config_fault(row["config"]) or _other_fault(row["hp_other"])


def faults_of(table: pa.Table) -> dict[int, str]:
    """The rows of a table in the record schema that break a rule: the row's index, and the reason in one line.

    Text that is not UTF-8 is a fault, too. A table of many rows takes about 10 microseconds for each.
    """
    faults = _undecodable(table)
    if table.num_rows == 1:
        fault = None if faults else fault_of(_row(table, 0))
        return {0: fault} if fault else faults
    rows = [row for row in range(table.num_rows) if row not in faults] if faults else range(table.num_rows)
    sound = take_rows(table, rows) if faults else table
    suspects = _suspect_configs(sound["config"]) | _suspect_fields(sound["hp_other"])
    for rule in _rules():
        suspects |= rule.suspects(sound[rule.column])
    for place in sorted(suspects):
        if fault := fault_of(_row(sound, place)):
            faults[rows[place]] = fault
    return dict(sorted(faults.items()))


@functools.cache
def _rules() -> tuple[_Rule, ...]:
    """The rules of all columns, in the schema's order."""
    rules = []
    for field in record_schema():
        least, most = _RANGES.get(field.name) or column_range(field.name) or (None, None)
        if pa.types.is_floating(field.type) and most is not None:
            most += _ROUNDING
        is_text = pa.types.is_string(field.type)
        pattern, words = _PATTERNS.get(field.name, ("", ""))
        rules.append(
            _Rule(
                column=field.name,
                required=not field.nullable,
                pattern=pattern,
                pattern_words=words,
                longest=(MOST_TEXT if field.name in _LONG else MOST_NAME) if is_text else None,
                least=least,
                most=most,
            )
        )
    return tuple(rules)


def _config_fault(config: str) -> str | None:
    """Why a text is no config: it must be the JSON text of a table of limited depth."""
    try:
        tree = parse_json(config)
    except ValueError as error:
        return f"config is {shortened(config)}, must be JSON ({first_line(error)})"
    if not isinstance(tree, dict):
        return f"config is {shortened(config)}, must be a JSON object"
    if config.count("{") + config.count("[") > MOST_DEPTH and _depth(tree) > MOST_DEPTH:
        return f"config is nested deeper than {MOST_DEPTH} levels"
    return _shape_fault(tree)


def _shape_fault(tree: dict[str, Any]) -> str | None:
    """Why a JSON object is no config. It may lack parts, and may have parts that this version does not know."""
    loss, task = tree.get("loss", {}), tree.get("task", {})
    table_belongs = "config has another value where a table belongs"
    if not isinstance(loss, dict) or not isinstance(task, dict):
        return table_belongs
    inner = [loss.get("params", {}), *(task.get(name, {}) for name in _tables())]
    if not all(isinstance(table, dict) for table in inner):
        return table_belongs
    if not all(isinstance(text, str) for text in (loss.get("name", ""), task.get("kind", ""))):
        return "config has another value where a name belongs"
    return None


@functools.cache
def _tables() -> frozenset[str]:
    """The tables within a task's config."""
    return frozenset(each.table for task in TASKS.values() for each in declared_fields(task) if each.table)


def _other_fault(other: Iterable[tuple[str, str]] | None) -> str | None:
    """Why a map is not the further fields of a loss: names of fields, each with a JSON value."""
    pairs = list(other.items() if isinstance(other, Mapping) else other or ())
    if sum(len(key or "") + len(value or "") for key, value in pairs) > MOST_TEXT:
        return f"hp_other must have at most {MOST_TEXT:,} characters"
    for key, value in pairs:
        if key is None or not _FIELD.fullmatch(key):
            return f"hp_other has the field {shortened(key)}, must be the name of a field"
        if not _is_value(value):
            return f"hp_other has {key} = {shortened(value)}, must be a JSON value"
    return None


def _is_value(text: str | None) -> bool:
    try:
        return text is not None and _depth(parse_json(text)) <= MOST_DEPTH
    except ValueError:
        return False


def _suspect_configs(column: pa.ChunkedArray) -> set[int]:
    """The rows whose config may be at fault. Configs that differ only in their seed are read once."""
    alike = pc.replace_substring_regex(column, _SEED, '"seed":0')
    is_short = pc.less_equal(pc.binary_length(alike), _scalar(4 * MOST_TEXT, pa.int64()))
    alike = pc.if_else(is_short, alike, _scalar("", pa.string()))
    texts = pc.unique(alike)
    bad = [text for text in texts.to_pylist() if text is None or _config_fault(text)]
    return _rows(pc.is_in(alike, value_set=array_of(bad, pa.string()))) if bad else set()


def _suspect_fields(column: pa.ChunkedArray) -> set[int]:
    """The rows whose map of further fields may be at fault. Equal maps are read once."""
    if column.null_count == len(column):
        return set()
    known: dict[tuple[tuple[str, str], ...], bool] = {(): False}
    found = set()
    for row, other in enumerate(column.to_pylist()):
        pairs = tuple(other or ())
        if pairs not in known:
            known[pairs] = _other_fault(pairs) is not None
        if known[pairs]:
            found.add(row)
    return found


def _undecodable(table: pa.Table) -> dict[int, str]:
    """The rows with text that is not UTF-8. Arrow reads such text, and Python raises when it sees it."""
    faults: dict[int, str] = {}
    try:
        table.validate(full=True)
    except pa.ArrowException:
        for name in table.column_names:
            for row in _invalid_rows(table[name], 0):
                faults.setdefault(row, f"{name} has a value that cannot be decoded")
    return faults


def _invalid_rows(column: pa.ChunkedArray, start: int) -> Iterator[int]:
    """The rows of a column whose value is invalid, found by halving."""
    try:
        column.validate(full=True)
        return
    except pa.ArrowException:
        pass
    if len(column) == 1:
        yield start
        return
    half = len(column) // 2
    # Only a copy: the validity of a slice is that of the whole array.
    yield from _invalid_rows(_copied(column.slice(0, half)), start)
    yield from _invalid_rows(_copied(column.slice(half)), start + half)


def _copied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.concat_arrays(column.chunks)], column.type)


def _row(table: pa.Table, place: int) -> dict[str, Any]:
    """A row as a dict, with times as integers: years that Python does not know would raise."""
    row = table.slice(place, 1)
    index = row.schema.get_field_index("started_at")
    (found,) = row.set_column(index, "started_at", row["started_at"].cast(pa.int64())).to_pylist()
    return dict(found)


def _rows(mask: pa.ChunkedArray) -> set[int]:
    """The rows where a mask is true."""
    return set(pc.indices_nonzero(mask).to_pylist())


def _scalar(value: Any, type_: pa.DataType) -> pa.Scalar:
    return array_of([value], type_)[0]


def _depth(tree: Any) -> int:
    """The deepest nesting of lists and tables in a JSON tree."""
    depth, level = 0, [tree]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        level = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
    return depth


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{round(value, 6):g}"
