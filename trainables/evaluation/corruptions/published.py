"""Published corrupted test sets in the layout of CIFAR-10-C (Hendrycks and Dietterich 2019, arXiv 1903.12261).

A folder holds `labels.npy` and one `NAME.npy` per corruption, uint8 of shape `(5 N, H, W, C)`. Each file holds the N
test images in the order of the published test set, first at severity 1, then at severity 2, and so on to 5.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainables.config import ProbeConfig
from trainables.datasets.files import file_states, files_fingerprint, remembered
from trainables.datasets.loaded import DatasetInfo
from trainables.datasets.source import AbsentDataError, DataError, Images, Indices, locate
from trainables.evaluation.probes import PROBES
from trainables.reading import check_regular

SEVERITIES = 5

BUILT_IN_SET = "built_in"
_FORM = "npy:"


def published_files(probe: ProbeConfig, info: DatasetInfo, data_root: Path | None) -> list[Path]:
    """The files of the published corruptions in `npy:FOLDER`; empty when the suite uses no published corruptions.

    Reads only the headers. Raises `ValueError` for another form, and `DataError` as `check_published` does.
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
    """Hash of the names and bytes of the published corruptions that the suite uses; "" when it uses none.

    Reads the complete files, and caches the result until a file changes. Raises as `published_files` does.
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
    """The corruption files of a folder, sorted by name. The folder is absolute or under the data root.

    Reads only the headers. Raises `DataError` when the folder or a file is missing, when a file is damaged, or when
    its shape does not match images of `channels` and `size`.
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
    """Yield the test images `rows` of the published order for each corruption, uint8 `(N, C, H, W)`.

    `labels` are the data set's labels of these images, which may be renumbered. They serve to check the rows: raises
    `DataError` when the files have another order, or fewer images than `rows` need.
    """
    published = _open(_labels_file(files))
    count = len(published) // SEVERITIES
    if rows.max() >= count:
        raise DataError(
            f"{files[0].parent}: {count} images a severity; the test set has {rows.max() + 1} or more"
        )
    chosen = rows + (severity - 1) * count
    # A subset of classes has new label numbers in the same order, so ranks agree although numbers may differ.
    theirs, ours = (np.unique(each, return_inverse=True)[1] for each in (published[chosen], labels))
    if not np.array_equal(theirs, ours):
        row = int(rows[np.flatnonzero(theirs != ours)[0]])
        raise DataError(
            f"{files[0].parent}: labels.npy differs from the test set's labels in row {row}; "
            "it has another order or is from another set"
        )
    for path in files:
        yield np.ascontiguousarray(_open(path)[chosen].transpose(0, 3, 1, 2))


def _labels_file(files: list[Path]) -> Path:
    return files[0].with_name("labels.npy")


def _open(path: Path) -> npt.NDArray:
    """An array on disk, mapped into memory without reading it."""
    try:
        check_regular(path)
        return np.lib.format.open_memmap(path, mode="r")  # which reads no pickles
    except FileNotFoundError as error:
        raise AbsentDataError(f"data not found: there is no file {path}") from error
    except (ValueError, OverflowError, OSError, EOFError) as error:
        raise DataError(f"{path}: not a readable .npy file, truncated or damaged") from error
