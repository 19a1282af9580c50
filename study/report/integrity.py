"""Checks that the content of a store or of a bundle agrees with itself. Nothing is imported and nothing is trained.

Every record is compared with its digest, with its configuration, with its ids and, in a bundle, with the planned
trials and with `records.csv`. A person who changes all of these in the same way is not found: only a rerun shows
whether a value is the result of its configuration.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search_spaces.loss_params import loss_defaults
from study.plan import study_directory
from study.report.bundle import Bundle
from study.report.pack import records_csv
from trainables.bundle_folder import PARTS
from trainables.config import TASKS, Provenance, tree_keys, unused_columns
from trainables.machine_faults import is_of_the_machine, reason_of
from trainables.own_files import is_import_path
from trainables.reading import check_regular, parse_json, read_text
from trainables.settings import declared_columns
from trainables.store.record_file import record_digests
from trainables.store.records import RecordStore
from trainables.suggestion import first_names, shortened

Row = Mapping[str, Any]

#: What a config may raise that does not have the form of one.
_NO_CONFIG = (ValueError, LookupError, TypeError, AttributeError)

#: In texts of bundles, the place of a path on the machine that wrote it.
_REMOVED_PATH = "…/"

#: The longest cell of `records.csv`, in characters.
_LARGEST_CELL = 2**26


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """What was checked, what contradicts, and what cannot be checked without code and data. Each is one line."""

    checked: tuple[str, ...]
    contradictions: tuple[str, ...]
    unchecked: tuple[str, ...]


def check_store(store: RecordStore, planned: frozenset[str] | None) -> Integrity:
    """Check the records of a store, or those of one study, whose trials have the ids `planned`."""
    found = _check_records(store, planned)
    count = len(found.rows)
    checked = [*found.checked, *([_missing(found.rows, planned)] if planned is not None else [])]
    unchecked = [*found.unchecked, _VALUES] if count else found.unchecked
    return Integrity(
        checked=tuple(checked), contradictions=tuple(found.contradictions), unchecked=tuple(unchecked)
    )


def check_bundle(bundle: Bundle) -> Integrity:
    """Check the records of a bundle, and that they agree with its other files."""
    planned = {row["trial_id"]: row for row in bundle.planned}
    found = _check_records(bundle.store, None)
    against = [*found.contradictions]
    for row in found.rows:
        if row["trial_id"] in planned:
            against += [f"{_name(row)}: {each}" for each in _unlike_plan(row, planned[row["trial_id"]])]
        else:
            against.append(f"{_name(row)}: is a trial that bundle.json does not plan")
    against += _unlike_csv(found.rows, bundle.path / "records.csv")
    against += _unlike_text(bundle)
    checked = [
        *found.checked,
        _missing(found.rows, frozenset(planned)),
        "records and planned trials in bundle.json: each column that both have",
        "records and records.csv: each row and column",
        f"studies/{bundle.info.name}/study.toml: is the study of bundle.json",
    ]
    unchecked = [*found.unchecked, *_others(bundle)]
    unchecked.append("that the study plans these trials, which needs its data set and its code: study plan")
    unchecked.append("report.html, which study report makes again from the records")
    return Integrity(checked=tuple(checked), contradictions=tuple(against), unchecked=(*unchecked, _VALUES))


_VALUES = (
    "that a trial gives these values again, which needs its code and data: study verify without --no-code"
)


@dataclass(kw_only=True)
class _Records:
    rows: list[dict[str, Any]]  # every valid attempt
    checked: list[str]
    contradictions: list[str]
    unchecked: list[str]


def _check_records(store: RecordStore, only: frozenset[str] | None) -> _Records:
    """Check each attempt by itself."""
    read = store.read_all(skip_damaged=True)
    against = [f"records/{damage}" for damage in read.damaged]
    rows = read.table.to_pylist()
    for row, now, written in zip(rows, record_digests(read.table), read.digests, strict=True):
        if now != written and (only is None or row["trial_id"] in only):
            against.append(f"{_name(row)}: its values are not those that were written; their digest differs")
    rows = [row for row in rows if only is None or row["trial_id"] in only]
    configs: dict[str, str] = {}
    own = removed = 0
    for row in rows:
        if configs.setdefault(row["trial_id"], row["config"]) != row["config"]:
            against.append(f"{_name(row)}: its config differs from that of another attempt at the trial")
        try:
            tree = parse_json(row["config"])
            against += [f"{_name(row)}: {each}" for each in _unlike_config(row, tree)]
            if _REMOVED_PATH in row["config"]:
                removed += 1
            elif _needs_code(tree):
                own += 1
            else:
                against += [f"{_name(row)}: {each}" for each in _unlike_keys(row, tree)]
        except _NO_CONFIG:
            against.append(f"{_name(row)}: its config is no config of a trial")
    unchecked = []
    if own:
        unchecked.append(
            f"the ids of {own} records, which depend on own code or on published corruptions too"
        )
    if removed:
        unchecked.append(f"the ids of {removed} records, from whose config a path was removed")
    checked = [
        f"{len(rows)} records: digest of each, and columns of its settings against its config",
        f"{len(rows) - own - removed} records: ids computed again from config and data fingerprint",
    ]
    return _Records(rows=rows, checked=checked, contradictions=against, unchecked=unchecked)


def _unlike_config(row: Row, tree: Mapping[str, Any]) -> Iterator[str]:
    """The columns of a record that differ from its config, in words."""
    kind, loss = tree["task"]["kind"], tree["loss"]
    expected: dict[str, Any] = {"task": kind, "seed": tree["seed"], "loss": loss["name"]}
    expected |= getattr(TASKS[kind], "constant_columns", {})
    for column, each in declared_columns(TASKS[kind]).items():
        place = tree["task"].get(each.table, {}) if each.table else tree["task"]
        expected[column] = each.shown(
            place[each.name] if each.name in place else _plain_default(each.default)
        )
    for column in unused_columns(tree["task"].get("training", {})):
        if row.get(column) is None:  # older records have the value that was not used
            expected[column] = None
    defaults = {} if is_import_path(loss["name"]) else loss_defaults(loss["name"])
    expected |= {f"hp_{name}": value for name, value in {**defaults, **loss.get("params", {})}.items()}
    yield from _unlike(row, expected, "its config")


def _plain_default(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _unlike_plan(row: Row, planned: Row) -> Iterator[str]:
    named = {name: value for name, value in planned.items() if name not in ("arm", "point", "design")}
    yield from _unlike(row, named, "bundle.json")


def _unlike(row: Row, expected: Mapping[str, Any], source: str) -> Iterator[str]:
    for name, value in expected.items():
        found = _value(row, name)
        if not _same(found, value):
            yield f"{name} is {shortened(found)}, and {shortened(value)} in {source}"


def _value(row: Row, name: str) -> Any:
    """A column of a record, or a field of its loss that has no column of its own."""
    if row.get(name) is not None:
        return row[name]
    other = dict(row["hp_other"] or {}).get(name.removeprefix("hp_"))
    return None if other is None else parse_json(other)


def _same(found: Any, expected: Any) -> bool:
    """Whether a value of a record is that of a config. Lists and tables are JSON texts in columns."""
    try:
        if isinstance(found, str) and not isinstance(expected, str) and expected is not None:
            found = parse_json(found)
        elif isinstance(expected, str) and isinstance(found, list | dict):
            expected = parse_json(expected)
    except ValueError:  # a plain text, which is no list and no table
        return False
    return bool(found == expected)


def _needs_code(tree: Mapping[str, Any]) -> bool:
    """Whether the ids depend on more than the config and the fingerprint of the data."""
    task = tree["task"]
    names = [tree["loss"]["name"], task.get("encoder", {}).get("name", "")]
    corruptions = task.get("probe", {}).get("corruptions", "")
    return any(map(is_import_path, names)) or ":" in corruptions


def _unlike_keys(row: Row, tree: Mapping[str, Any]) -> Iterator[str]:
    origin = Provenance(data_fingerprint=row["data_fingerprint"] or "")
    keys = asdict(tree_keys(tree, origin, numerics_version=row["numerics_version"]))
    yield from _unlike(row, keys, "the hash of its config")


#: The bytes that `records.csv` may have beyond those that are expected, and the most differences that are listed.
_MORE_BYTES, _MOST_LINES = 2**16, 1000


def _unlike_csv(rows: Sequence[Row], path: Path) -> list[str]:
    """How `records.csv` differs from the records."""
    csv.field_size_limit(_LARGEST_CELL)
    text = records_csv(rows)
    expected = {_csv_key(each): each for each in csv.DictReader(text.splitlines(keepends=True))}
    against: list[str] = []
    try:
        check_regular(path, 2 * len(text.encode()) + _MORE_BYTES)  # a larger one has other rows
        with path.open(encoding="utf-8", newline="") as file:
            for each in csv.DictReader(file):
                if len(against) >= _MOST_LINES:
                    return [*against, "records.csv: differs in more places, which are not listed"]
                known = expected.pop(_csv_key(each), None)
                if known is None:
                    against.append(
                        f"records.csv: has {'.'.join(_csv_key(each))}, which records/ lacks or has once"
                    )
                    continue
                differing = [name for name, value in known.items() if each.get(name) != value]
                against += [
                    f"records.csv: {'.'.join(_csv_key(each))}: {name} is {shortened(each.get(name))}, and "
                    f"{shortened(known[name])} in the record"
                    for name in differing
                ]
    except FileNotFoundError:
        return ["records.csv: is missing"]
    except (OSError, ValueError, csv.Error) as error:
        return [*against, f"records.csv: cannot be read ({_reason(error)})"]
    return [*against, *(f"records.csv: lacks the record {'.'.join(key)}" for key in expected)]


def _csv_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("trial_id")), str(row.get("attempt"))


def _unlike_text(bundle: Bundle) -> list[str]:
    name = f"studies/{bundle.info.name}/study.toml"
    path = study_directory(bundle.store, bundle.info.name) / "study.toml"
    try:
        same = read_text(path) == bundle.info.spec_text
    except (OSError, ValueError) as error:
        return [f"{name}: cannot be read ({_reason(error)})"]
    return [] if same else [f"{name}: is not the study file in bundle.json"]


def _reason(error: Exception) -> str:
    """Why a file of the bundle cannot be read. Raises a fault of the machine, which contradicts nothing."""
    if is_of_the_machine(error):
        raise error
    return reason_of(error)


def _missing(rows: Sequence[Row], planned: frozenset[str]) -> str:
    recorded = planned & {row["trial_id"] for row in rows}
    return f"{len(planned)} planned trials: {len(recorded)} have a record, {len(planned) - len(recorded)} are missing"


def _others(bundle: Bundle) -> list[str]:
    """A line on the files of the folder that are no part of a bundle."""
    names = sorted(path.name for path in bundle.path.iterdir() if path.name not in PARTS)
    if not names:
        return []
    return [f"{first_names(names, 3)}, which `study bundle` does not write; they are not checked"]


def _name(row: Row) -> str:
    return f"{row['trial_id']}.{row['attempt']}"
