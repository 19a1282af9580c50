"""Image sets in Parquet as model hubs publish them: a struct column of encoded bytes and an integer label.

A folder holds `train.parquet` and `test.parquet`. Class names come from the schema's `huggingface` metadata
where it has them. The fingerprint is the hash of the two files' bytes.
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
    """The set in folder `where`, absolute or under the data root; reads labels and the first image's header.

    With `size`, images of any shape are fitted to it (see `Form`). Raises `DataError` when a file is absent,
    truncated, or has other columns than expected.
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
    """Which columns of a file hold images and labels."""

    schema: pa.Schema
    image: str
    label: str

    @classmethod
    def find(cls, path: Path) -> "_Columns":
        with _open(path) as file:
            schema = file.schema_arrow
        return cls(schema=schema, image=image_column(schema, path), label=label_column(schema, path))


def image_column(schema: pa.Schema, path: Path) -> str:
    """Name of the one struct column with binary `bytes`. Raises `DataError` naming the columns found."""
    names = [field.name for field in schema if _holds_image(field.type)]
    if len(names) != 1:
        raise DataError(
            f"{path}: {len(names)} struct columns with binary 'bytes', expected one; "
            f"columns are {_columns(schema)}"
        )
    return names[0]


def label_column(schema: pa.Schema, path: Path) -> str:
    """Name of the label column, checked to be of an integer type. Raises `DataError` otherwise."""
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
    """Names from the metadata, or the numbers up to the largest label, of which there are at most as many as
    images."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(next(features[name]["names"] for name in LABEL_NAMES if name in features))
    except (KeyError, TypeError, ValueError, StopIteration):  # names are decoration, whatever their state
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
    """The encoded bytes of ascending rows, one row group in memory at a time."""
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
