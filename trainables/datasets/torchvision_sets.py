"""CIFAR-10, CIFAR-100 and STL-10 as torchvision reads, checks and downloads them.

Importing torchvision costs seconds, so it happens inside the functions. Trials never download:
`download_torchvision` is called by name. The fingerprint is the hash of the files' bytes.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from trainables.datasets.source import (
    DataError,
    FileState,
    Images,
    Indices,
    Source,
    file_states,
    files_fingerprint,
)

#: Class of torchvision, the folder it keeps under the data root, its names of the parts.
_SETS: dict[str, tuple[str, str, dict[str, dict[str, Any]]]] = {
    "cifar10": ("CIFAR10", "cifar-10-batches-py", {"train": {"train": True}, "test": {"train": False}}),
    "cifar100": ("CIFAR100", "cifar-100-python", {"train": {"train": True}, "test": {"train": False}}),
    "stl10": ("STL10", "stl10_binary", {"train": {"split": "train+unlabeled"}, "test": {"split": "test"}}),
}


def open_torchvision(name: str, data_root: Path | None) -> Source:
    """CIFAR-10, CIFAR-100 or STL-10 under the data root; STL-10 trains on train and unlabelled images.

    Raises `DataError` when the files are absent or fail torchvision's checksums.
    """
    folder = _folder(name, data_root)
    return _open(
        name, folder.parent, file_states(sorted(path for path in folder.iterdir() if path.is_file()))
    )


@functools.lru_cache(maxsize=2)
def _open(name: str, data_root: Path, files: tuple[FileState, ...]) -> Source:
    parts, classes = _read(name, data_root)
    return Source(
        train_labels=parts["train"][1],
        test_labels=parts["test"][1],
        classes=classes,
        channels=3,
        size=parts["train"][0].shape[-1],
        fingerprint=files_fingerprint(files),
        views="cifar",
        decode=lambda part, rows: parts[part][0][rows],
    )


def download_torchvision(name: str, data_root: Path) -> None:
    """Fetch the files of a set into the data root, where they are not there already."""
    kind, _, parts = _SETS[name]
    for arguments in parts.values():
        _torchvision_class(kind)(data_root, download=True, **arguments)


def _folder(name: str, data_root: Path | None) -> Path:
    if data_root is None:
        raise DataError(f"data {name!r}: no data root is set; give one by --data-root or STUDY_DATA_ROOT")
    folder = Path(data_root) / _SETS[name][1]
    if not folder.is_dir():
        raise DataError(
            f"data {name!r} not found at {folder}; say where it lies by --data-root or STUDY_DATA_ROOT, "
            f"or download it with torchvision.datasets.{_SETS[name][0]}({str(data_root)!r}, download=True)"
        )
    return folder


def _torchvision_class(kind: str) -> Any:
    from torchvision import datasets

    return getattr(datasets, kind)


def _read(name: str, root: Path) -> tuple[dict[str, tuple[Images, Indices]], tuple[str, ...]]:
    """Images (N, C, H, W) and labels of both parts, and the class names."""
    kind, folder, parts = _SETS[name]
    try:
        opened = {part: _torchvision_class(kind)(root, **arguments) for part, arguments in parts.items()}
    except (RuntimeError, OSError, EOFError) as error:
        raise DataError(f"data {name!r} at {root / folder}: incomplete or fails its checksum") from error
    return {part: _arrays(images) for part, images in opened.items()}, tuple(opened["train"].classes)


def _arrays(opened: Any) -> tuple[Images, Indices]:
    if hasattr(opened, "targets"):  # CIFAR, whose images are (N, H, W, C)
        return np.ascontiguousarray(opened.data.transpose(0, 3, 1, 2)), np.asarray(opened.targets, np.int64)
    return opened.data, np.asarray(opened.labels, np.int64)  # STL-10, whose images are (N, C, H, W)
