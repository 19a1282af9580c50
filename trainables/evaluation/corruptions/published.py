"""Published corrupted test sets in the layout of CIFAR-10-C (Hendrycks and Dietterich 2019, arXiv 1903.12261).

A folder with `labels.npy` and one `NAME.npy` a corruption: uint8 of shape `(5 N, H, W, C)`, the N test images in the
order of the published test set at severity 1, then again at severity 2, and so on to 5.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainables.config import ProbeConfig
from trainables.datasets.files import file_states, files_fingerprint, remembered
from trainables.datasets.loaded import DatasetInfo
from trainables.datasets.source import DataError, Images, Indices, locate
from trainables.evaluation.probes import PROBES

SEVERITIES = 5

BUILT_IN_SET = "built_in"
_FORM = "npy:"


def published_files(probe: ProbeConfig, info: DatasetInfo, data_root: Path | None) -> list[Path]:
    """The corruption files that a probe's `npy:FOLDER` names, none where it measures no published corruptions.

    Reads headers alone. Raises `ValueError` for another form, and `DataError` as `check_published` does.
    """
    measured = any(PROBES[name].corrupted for name in probe.suite)
    if not measured or probe.corruptions == BUILT_IN_SET:
        return []
    folder = probe.corruptions.removeprefix(_FORM)
    if folder in ("", probe.corruptions):
        raise ValueError(
            f"corruptions: got {probe.corruptions!r}; allowed are {BUILT_IN_SET} and {_FORM}FOLDER"
        )
    return check_published(folder, data_root, channels=info.channels, size=info.size)


def corruptions_fingerprint(probe: ProbeConfig, info: DatasetInfo, data_root: Path | None) -> str:
    """Hash of the names and bytes of the published corruptions that a probe measures; "" where it has none.

    Reads the files whole, once for as long as none changes. Raises as `published_files` does.
    """
    if not (files := published_files(probe, info, data_root)):
        return ""
    names, states = repr([path.name for path in files]), file_states([_labels_file(files), *files])
    facts = remembered(
        f"corruptions 1 {names}", states, lambda: {"fingerprint": files_fingerprint(states, names)}
    )
    fingerprint: str = facts["fingerprint"]
    return fingerprint


def check_published(where: str, data_root: Path | None, *, channels: int, size: int) -> list[Path]:
    """The corruption files of a folder, absolute or under the data root, sorted by name.

    Reads headers alone. Raises `DataError` where the folder or a file is missing, damaged or of another shape than
    images of `channels` and `size` have.
    """
    folder = locate(where, data_root)
    files = sorted(path for path in folder.glob("*.npy") if path.name != "labels.npy")
    if not files:
        raise DataError(f"{folder}: no corruptions; needed are NAME.npy files beside labels.npy")
    labels = _open(folder / "labels.npy")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or len(labels) % SEVERITIES:
        raise DataError(
            f"{folder / 'labels.npy'}: {labels.dtype} of shape {labels.shape}; needed are integers (5 N,)"
        )
    wanted = (len(labels), size, size, channels)
    for path in files:
        images = _open(path)
        if images.dtype != np.uint8 or images.shape != wanted:
            raise DataError(f"{path}: {images.dtype} of shape {images.shape}; needed is uint8 {wanted}")
    return files


def published_copies(files: list[Path], severity: int, rows: Indices, labels: Indices) -> Iterator[Images]:
    """Under one corruption after the other, the test images `rows` of the published order, uint8 `(N, C, H, W)`.

    `labels` are those that the data set gives these images, renumbered or not, as the rows are checked by them:
    raises `DataError` where the files follow another order, or hold another number of images.
    """
    published = _open(_labels_file(files))
    count = len(published) // SEVERITIES
    if rows.max() >= count:
        raise DataError(
            f"{files[0].parent}: {count} images a severity; the test set has {rows.max() + 1} or more"
        )
    chosen = rows + (severity - 1) * count
    # A subset of classes is numbered anew in the same order: ranks agree, numbers need not.
    theirs, ours = (np.unique(each, return_inverse=True)[1] for each in (published[chosen], labels))
    if not np.array_equal(theirs, ours):
        row = int(rows[np.flatnonzero(theirs != ours)[0]])
        raise DataError(
            f"{files[0].parent}: labels.npy differs from the test set's labels in row {row}: another order or set"
        )
    for path in files:
        yield np.ascontiguousarray(_open(path)[chosen].transpose(0, 3, 1, 2))


def _labels_file(files: list[Path]) -> Path:
    return files[0].with_name("labels.npy")


def _open(path: Path) -> npt.NDArray:
    """An array on disk, mapped and not read."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"data not found: there is no file {path}") from error
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not a readable .npy file, truncated or damaged") from error
