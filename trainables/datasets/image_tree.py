"""Which image files a folder holds, class by class, in the layouts in which image sets are published."""

import os
from collections import defaultdict
from pathlib import Path

from trainables.datasets.files import FileState, file_states
from trainables.datasets.source import DataError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

#: The classes of a part in sorted order, each with its files.
Tree = tuple[tuple[str, tuple[FileState, ...]], ...]

_ANNOTATIONS = "val_annotations.txt"


def train_tree(root: Path) -> Tree:
    """`train/CLASS/...`, images at any depth below their class. Raises `DataError`."""
    tree = _class_folders(root / "train")
    for name, files in tree:
        if not files:
            raise DataError(f"{root / 'train' / name}: no images; allowed are {', '.join(SUFFIXES)}")
    return tree


def test_tree(root: Path) -> Tree:
    """The labelled images to report on: `test/CLASS/...`, or `val` where there are none.

    `val` holds `CLASS/...` too, or `images/` with `val_annotations.txt`, lines of file and class, as Tiny
    ImageNet does; its `test/images/` has no labels and is passed over. Raises `DataError`.
    """
    test, val = root / "test", root / "val"
    if _folders(test) not in ([], ["images"]):
        return _class_folders(test)
    return _annotated(val) if (val / _ANNOTATIONS).is_file() else _class_folders(val)


def _class_folders(folder: Path) -> Tree:
    if not folder.is_dir():
        raise DataError(f"data not found: there is no folder {folder}")
    found = tuple((name, file_states(_images_below(folder / name))) for name in _folders(folder))
    if not any(files for _, files in found):
        raise DataError(f"{folder}: no images; allowed are folders, one a class, of {', '.join(SUFFIXES)}")
    return found


def _folders(folder: Path) -> list[str]:
    """Names of the folders in `folder`, hidden ones apart; none where it is no folder."""
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
