"""CIFAR-10, CIFAR-100 and STL-10 in the files that torchvision downloads and checks.

Importing torchvision takes seconds, so functions import it, and only when they inspect files for the first time or
decode them. Trials never download data: only an explicit call of `download_torchvision` does. The fingerprint is the
hash of the files' bytes.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trainables.datasets.files import FileState, file_states, files_fingerprint, remembered
from trainables.datasets.source import (
    UNLABELLED,
    AbsentDataError,
    DataError,
    Images,
    Indices,
    Source,
    download_command,
    rooted,
)

#: `Read` returns the images of given rows of a part. `Look` returns facts about a data set without its images.
Read = Callable[[str, Indices], Images]
Look = Callable[[], dict[str, Any]]

#: The class in torchvision, and its folder under the data root.
_SETS: dict[str, tuple[str, str]] = {
    "cifar10": ("CIFAR10", "cifar-10-batches-py"),
    "cifar100": ("CIFAR100", "cifar-100-python"),
    "stl10": ("STL10", "stl10_binary"),
}

#: STL-10's image files: 3 x 96 x 96 bytes per image, in column-major order; the unlabelled file is last.
_STL10_IMAGES = {"train": ("train_X.bin", "unlabeled_X.bin"), "test": ("test_X.bin",)}
_STL10_SIZE = 96


def open_torchvision(name: str, data_root: Path | None) -> Source:
    """Open CIFAR-10, CIFAR-100 or STL-10 under the data root. STL-10 trains on labelled and unlabelled images.

    Raises `DataError` when the files are absent or fail torchvision's checksums.
    """
    folder = _folder(name, data_root)
    return _open(name, folder, file_states(sorted(path for path in folder.iterdir() if path.is_file())))


@functools.lru_cache(maxsize=4)
def _open(name: str, folder: Path, files: tuple[FileState, ...]) -> Source:
    read, look = _stl10(folder) if name == "stl10" else _cifar(name, folder)
    facts = remembered(f"{name} 1", files, lambda: look() | {"fingerprint": files_fingerprint(files)})
    return Source(
        train_labels=np.array(facts["train_labels"], dtype=np.int64),
        test_labels=np.array(facts["test_labels"], dtype=np.int64),
        classes=tuple(facts["classes"]),
        channels=3,
        size=facts["size"],
        fingerprint=facts["fingerprint"],
        views="cifar",
        decode=read,
        cached=True,
    )


def download_torchvision(name: str, data_root: Path) -> None:
    """Download the files of a data set into the data root, if they are not there yet."""
    _opened(name, data_root, train=True, download=True)


def _folder(name: str, data_root: Path | None) -> Path:
    folder = rooted(name, data_root) / _SETS[name][1]
    if not folder.is_dir():
        raise AbsentDataError(
            f"data {name!r} not found at {folder}; download it with `{download_command(name, data_root)}`, "
            "or set its location with --data-root or STUDY_DATA_ROOT"
        )
    return folder


def _opened(name: str, data_root: Path, *, train: bool, download: bool = False) -> Any:
    """The data set object of torchvision. Its constructor checks all files, including those of the other part."""
    from torchvision import datasets

    part = {"split": "train" if train else "test"} if name == "stl10" else {"train": train}
    return getattr(datasets, _SETS[name][0])(data_root, download=download, **part)


def _checked(name: str, folder: Path, *, train: bool) -> Any:
    try:
        return _opened(name, folder.parent, train=train)
    except (RuntimeError, OSError, EOFError) as error:
        raise DataError(f"data {name!r} at {folder}: incomplete or fails its checksum") from error


def _cifar(name: str, folder: Path) -> tuple[Read, Look]:
    @functools.cache  # images are read in several batches
    def parts() -> dict[str, Any]:
        return {part: _checked(name, folder, train=part == "train") for part in ("train", "test")}

    def read(part: str, rows: Indices) -> Images:
        images: Images = parts()[part].data[rows]  # (N, H, W, C)
        return images.transpose(0, 3, 1, 2)

    def look() -> dict[str, Any]:
        return {
            "train_labels": list(parts()["train"].targets),
            "test_labels": list(parts()["test"].targets),
            "classes": list(parts()["train"].classes),
            "size": int(parts()["train"].data.shape[1]),
        }

    return read, look


def _stl10(folder: Path) -> tuple[Read, Look]:
    def look() -> dict[str, Any]:
        classes = _checked("stl10", folder, train=False).classes
        labels = {part: _stl10_labels(folder / f"{part}_y.bin") for part in _STL10_IMAGES}
        unlabelled = len(_stl10_file(folder / "unlabeled_X.bin"))
        return {
            "train_labels": labels["train"] + [UNLABELLED] * unlabelled,
            "test_labels": labels["test"],
            "classes": list(classes),
            "size": _STL10_SIZE,
        }

    return lambda part, rows: _stl10_images(folder, part, rows), look


def _stl10_labels(path: Path) -> list[int]:
    return [label - 1 for label in path.read_bytes()]


def _stl10_images(folder: Path, part: str, rows: Indices) -> Images:
    """Images read through memory maps. Torchvision would hold all 3 GB, and twice as much while it joins them."""
    images = np.empty((len(rows), 3, _STL10_SIZE, _STL10_SIZE), dtype=np.uint8)
    start = 0
    for file in _STL10_IMAGES[part]:
        stored = _stl10_file(folder / file)
        mine = (rows >= start) & (rows < start + len(stored))
        images[mine] = stored[rows[mine] - start].swapaxes(2, 3)
        start += len(stored)
    return images


def _stl10_file(path: Path) -> Images:
    return np.memmap(path, np.uint8, "r").reshape(-1, 3, _STL10_SIZE, _STL10_SIZE)
