"""Image sets in Parquet files, in the format of model hubs: a struct column of encoded bytes and an integer label.

A folder holds `train.parquet` and `test.parquet`. Class names come from the `huggingface` metadata of the schema, if
present. The fingerprint is the hash of the bytes of the two files.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainables.datasets.files import FileState, file_states, files_fingerprint, remembered
from trainables.datasets.images import Form, decode_images, image_header, image_shape
from trainables.datasets.source import DataError, Images, Indices, Source, check_labels, locate

LABEL_NAMES = ("label", "labels", "fine_label")


def open_parquet(where: str, data_root: Path | None, size: int | None = None) -> Source:
    """Open the data set in folder `where`, an absolute path or a path under the data root.

    Reads the labels and the header of the first image. With `size`, images of any shape are fitted to it (see
    `Form`). Raises `DataError` when a file is absent or truncated, or when its columns are not as expected.
    """
    folder = locate(where, data_root)
    train, test = file_states(folder / f"{part}.parquet" for part in ("train", "test"))
    return _open_files(train, test, size)


@functools.lru_cache(maxsize=8)
def _open_files(train: FileState, test: FileState, size: int | None) -> Source:
    paths = {"train": Path(train.path), "test": Path(test.path)}
    columns = {part: _Columns.find(path) for part, path in paths.items()}
    labels = {part: _read_labels(path, columns[part].label) for part, path in paths.items()}
    classes = _class_names(columns["train"].schema, labels["train"], paths["train"])
    for part, path in paths.items():
        check_labels(labels[part], len(classes), str(path))
    form = _form(paths["train"], columns["train"].image, size)
    facts = remembered("parquet 1", (train, test), lambda: {"fingerprint": files_fingerprint((train, test))})
    return Source(
        train_labels=labels["train"],
        test_labels=labels["test"],
        classes=classes,
        channels=form.channels,
        size=form.size,
        fingerprint=facts["fingerprint"],
        views="digits" if form.channels == 1 else "cifar",
        decode=lambda part, rows: _decode_rows(paths[part], columns[part].image, rows, form),
        fitted=form.fit,
        cached=True,
    )


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The schema of a file, and the names of its columns for images and labels."""

    schema: pa.Schema
    image: str
    label: str

    @classmethod
    def find(cls, path: Path) -> "_Columns":
        with _open(path) as file:
            schema = file.schema_arrow
        return cls(schema=schema, image=image_column(schema, path), label=label_column(schema, path))


def image_column(schema: pa.Schema, path: Path) -> str:
    """Name of the only struct column with binary `bytes`. Raises `DataError` with the columns of the file."""
    names = [field.name for field in schema if _holds_image(field.type)]
    if len(names) != 1:
        raise DataError(
            f"{path}: {len(names)} struct columns with binary 'bytes', expected one; "
            f"columns are {_columns(schema)}"
        )
    return names[0]


def label_column(schema: pa.Schema, path: Path) -> str:
    """Name of the label column. Raises `DataError` when it is absent or not of an integer type."""
    names = [name for name in LABEL_NAMES if name in schema.names]
    if not names:
        raise DataError(f"{path}: no column {' or '.join(LABEL_NAMES)}; columns are {_columns(schema)}")
    kind = schema.field(names[0]).type
    if not pa.types.is_integer(kind):
        raise DataError(f"{path}: label column {names[0]!r} is {kind}; allowed are integer types")
    return names[0]


def _holds_image(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return False
    inner = kind.field("bytes").type
    return bool(pa.types.is_binary(inner) or pa.types.is_large_binary(inner))


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: not a readable Parquet file, truncated or damaged ({str(error).splitlines()[0]})"
    )


def _read_labels(path: Path, name: str) -> Indices:
    with _open(path) as file:
        try:
            column = file.read(columns=[name]).column(name)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise DataError(f"{path}: no label in row {row}")
    return column.to_numpy().astype(np.int64)


def _class_names(schema: pa.Schema, labels: Indices, path: Path) -> tuple[str, ...]:
    """The class names from the metadata, or else the numbers from 0 to the largest label.

    Without metadata, raises `DataError` for a label that is not below the number of images.
    """
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(next(features[name]["names"] for name in LABEL_NAMES if name in features))
    except (KeyError, TypeError, ValueError, StopIteration):  # names are optional
        check_labels(labels, len(labels), str(path))
        return tuple(map(str, range(int(labels.max(initial=-1)) + 1)))


def _form(path: Path, column: str, size: int | None) -> Form:
    """The first image's form, or `size` and the first image's channels."""
    for where, data in _encoded(path, column, np.zeros(1, dtype=np.int64)):
        if size is not None:
            return Form(channels=image_header(data, where)[0], size=size, fit=True)
        channels, own_size = image_shape(data, where)
        return Form(channels=channels, size=own_size)
    raise DataError(f"{path}: no images")


def _decode_rows(path: Path, column: str, rows: Indices, form: Form) -> Images:
    ascending = np.argsort(rows, kind="stable")
    images = decode_images(_encoded(path, column, rows[ascending]), len(rows), form)
    return images[np.argsort(ascending, kind="stable")]


def _encoded(path: Path, column: str, rows: Indices) -> Iterator[tuple[str, bytes | None]]:
    """The encoded bytes of rows in ascending order, with one row group in memory at a time."""
    with _open(path) as file:
        start = 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            wanted = rows[(rows >= start) & (rows < stop)]
            if wanted.size:
                try:
                    table = file.read_row_group(group, columns=[f"{column}.bytes"])
                except (pa.ArrowException, OSError) as error:
                    raise _unreadable(path, error) from error
                for row, item in zip(wanted, table.column(column).take(wanted - start), strict=True):
                    value = item.as_py()
                    yield f"{path}, row {row}", value and value["bytes"]
            start = stop
