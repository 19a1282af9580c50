"""The common form of all open data sets, `Source`, and the error `DataError` that they raise."""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainables.suggestion import short_name

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

#: The label value of an unlabelled image, as in the unlabelled part of STL-10.
UNLABELLED = -1

#: Names of a validation part in a user's folder, in the order of preference.
VALIDATION = ("val", "valid", "validation")


class DataError(ValueError):
    """A data set is unknown, absent or damaged. The message is one line."""


class AbsentDataError(DataError):
    """A data set is not on this machine, or only in part."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set that is open but not decoded. Two sources are equal only if they are the same object.

    `decode(part, rows)` returns the images of the given rows of `part` ("train" or "test") in the order of `rows`, as
    uint8 of shape (N, C, H, W). Labels count from 0; `UNLABELLED` marks an unlabelled image.
    """

    train_labels: Indices
    test_labels: Indices
    classes: tuple[str, ...]
    channels: int
    size: int
    fingerprint: str
    views: str  # name of the default recipe of views
    decode: Callable[[str, Indices], Images]
    n_val: int | None = None  # images in the validation split; None: a tenth of the labelled training images
    fitted: bool = False  # images of any shape are fitted to `size`
    #: Decoded images are stored on disk under `fingerprint`, which must then cover the pixels.
    cached: bool = False
    found: str = ""  # what was read, for `study data`
    #: What was not read, and what was chosen by a rule; plans and launches print it.
    notes: tuple[str, ...] = ()


def default_views(channels: int) -> str:
    """The recipe of views for images of a user: that of digits for grey ones."""
    return "digits" if channels == 1 else "cifar"


def test_part_note(name: str) -> str:
    """The note that a validation part is the test split."""
    return f"{name} is the test split, because there is no test part"


def unused_part_note(name: str) -> str:
    """The note that a validation part is not read."""
    return f"{name} is not used; a validation split is a tenth of train"


def locate(where: str, data_root: Path | None) -> Path:
    """The absolute path of a data set. A relative path is resolved under the data root.

    Raises `AbsentDataError` when the path does not exist, or when it is relative and there is no data root, and
    `DataError` for a path that no file can have.
    """
    path = Path(where).expanduser()
    if path.is_absolute():
        hint = "the name in the study file is an absolute path"
    else:
        path, hint = rooted(where, data_root) / path, "set its location with --data-root or STUDY_DATA_ROOT"
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AbsentDataError(f"data not found at {path}; {hint}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        reason = getattr(error, "strerror", "a path has no NUL character")
        raise DataError(f"data: cannot read {short_name(path)}: {reason}") from error
    return path


def rooted(name: str, data_root: Path | None) -> Path:
    """The data root, absolute. Raises `AbsentDataError` without one."""
    if data_root is None:
        raise AbsentDataError(
            f"data {name!r} not found: no data root is set; give one by --data-root or STUDY_DATA_ROOT"
        )
    return Path(data_root).absolute()


def download_command(name: str, data_root: Path | None) -> str:
    """The command that downloads a published data set."""
    return f"study data {name} --data-root {shlex.quote(str(data_root))} --download"


def check_labels(labels: Indices, n_classes: int, where: str) -> Indices:
    """Return the labels if all are in 0 .. n_classes - 1. Otherwise raise `DataError` with the first wrong row."""
    bad = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if bad.size:
        row = int(bad[0])
        raise DataError(f"{where}: label {labels[row]} in row {row}; allowed are 0 to {n_classes - 1}")
    return labels
