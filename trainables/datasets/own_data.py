"""A user's own data set: the call of the function at its import path, and the checks of what the function returns.

Every fault is one `DataError` that names the import path and the accepted form. `docs/extending.md` states the form.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from trainables.datasets.own_parts import source_of_parts
from trainables.datasets.source import UNLABELLED, DataError, Images, Indices, Source
from trainables.own_code import import_object, one_line
from trainables.own_files import OwnCode, own_code_of
from trainables.own_runs import own_code_runs

_EXPECTED = (
    "must be a function open_mine(data_root) that returns a Source, (train, test) or {'train': ..., 'test': ...}, "
    "each of these two as (images, labels) or as a data set of (image, label)"
)


@functools.lru_cache(maxsize=4)
def open_own(name: str, data_root: Path | None) -> Source:
    """Call the function at the import path `name` with the data root, and check what it returns.

    Raises `ValueError` if the import fails, and `DataError` for every other fault, also of the `decode` function
    whenever it is called.
    """
    source, _ = _called(name, data_root)
    return source


def refuse_changing(
    source: Source, name: str, data_root: Path | None, rows: Sequence[tuple[str, Indices]]
) -> None:
    """Call the function at `name` again. Raise `DataError` if it returns other data than `source`.

    For a `Source` of the user's, these are its fields and the images of `rows`, which are parts with rows.
    """
    again, stated = _called(name, data_root)
    differ = source.fingerprint != again.fingerprint
    if stated and not differ:
        labels = ((source.train_labels, again.train_labels), (source.test_labels, again.test_labels))
        differ = source.classes != again.classes or not all(np.array_equal(*pair) for pair in labels)
        differ = differ or not all(
            np.array_equal(source.decode(part, some), again.decode(part, some)) for part, some in rows
        )
    if differ:
        raise DataError(
            f"data: {name}: two calls return different data; seed its random numbers; {_EXPECTED}"
        )


def _called(name: str, data_root: Path | None) -> tuple[Source, bool]:
    """What the function returns, and whether it is a `Source` already."""
    opener = import_object(name, "data.name")
    with _named(name):
        if not callable(opener):
            raise DataError(f"got an object of type {type(opener).__name__}")
        with own_code_runs(name, keeps_random=True):
            returned = opener(data_root)
            stated = isinstance(returned, Source)
            source = _identified(_checked(returned), name) if stated else source_of_parts(returned)
    return dataclasses.replace(source, decode=functools.partial(_decode, name, source)), stated


def counted_code(name: str) -> OwnCode | None:
    """The code at the import path of a data set that ids cover: all of it, or None if it is a single file.

    A single file keeps the fingerprint of its content, so that the ids of such data sets do not change.
    """
    code = own_code_of(name)
    return code if len(code.files) > 1 else None


def _identified(source: Source, name: str) -> Source:
    """The source with a fingerprint that also covers the code behind it, if that is more than one file.

    A fingerprint cannot know of an edit in a module that decodes the images.
    """
    code = counted_code(name)
    if code is None:
        return source
    both = source.fingerprint.encode() + b"\0" + code.source
    return dataclasses.replace(source, fingerprint=hashlib.blake2b(both, digest_size=16).hexdigest())


def _decode(name: str, source: Source, part: str, rows: Indices) -> Images:
    """The images that the user's `decode` returns, if they have the form that the source states."""
    with _named(name):
        try:
            with own_code_runs(name, keeps_random=True):
                images = source.decode(part, rows)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise DataError(f"decode({part!r}, ...) raises {_error(error)}") from error
        allowed = (len(rows), source.channels, source.size, source.size)
        if not isinstance(images, np.ndarray):
            raise DataError(
                f"decode({part!r}, ...): got {type(images).__name__}; allowed is a uint8 array {allowed}"
            )
        if images.dtype != np.uint8 or images.shape != allowed:
            raise DataError(
                f"decode({part!r}, ...): got {images.dtype} {images.shape}; allowed is uint8 {allowed}"
            )
        return images


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors as one line with the import path and the accepted form."""
    try:
        yield
    except DataError as error:
        raise DataError(f"data: {name}: {error}; {_EXPECTED}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's code raises
        raise DataError(f"data: {name}: raises {_error(error)}; {_EXPECTED}") from error


def _error(error: BaseException) -> str:
    """The class and the message of an error in one line."""
    return f"ValueError: {one_line(error)}" if isinstance(error, ValueError) else one_line(error)


def _checked(source: Source) -> Source:
    """The source with labels as int64. Raises `DataError` for a field of a wrong type or out of its range."""
    names = source.classes
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"classes: got {names!r}; allowed is a tuple of text")
    if len(set(names)) < len(names):
        repeated = next(name for name in names if list(names).count(name) > 1)
        raise DataError(f"classes: {repeated!r} is given twice")
    if source.channels not in (1, 3):
        raise DataError(f"channels: got {source.channels!r}; allowed are 1 (grey) and 3 (colour)")
    if not _is_count(source.size):
        raise DataError(f"size: got {source.size!r}; allowed are whole numbers from 1")
    for field in ("fingerprint", "views"):
        if not isinstance(value := getattr(source, field), str) or not value:
            raise DataError(f"{field}: got {value!r}; allowed is text")
    train = _source_labels(source.train_labels, "train_labels", len(names))
    test = _source_labels(source.test_labels, "test_labels", len(names))
    labelled = int((train != UNLABELLED).sum())
    if source.n_val is not None and not (_is_count(source.n_val) and source.n_val < labelled):
        raise DataError(f"n_val: got {source.n_val!r}; allowed are whole numbers from 1 to {labelled - 1}")
    return dataclasses.replace(source, classes=tuple(names), train_labels=train, test_labels=test)


def _source_labels(values: Any, field: str, n_classes: int) -> Indices:
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{field}: got {labels.dtype} {labels.shape}; allowed are integers (N,)")
    if not labels.size:
        raise DataError(f"{field}: no images")
    labels = labels.astype(np.int64)
    bad = np.flatnonzero((labels < UNLABELLED) | (labels >= n_classes))
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"{field}: label {labels[row]} in row {row}; allowed are 0 to {n_classes - 1}, the places in classes, "
            f"and {UNLABELLED} for an image without a label"
        )
    return labels


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)
