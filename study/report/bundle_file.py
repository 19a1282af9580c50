"""The file `bundle.json` of a bundle: the planned trials and the study's description. A stranger wrote it.

Every field is checked when the file is read, so that the analysis gets what `study bundle` writes.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError

from search_spaces.designs import DESIGNS
from study.errors import StudyError
from study.spec.schema import Name
from trainables.bundle_folder import BUNDLE_FILE
from trainables.config import SETTING_COLUMNS, TrialKeys
from trainables.reading import parse_json, read_text
from trainables.store.files import ID_PATTERN
from trainables.store.schema import TrialRecord
from trainables.suggestion import shortened

if TYPE_CHECKING:
    from analysis.model.info import StudyInfo

FORMAT = 2

#: The largest file, in bytes, and the most planned trials.
_MOST_BYTES, _MOST_TRIALS = 2**27, 10**6

#: Texts of a planned trial are names and values of settings.
_MOST_TEXT = 2**16

_KEYS = tuple(TrialKeys.__dataclass_fields__)

#: Columns of planned trials besides the ids, the hyperparameters `hp_*` and the columns of settings.
_NEEDED = {"arm": str, "point": int, "loss": str, "seed": int, "design": str}
_OPTIONAL = frozenset({"ideal", *SETTING_COLUMNS})
_HYPERPARAMETER = re.compile(r"hp_[A-Za-z0-9_]{1,128}")

_WORDS = {bool: "a truth value", int: "a number", float: "a number", str: "a text"}

Planned = list[dict[str, Any]]


def read_bundle_file(folder: Path) -> "tuple[Planned, StudyInfo]":
    """The planned trials and the study's description of a bundle.

    Raises `StudyError` for a damaged file or another format, and `FileNotFoundError`.
    """
    path = folder / BUNDLE_FILE
    try:
        content = parse_json(read_text(path, _MOST_BYTES))
        if not isinstance(content, dict):
            raise ValueError(f"got {shortened(content)}, must be a table")
        if (form := content["format"]) != FORMAT:
            raise StudyError(
                f"store: {folder} contains a bundle of format {form!r}, this package opens {FORMAT}; upgrade the "
                "package"
            )
        info = study_info_of(content["info"])
        return _planned_of(content["planned"], info), info
    except FileNotFoundError:
        raise
    except ValidationError as error:
        raise StudyError(f"store: {path} is damaged ({_first_fault(error)})") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())
        reason = getattr(error, "strerror", None) or reason
        raise StudyError(f"store: {path} is damaged ({reason})") from error


def study_info_of(content: Mapping[str, Any]) -> "StudyInfo":
    """The `StudyInfo` from its JSON form. Raises `ValueError`, `LookupError` and `TypeError`.

    Older bundles of this format contain the name of the study's design instead of its properties.
    """
    from analysis.model.info import StudyInfo

    if not isinstance(content, dict):
        raise ValueError(f"info: got {shortened(content)}, must be a table")
    facts = dict(content)
    _check_name(facts["name"])
    if (name := facts.pop("design", None)) is not None:
        if not isinstance(name, str) or name not in DESIGNS:
            raise ValueError(f"design: got {shortened(name)}, must be one of {', '.join(DESIGNS)}")
        facts |= {"drawn": DESIGNS[name].drawn, "adaptive": DESIGNS[name].adaptive}
    if facts.get("compared"):
        raise ValueError("compared: a bundle has one study")
    if not facts.get("spec_text"):
        raise ValueError("spec_text is missing")
    return TypeAdapter(StudyInfo).validate_python(facts)


def _check_name(name: object) -> None:
    """Raise `ValueError` for a name that no study has. The report goes into a folder of this name."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise ValueError(
            f"name: got {shortened(name)}; allowed are letters, digits, `_`, `.` and `-`"
        ) from None


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"info.{where}: got {shortened(first['input'])}, {first['msg'][:1].lower()}{first['msg'][1:]}"


def _planned_of(rows: Any, info: "StudyInfo") -> Planned:
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_TRIALS:
        raise ValueError(f"planned: must be a list of 1 to {_MOST_TRIALS} trials")
    arms = {arm.label for arm in info.arms}
    for number, row in enumerate(rows):
        try:
            _check_row(row, arms)
        except ValueError as error:
            raise ValueError(f"planned.{number}: {error}") from error
    if absent := arms - {row["arm"] for row in rows}:
        raise ValueError(f"planned: has no trial of the arm {min(absent)!r}")
    if repeated := len(rows) - len({(row["arm"], row["trial_id"]) for row in rows}):
        raise ValueError(f"planned: has {repeated} trials of one arm twice")
    return rows


def _check_row(row: Any, arms: set[str]) -> None:
    if not isinstance(row, dict):
        raise ValueError(f"got {shortened(row)}, must be a table")
    for name in (*_KEYS, *_NEEDED):
        if name not in row:
            raise ValueError(f"{name} is missing")
    for name, value in row.items():
        if name in _KEYS:
            if not (isinstance(value, str) and re.fullmatch(ID_PATTERN, value)):
                raise ValueError(
                    f"{name}: got {shortened(value)}, must be an id of 8 to 64 hexadecimal digits"
                )
        elif name in _NEEDED:
            _check_value(name, value, _NEEDED[name])
        elif name in _OPTIONAL or _HYPERPARAMETER.fullmatch(name):
            _check_value(name, value, _type_of(name))
        else:
            raise ValueError(f"{shortened(name)}: is no column of planned trials")
    if row["arm"] not in arms:
        raise ValueError(f"arm: got {shortened(row['arm'])}, which the study does not have")
    if row["seed"] < 0 or row["point"] < 0:
        raise ValueError("seed and point: must not be negative")


def _type_of(column: str) -> Any:
    """The type of a column of records; any plain value for fields that only some losses have."""
    declared = TrialRecord.__dataclass_fields__.get(column)
    kinds = [each for each in get_args(declared.type) if each is not type(None)] if declared else []
    return kinds[0] if kinds else declared.type if declared else (bool, int, float, str)


def _check_value(name: str, value: Any, kind: Any) -> None:
    kinds = kind if isinstance(kind, tuple) else (int, float) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        words = dict.fromkeys(_WORDS[each] for each in kinds)
        raise ValueError(f"{name}: got {shortened(value)}, must be {' or '.join(words)}")
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    if too_large or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{name}: got {shortened(value)}, must be a finite number of 64 bits")
    if isinstance(value, str) and len(value) > _MOST_TEXT:
        raise ValueError(f"{name}: got a text of {len(value)} characters, at most {_MOST_TEXT} are allowed")
