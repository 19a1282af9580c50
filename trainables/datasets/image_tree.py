"""The image files of a folder by class, for the folder layouts of published image sets; used by `folder`."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from trainables.datasets.files import FileState, file_states
from trainables.datasets.source import (
    VALIDATION,
    AbsentDataError,
    DataError,
    test_part_note,
    unused_part_note,
)
from trainables.reading import TEXT_BYTES, read_bytes
from trainables.suggestion import shortened

#: Suffixes of images, in any case.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

#: Those of files that may hold several images, of which only the first is read.
_SEVERAL = (".gif", ".tif", ".tiff")

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

    `val`, or else `valid` or `validation`, holds `CLASS/...` too. As in Tiny ImageNet, it may instead hold `images/`
    and `val_annotations.txt`, with a file and its class on each line. Tiny ImageNet's `test/images/` has no labels
    and is not read. Raises `DataError`.
    """
    folder = _test_folder(root)
    return _annotated(folder) if (folder / _ANNOTATIONS).is_file() else _class_folders(folder)


def _test_folder(root: Path) -> Path:
    test = root / "test"
    if _folders(test) not in ([], ["images"]):
        return test
    return next((root / name for name in VALIDATION if (root / name).is_dir()), root / VALIDATION[0])


def found_in(root: Path, train: Tree, test: Tree) -> str:
    """What was read, in words."""
    counts = (
        (part, sum(len(files) for _, files in tree)) for part, tree in (("train", train), ("test", test))
    )
    places = {"train": "train", "test": _test_folder(root).name}
    return "; ".join(f"{part} from {places[part]} ({count:,} {_files(count)})" for part, count in counts)


def notes_on(root: Path, train: Tree, test: Tree) -> tuple[str, ...]:
    """Notes on what is not read: parts without a use, files with other suffixes, further images of a file."""
    used = _test_folder(root).name
    notes = [test_part_note(used)] if used != "test" else []
    for name in _folders(root):
        if name in VALIDATION and name != used:
            notes.append(unused_part_note(name))
        elif name not in ("train", used):
            notes.append(f"not read: folder {name}")
    read = [file.path for tree in (train, test) for _, files in tree for file in files]
    several = sorted({os.path.splitext(path)[1].lower() for path in read if path.lower().endswith(_SEVERAL)})
    if several:
        notes.append(f"only the first image of each {' and '.join(several)} file is read")
    if unread := _unread(root, used, set(read)):
        notes.append(f"not read: {', '.join(_counted(unread))}")
    return tuple(notes)


def _counted(names: list[str]) -> Iterator[str]:
    """File names as counts by suffix, in words."""
    kinds = Counter(os.path.splitext(name)[1].lower() for name in names)
    outside = sum(kinds.pop(suffix, 0) for suffix in SUFFIXES)
    bare = kinds.pop("", 0)
    for kind, count in sorted(kinds.items()):
        yield f"{count} {kind} {_files(count)}"
    if bare:
        yield f"{bare} {_files(bare)} without a suffix"
    if outside:
        yield f"{outside} {'image' if outside == 1 else 'images'} outside the folders of classes"


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def _unread(root: Path, test: str, read: set[str]) -> list[str]:
    """The visible files in the parts that are used, without those that are read."""
    return [
        name
        for part in ("train", test)
        for where, _, names in os.walk(root / part, onerror=_refuse)
        for name in names
        if not name.startswith(".") and name != _ANNOTATIONS and os.path.join(where, name) not in read
    ]


def _class_folders(folder: Path) -> Tree:
    if not folder.is_dir():
        there = _folders(folder.parent)
        raise AbsentDataError(
            f"data not found: there is no folder {folder}; {folder.parent} has "
            f"{', '.join(there[:10]) if there else 'no folders'}"
        )
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
    for number, line in enumerate(_annotations(val / _ANNOTATIONS).splitlines(), start=1):
        name, tab, rest = line.partition("\t")
        if not tab:
            raise DataError(
                f"{val / _ANNOTATIONS}, line {number}: got {shortened(line)}; allowed are FILE, tab, CLASS"
            )
        by_class[rest.split("\t")[0]].append(str(val / "images" / name))
    unlisted = sorted(set(_images_below(val / "images")).difference(*by_class.values()))
    if unlisted:
        raise DataError(f"{unlisted[0]}: the image has no line in {val / _ANNOTATIONS}")
    return tuple((name, file_states(sorted(by_class[name]))) for name in sorted(by_class))


def _annotations(path: Path) -> str:
    try:
        return read_bytes(path, TEXT_BYTES).decode(errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
