"""Image folders: `train/CLASS/...` and `test/CLASS/...` (or `val`), images at any depth below their class."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainables.datasets.images import decode_images, image_shape
from trainables.datasets.source import (
    DataError,
    FileState,
    Indices,
    Source,
    file_states,
    files_fingerprint,
    locate,
)

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

#: The classes of a part in sorted order, each with its files.
Tree = tuple[tuple[str, tuple[FileState, ...]], ...]


def open_folder(where: str, data_root: Path | None) -> Source:
    """The image folder `where`, absolute or under the data root. Classes are the sorted folders of `train`.

    The fingerprint covers classes and files' bytes. Raises `DataError` when a part is absent or empty, or a
    class of the test part is unknown to the training part.
    """
    folder = locate(where, data_root)
    test = folder / "test" if (folder / "test").is_dir() else folder / "val"
    return _open(_tree(folder / "train"), _tree(test))


def _tree(folder: Path) -> Tree:
    if not folder.is_dir():
        raise DataError(f"data not found: there is no folder {folder}")
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    found = tuple((path.name, file_states(_images_below(path))) for path in classes)
    if not any(files for _, files in found):
        raise DataError(f"{folder}: no images; allowed are folders, one a class, of {', '.join(SUFFIXES)}")
    return found


def _images_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


@functools.lru_cache(maxsize=4)
def _open(train: Tree, test: Tree) -> Source:
    classes = tuple(name for name, _ in train)
    files = {"train": _flat(train), "test": _flat(test)}
    first = files["train"][0].path
    channels, size = image_shape(first.read_bytes(), str(first))
    structure = [(name, len(members)) for tree in (train, test) for name, members in tree]
    return Source(
        train_labels=_labels(train, classes),
        test_labels=_labels(test, classes),
        classes=classes,
        channels=channels,
        size=size,
        fingerprint=files_fingerprint(files["train"] + files["test"], repr(structure)),
        views="digits" if channels == 1 else "cifar",
        decode=lambda part, rows: decode_images(_encoded(files[part], rows), len(rows), channels, size),
    )


def _flat(tree: Tree) -> list[FileState]:
    return [file for _, files in tree for file in files]


def _labels(tree: Tree, classes: tuple[str, ...]) -> Indices:
    unknown = [name for name, _ in tree if name not in classes]
    if unknown:
        raise DataError(
            f"class {unknown[0]!r} of the test images is unknown; allowed are {', '.join(classes)}"
        )
    numbers = [classes.index(name) for name, _ in tree]
    return np.repeat(np.array(numbers, dtype=np.int64), [len(files) for _, files in tree])


def _encoded(files: list[FileState], rows: Indices) -> Iterator[tuple[str, bytes]]:
    for row in rows:
        path = files[row].path
        yield str(path), path.read_bytes()
