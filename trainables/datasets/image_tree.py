"""The image files of a folder by class, for the folder layouts of published image sets; used by `folder`."""

import os
from collections import defaultdict
from pathlib import Path

from trainables.datasets.files import FileState, file_states
from trainables.datasets.source import AbsentDataError, DataError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

#: The classes of a part in sorted order, each with its files.
Tree = tuple[tuple[str, tuple[FileState, ...]], ...]

_ANNOTATIONS = "val_annotations.txt"


def train_tree(root: Path) -> Tree:
    """The images in `train/CLASS/...`, at any depth below the folder of their class. Raises `DataError`."""
    tree = _class_folders(root / "train")
    for name, files in tree:
        if not files:
            raise DataError(f"{root / 'train' / name}: no images; allowed are {', '.join(SUFFIXES)}")
    return tree


def test_tree(root: Path) -> Tree:
    """The labelled test images: `test/CLASS/...`, or those of `val` if `test` has no classes.

    `val` holds `CLASS/...` too. As in Tiny ImageNet, it may instead hold `images/` and `val_annotations.txt`, with a
    file and its class on each line. Tiny ImageNet's `test/images/` has no labels and is ignored. Raises `DataError`.
    """
    test, val = root / "test", root / "val"
    if _folders(test) not in ([], ["images"]):
        return _class_folders(test)
    return _annotated(val) if (val / _ANNOTATIONS).is_file() else _class_folders(val)


def _class_folders(folder: Path) -> Tree:
    if not folder.is_dir():
        raise AbsentDataError(f"data not found: there is no folder {folder}")
    found = tuple((name, file_states(_images_below(folder / name))) for name in _folders(folder))
    if not any(files for _, files in found):
        raise DataError(f"{folder}: no images; allowed are folders, one a class, of {', '.join(SUFFIXES)}")
    return found


def _folders(folder: Path) -> list[str]:
    """Sorted names of the folders in `folder`, without hidden ones; empty if `folder` is not a folder."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images_below(folder: Path) -> list[str]:
    found = [
        os.path.join(where, name)
        for where, _, names in os.walk(folder, onerror=_refuse)
        for name in names
        if name.lower().endswith(SUFFIXES) and not name.startswith(".")
    ]
    return sorted(found, key=lambda path: path.split(os.sep))


def _refuse(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error


def _annotated(val: Path) -> Tree:
    by_class: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate((val / _ANNOTATIONS).read_text(errors="replace").splitlines(), start=1):
        name, tab, rest = line.partition("\t")
        if not tab:
            raise DataError(
                f"{val / _ANNOTATIONS}, line {number}: got {line!r}; allowed are FILE, tab, CLASS"
            )
        by_class[rest.split("\t")[0]].append(str(val / "images" / name))
    unlisted = sorted(set(_images_below(val / "images")).difference(*by_class.values()))
    if unlisted:
        raise DataError(f"{unlisted[0]}: the image has no line in {val / _ANNOTATIONS}")
    return tuple((name, file_states(sorted(by_class[name]))) for name in sorted(by_class))
