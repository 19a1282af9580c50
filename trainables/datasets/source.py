"""What every data set is reduced to before anything is decoded, and the error that all of them raise."""

import shlex
from collections.abc import Callable
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
    fitted: bool = False  # images of any shape are brought to `size`
    cached: bool = False  # decoded images are kept on disk under `fingerprint`, which must then cover pixels


def locate(where: str, data_root: Path | None) -> Path:
    """The absolute path of a data set: as it stands, or under the data root.

    Raises `DataError` when nothing is there, or when a relative name comes without a root.
    """
    path = Path(where).expanduser()
    if path.is_absolute():
        hint = "the name in the study file says an absolute path"
    else:
        path, hint = rooted(where, data_root) / path, "say where it lies by --data-root or STUDY_DATA_ROOT"
    if not path.exists():
        raise DataError(f"data not found at {path}; {hint}")
    return path


def rooted(name: str, data_root: Path | None) -> Path:
    """The data root, absolute. Raises `DataError` without one."""
    if data_root is None:
        raise DataError(
            f"data {name!r} not found: no data root is set; give one by --data-root or STUDY_DATA_ROOT"
        )
    return Path(data_root).absolute()


def download_command(name: str, data_root: Path | None) -> str:
    """What fetches a published set."""
    return f"study data {name} --data-root {shlex.quote(str(data_root))} --download"


def check_labels(labels: Indices, n_classes: int, where: str) -> Indices:
    """The labels, when all lie in 0 .. n_classes - 1. Raises `DataError` naming the first row otherwise."""
    bad = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if bad.size:
        row = int(bad[0])
        raise DataError(f"{where}: label {labels[row]} in row {row}; allowed are 0 to {n_classes - 1}")
    return labels
