"""What every data set is reduced to before anything is decoded, and the error that all of them raise."""

import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

#: Label of an image without one, as in the unlabelled part of STL-10.
UNLABELLED = -1


class DataError(ValueError):
    """A data set that is unknown, absent or damaged, in one line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set that is open but not decoded; two are equal when they are the same object.

    `decode(part, rows)` gives the images of the rows of `part` ("train" or "test") in that order, as uint8 of
    shape (N, C, H, W). Labels count from 0; `UNLABELLED` marks an image without one.
    """

    train_labels: Indices
    test_labels: Indices
    classes: tuple[str, ...]
    channels: int
    size: int
    fingerprint: str
    views: str  # name of the recipe that suits these images
    decode: Callable[[str, Indices], Images]
    n_val: int | None = (
        None  # images of the validation split, None for a tenth of the labelled training images
    )


def locate(where: str, data_root: Path | None) -> Path:
    """The path of a data set: absolute as it stands, otherwise under the data root.

    Raises `DataError` when nothing is there, or when a relative name comes without a root.
    """
    path = Path(where).expanduser()
    if not path.is_absolute():
        if data_root is None:
            raise DataError(
                f"data {where!r} not found: no data root is set; give one by --data-root or STUDY_DATA_ROOT"
            )
        path = Path(data_root) / path
    if not path.exists():
        raise DataError(f"data not found at {path}; say where it lies by --data-root or STUDY_DATA_ROOT")
    return path


def check_labels(labels: Indices, n_classes: int, where: str) -> Indices:
    """The labels, when all lie in 0 .. n_classes - 1. Raises `DataError` naming the first row otherwise."""
    bad = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if bad.size:
        row = int(bad[0])
        raise DataError(f"{where}: label {labels[row]} in row {row}; allowed are 0 to {n_classes - 1}")
    return labels


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file as it was when looked at: what is cached under it is stale once the file changes."""

    path: Path
    size: int
    mtime_ns: int


def file_states(paths: Iterable[Path]) -> tuple[FileState, ...]:
    """The present state of each file. Raises `DataError` for one that is missing."""
    return tuple(_file_state(path) for path in paths)


def files_fingerprint(files: Iterable[FileState], structure: str = "") -> str:
    """Hash of `structure` and of the bytes of files, in the given order; names and places do not enter."""
    digest = hashlib.blake2b(structure.encode(), digest_size=16)
    for file in files:
        digest.update(_file_digest(file))
    return digest.hexdigest()


def _file_state(path: Path) -> FileState:
    if not path.is_file():
        raise DataError(f"data not found: there is no file {path}")
    status = path.stat()
    return FileState(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _file_digest(file: FileState) -> bytes:
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()
