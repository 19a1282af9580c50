"""Data sets in image folders: `train/CLASS/...` and `test/CLASS/...` or `val/CLASS/...`.

Images may be at any depth below the folder of their class. `datasets` and `imagenet` use this module.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trainables.datasets.files import FileState, bytes_digest, fingerprint, remembered
from trainables.datasets.image_tree import Tree, found_in, notes_on, test_tree, train_tree
from trainables.datasets.images import Form, decode_images, image_header, kind_of_image
from trainables.datasets.progress import shown
from trainables.datasets.source import DataError, Indices, Source, default_views, locate
from trainables.reading import IMAGE_BYTES, read_bytes

_Shape = tuple[int, int, int]  # channels, width, height


def open_folder(where: str, data_root: Path | None, size: int | None = None) -> Source:
    """Open the image folder `where`, an absolute path or a path under the data root.

    The classes are the sorted folders of `train`. With `size`, images of any shape are fitted to it (see `Form`), and
    grey images become colour if any image is colour. Without `size`, all images must be square, of one size, and all
    grey or all colour. The first call reads every file; the result is cached until a file changes. The fingerprint
    covers the classes and the bytes of the files. Raises `DataError` when a part is absent or empty, when the
    training part lacks a class of the test part, when a file is not an image, or when an image differs from the
    first one.
    """
    folder = locate(where, data_root)
    train, test = train_tree(folder), test_tree(folder)
    return open_tree(
        train, test, size, found=found_in(folder, train, test), notes=notes_on(folder, train, test)
    )


@functools.lru_cache(maxsize=4)
def open_tree(
    train: Tree,
    test: Tree,
    size: int | None,
    *,
    colour: bool = False,
    views: str | None = None,
    found: str = "",
    notes: tuple[str, ...] = (),
) -> Source:
    """Open given trees as `open_folder` does. With `colour`, grey images always become colour."""
    classes = tuple(name for name, _ in train)
    files = {"train": _flat(train), "test": _flat(test)}
    labels = {"train": _labels(train, classes), "test": _labels(test, classes)}
    structure = repr([(name, len(members)) for tree in (train, test) for name, members in tree])
    everything = files["train"] + files["test"]
    facts = remembered(f"folder 1 {structure}", everything, lambda: _inspect(everything, structure))
    form = _form(facts, size, colour=colour)
    return Source(
        train_labels=labels["train"],
        test_labels=labels["test"],
        classes=classes,
        channels=form.channels,
        size=form.size,
        fingerprint=facts["fingerprint"],
        views=views or (default_views(form.channels)),
        decode=lambda part, rows: decode_images(_encoded(files[part], rows), len(rows), form),
        fitted=form.fit,
        cached=True,
        found=found,
        notes=notes,
    )


def _inspect(files: list[FileState], structure: str) -> dict[str, Any]:
    """Read all files once: the fingerprint, the first image's shape, and the first images that differ from it."""
    looked = list(shown(map(_look, files), len(files), "reading images", lambda _: 1))
    shapes = [shape for _, shape in looked]
    channels, width, height = shapes[0]

    def first_where(differs: Callable[[_Shape], bool]) -> str | None:
        pairs = zip(files, shapes, strict=True)
        return next((_named(file, shape) for file, shape in pairs if differs(shape)), None)

    return {
        "fingerprint": fingerprint((digest for digest, _ in looked), structure),
        "first": _named(files[0], shapes[0]),
        "channels": channels,
        "width": width,
        "height": height,
        "other_size": first_where(lambda shape: shape[1:] != (width, height)),
        "other_channels": first_where(lambda shape: shape[0] != channels),
    }


def _look(file: FileState) -> tuple[bytes, _Shape]:
    content = _read(file.path)
    return bytes_digest(content), image_header(content, file.path)


def _named(file: FileState, shape: _Shape) -> str:
    return f"{file.path} ({kind_of_image(shape[0])}, {shape[1]}x{shape[2]} pixels)"


def _form(facts: dict[str, Any], size: int | None, *, colour: bool) -> Form:
    channels = 3 if colour or facts["other_channels"] else facts["channels"]
    if size is not None:
        return Form(channels=channels, size=size, fit=True)
    odd = facts["other_size"] or (None if colour else facts["other_channels"])
    if odd:
        raise DataError(
            f"mixed images: {odd} and {facts['first']}; give data.size to convert all images to one form"
        )
    if facts["width"] != facts["height"]:
        raise DataError(f"{facts['first']}: only square images are read unless data.size is given")
    return Form(channels=channels, size=facts["width"])


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
        yield files[row].path, _read(files[row].path)


def _read(path: str) -> bytes:
    try:
        return read_bytes(Path(path), IMAGE_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
