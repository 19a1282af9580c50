"""The columns of images and labels in Parquet files, and the class names; used by `parquet`.

An image column is a struct with binary `bytes`, or a binary column. The label column is the first of `LABEL_NAMES`,
or else the only column that the `huggingface` metadata calls a class label. It holds integers or text.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainables.datasets.class_labels import Values, class_numbers, class_values, is_text
from trainables.datasets.source import DataError, Indices, check_labels
from trainables.suggestion import first_line

#: Label columns in the order of preference.
LABEL_NAMES = ("label", "labels", "fine_label")

#: Names that decide between several image columns.
_IMAGE_NAMES = ("image", "img")

#: The most rows of a file. ImageNet-21k has 14 million images.
_MOST_ROWS = 100_000_000

#: The first bytes of the file that stands for a large file until Git LFS downloads it.
_LFS = b"version https://git-lfs"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of the files of one part. `image` is the path of the column with the encoded bytes."""

    image: str
    label: str
    text: bool  # the labels are text
    names: tuple[str, ...] | None  # class names of the metadata
    notes: tuple[str, ...]


def find_columns(paths: Sequence[Path]) -> Columns:
    """The columns of the first file. Raises `DataError` if they are absent, or not alike in another file."""
    first, *others = paths
    columns = _columns_of(first)
    for path in others:
        other = _columns_of(path)
        if (other.image, other.label, other.text) != (columns.image, columns.label, columns.text):
            raise DataError(
                f"{path}: columns {_named(other)} are not alike with {_named(columns)} of {first.name}"
            )
    return columns


def _columns_of(path: Path) -> Columns:
    with open_file(path) as file:
        schema = file.schema_arrow
    image, image_notes = _image_column(schema, path)
    label, label_notes = _label_column(schema, path)
    kind = schema.field(label).type
    if not pa.types.is_integer(kind) and not _is_text(kind):
        raise DataError(f"{path}: label column {label!r} is {kind}; allowed are integer types and text")
    return Columns(
        image=image,
        label=label,
        text=_is_text(kind),
        names=_class_names(schema, label),
        notes=(*image_notes, *label_notes),
    )


def _named(columns: Columns) -> str:
    return f"{columns.image} and {columns.label} ({'text' if columns.text else 'integers'})"


def _image_column(schema: pa.Schema, path: Path) -> tuple[str, list[str]]:
    structs = {field.name: f"{field.name}.bytes" for field in schema if _holds_bytes(field.type)}
    found = structs or {field.name: field.name for field in schema if _is_binary(field.type)}
    if not found:
        raise DataError(
            f"{path}: no image column, that is a struct with binary 'bytes' or a binary column; columns are "
            f"{_described(schema)}"
        )
    if len(found) == 1:
        return next(iter(found.values())), []
    chosen = next((name for name in _IMAGE_NAMES if name in found), None)
    if chosen is None:
        raise DataError(
            f"{path}: {len(found)} image columns, {', '.join(found)}; name one of them {' or '.join(_IMAGE_NAMES)}"
        )
    return found[chosen], [f"images are column {chosen!r}, not {_others(found, chosen)}"]


def _label_column(schema: pa.Schema, path: Path) -> tuple[str, list[str]]:
    features = _features(schema)
    declared = [
        name
        for name in schema.names
        if isinstance(features.get(name), dict) and features[name].get("_type") == "ClassLabel"
    ]
    candidates = [name for name in LABEL_NAMES if name in schema.names]
    if not candidates and len(declared) != 1:
        raise DataError(f"{path}: no column {' or '.join(LABEL_NAMES)}; columns are {_described(schema)}")
    chosen = (candidates or declared)[0]
    alike = [name for name in schema.names if name.endswith(("label", "labels"))]
    others = [name for name in dict.fromkeys([*candidates, *declared, *alike]) if name != chosen]
    if others:
        return chosen, [f"labels are column {chosen!r}, not {_others(others, chosen)}"]
    return chosen, []


def _others(names: Sequence[str] | dict[str, str], chosen: str) -> str:
    return " or ".join(repr(name) for name in names if name != chosen)


def _holds_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_struct(kind)
        and kind.get_field_index("bytes") >= 0
        and _is_binary(kind.field("bytes").type)
    )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _features(schema: pa.Schema) -> dict[str, Any]:
    """The features of the `huggingface` metadata, which are optional."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return features if isinstance(features, dict) else {}


def _class_names(schema: pa.Schema, label: str) -> tuple[str, ...] | None:
    try:
        return tuple(_features(schema)[label]["names"])
    except (KeyError, TypeError):
        return None


def read_labels(path: Path, columns: Columns) -> Values:
    """The labels of a file, as integers or as text. Raises `DataError` for a row without a label."""
    with open_file(path, shared=columns.label) as file:
        if (rows := file.metadata.num_rows) > _MOST_ROWS:
            raise DataError(f"{path}: {rows:,} rows; at most {_MOST_ROWS:,} are read")
        try:
            column = file.read(columns=[columns.label]).column(columns.label)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(path, error) from error
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise DataError(f"{path}: no label in row {row}")
    if columns.text:
        return _texts(column.combine_chunks().dictionary_encode())
    return column.to_numpy().astype(np.int64)


def number_labels(
    train: dict[Path, Values], test: dict[Path, Values], names: tuple[str, ...] | None
) -> tuple[Indices, Indices, tuple[str, ...]]:
    """The labels of both parts counted from 0, and the class names, from the labels of each file.

    Integers with `names` of the metadata are places in it. Without, the classes are the values that occur in the
    training part. Raises `DataError` for the first label that is not allowed.
    """
    whole = np.concatenate(list(train.values()))
    if is_text(whole):
        names = None
    else:
        for path, labels in train.items():
            check_labels(labels, len(whole) if names is None else len(names), str(path))
    values = class_values(whole, str(next(iter(train)))) if names is None else np.arange(len(names))
    for path, labels in test.items():
        if names is not None and not is_text(labels):
            check_labels(labels, len(names), str(path))
    numbers = [
        np.concatenate([class_numbers(labels, values, str(path)) for path, labels in part.items()])
        for part in (train, test)
    ]
    return numbers[0], numbers[1], tuple(map(str, values)) if names is None else names


def _texts(column: pa.DictionaryArray | pa.ChunkedArray) -> Values:
    """The texts of labels. Equal ones are one object."""
    parts = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate(
        [np.array(part.dictionary.to_pylist(), dtype=object)[part.indices.to_numpy()] for part in parts]
        or [np.array([], dtype=object)]
    )


def open_file(path: Path, *, shared: str | None = None) -> pq.ParquetFile:
    """An open Parquet file. Raises `DataError` if it is not readable.

    The texts of the column `shared` stay in memory once each, as in the file.
    """
    try:
        return pq.ParquetFile(path, read_dictionary=[shared] if shared else None)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is not readable."""
    try:
        with path.open("rb") as file:
            if file.read(len(_LFS)) == _LFS:
                return DataError(
                    f"{path}: is a Git LFS pointer, not the file; download it with `git lfs pull`"
                )
    except OSError:
        pass
    return DataError(f"{path}: not a readable Parquet file, truncated or damaged ({first_line(error)})")
