"""Image sets in Parquet files, in the format of model hubs: a column of encoded images and a column of labels.

`parquet_parts` finds the files of the parts, and `parquet_columns` their columns. The fingerprint is the hash of the
bytes of all files.
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainables.datasets.files import FileState, file_states, files_fingerprint, remembered
from trainables.datasets.images import Form, decode_images, image_header, image_shape
from trainables.datasets.parquet_columns import (
    find_columns,
    number_labels,
    open_file,
    read_labels,
    unreadable,
)
from trainables.datasets.parquet_parts import find_parts
from trainables.datasets.source import DataError, Images, Indices, Source, default_views, locate

#: The most bytes of a batch of rows, counted as if each row had all values of its row group.
_BATCH_BYTES = 1 << 28

#: The least and the most rows of a batch.
_FEW_ROWS, _MANY_ROWS = 32, 1 << 14


def open_parquet(where: str, data_root: Path | None, size: int | None = None) -> Source:
    """Open the data set in folder `where`, an absolute path or a path under the data root.

    Reads the labels and the header of the first image. With `size`, images of any shape are fitted to it (see
    `Form`). Raises `DataError` when a file is absent or truncated, or when its columns are not as expected.
    """
    parts = find_parts(locate(where, data_root))
    return _open_files(file_states(parts.train), file_states(parts.test), size, parts.found, parts.notes)


@functools.lru_cache(maxsize=8)
def _open_files(
    train: tuple[FileState, ...],
    test: tuple[FileState, ...],
    size: int | None,
    found: str,
    notes: tuple[str, ...],
) -> Source:
    paths = {part: [Path(file.path) for file in files] for part, files in (("train", train), ("test", test))}
    columns = {part: find_columns(files) for part, files in paths.items()}
    labels = {
        part: {path: read_labels(path, columns[part]) for path in files} for part, files in paths.items()
    }
    train_labels, test_labels, classes = number_labels(
        labels["train"], labels["test"], columns["train"].names
    )
    form = _form(paths["train"], columns["train"].image, size)
    structure = _structure(len(train), len(test), classes, given=columns["train"].names is not None)
    facts = remembered(
        f"parquet 1{structure}",
        (*train, *test),
        lambda: {"fingerprint": files_fingerprint((*train, *test), structure)},
    )
    used = {part: f"{each.image.removesuffix('.bytes')} and {each.label}" for part, each in columns.items()}
    columns_found = used["train"] if used["train"] == used["test"] else f"{used['train']}; {used['test']}"
    return Source(
        train_labels=train_labels,
        test_labels=test_labels,
        classes=classes,
        channels=form.channels,
        size=form.size,
        fingerprint=facts["fingerprint"],
        views=default_views(form.channels),
        decode=lambda part, rows: _decode_rows(paths[part], columns[part].image, rows, form),
        fitted=form.fit,
        cached=True,
        found=f"{found}; columns {columns_found}",
        notes=tuple(dict.fromkeys((*notes, *columns["train"].notes, *columns["test"].notes))),
    )


def _structure(train: int, test: int, classes: tuple[str, ...], *, given: bool) -> str:
    """What the fingerprint covers besides the files' bytes.

    It is empty for one file a part with named or consecutive classes, so that the ids of the trials of such sets are
    those of the first versions.
    """
    numbers = () if given or classes == tuple(map(str, range(len(classes)))) else classes
    return repr((train, test, numbers)) if (train, test, numbers) != (1, 1, ()) else ""


def _form(paths: Sequence[Path], column: str, size: int | None) -> Form:
    """The first image's form, or `size` and the first image's channels."""
    for where, data in _encoded(paths, column, np.zeros(1, dtype=np.int64)):
        if size is not None:
            return Form(channels=image_header(data, where)[0], size=size, fit=True)
        channels, own_size = image_shape(data, where)
        return Form(channels=channels, size=own_size)
    raise DataError(f"{paths[0]}: no images")


def _decode_rows(paths: Sequence[Path], column: str, rows: Indices, form: Form) -> Images:
    ascending = np.argsort(rows, kind="stable")
    images = decode_images(_encoded(paths, column, rows[ascending]), len(rows), form)
    return images[np.argsort(ascending, kind="stable")]


def _encoded(paths: Sequence[Path], column: str, rows: Indices) -> Iterator[tuple[str, bytes | None]]:
    """The encoded bytes of rows in ascending order, with some rows of one row group in memory at a time.

    Rows are counted over all files. Messages count them within the file.
    """
    start = 0
    for path in paths:
        with open_file(path) as file:
            before = start
            for group in range(file.num_row_groups):
                stop = start + file.metadata.row_group(group).num_rows
                wanted = rows[(rows >= start) & (rows < stop)]
                if wanted.size:
                    for row, value in _values(path, file, group, column, wanted - start):
                        yield f"{path}, row {start - before + row}", value
                start = stop


def _values(
    path: Path, file: pq.ParquetFile, group: int, column: str, wanted: Indices
) -> Iterator[tuple[int, bytes | None]]:
    """The wanted rows of a row group, which are in ascending order, and their encoded bytes.

    A file can hold a value once and name it in every row, so the memory of a whole row group has no bound.
    """
    stored = file.metadata.row_group(group)
    size = sum(stored.column(number).total_uncompressed_size for number in range(stored.num_columns))
    step = min(max(_BATCH_BYTES // max(size, 1), _FEW_ROWS), _MANY_ROWS)
    first = 0
    try:
        for batch in file.iter_batches(step, row_groups=[group], columns=[column]):
            low, high = np.searchsorted(wanted, (first, first + len(batch)))
            if low < high:
                values = batch.column(0).take(pa.array(wanted[low:high] - first))
                for row, item in zip(wanted[low:high], values, strict=True):
                    value = item.as_py()
                    yield int(row), value["bytes"] if isinstance(value, dict) else value
            first += len(batch)
            if first > wanted[-1]:
                return
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    raise unreadable(path, ValueError(f"row group {group} has {first} of {stored.num_rows} rows"))
