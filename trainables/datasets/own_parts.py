"""The training and test images that a user's own function returns, as arrays or data sets of items: as a `Source`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.datasets.class_labels import Values, class_numbers, class_values, is_text
from trainables.datasets.own_images import array_images, as_numpy, is_array, read_items
from trainables.datasets.source import UNLABELLED, DataError, Images, Indices, Source, default_views

_PARTS = ("train", "test")


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One part as it came: images as uint8 (N, C, H, W), integer or text labels (N,), and class names, if given."""

    images: Images
    labels: Values
    classes: tuple[str, ...] | None = None


def source_of_parts(returned: object) -> Source:
    """The data set of `(train, test)`, or of a dict with these two keys and, if wanted, `classes`.

    All images are held in memory. The fingerprint covers images, labels and class names. Raises `DataError`.
    """
    given, names = _split(returned)
    train, test = (_read(given[part], part) for part in _PARTS)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"images of {_shape(train)} in train and of {_shape(test)} in test; both must be alike"
        )
    if train.classes and test.classes and train.classes != test.classes:
        raise DataError("train.classes and test.classes differ")
    train_labels, test_labels, classes, notes = _numbered(train, test, names or train.classes)
    images = {"train": train.images, "test": test.images}
    channels, size = train.images.shape[1:3]
    return Source(
        train_labels=train_labels,
        test_labels=test_labels,
        classes=classes,
        channels=channels,
        size=size,
        fingerprint=_fingerprint(images, train_labels, test_labels, classes),
        views=default_views(channels),
        decode=lambda part, rows: images[part][rows],
        notes=notes,
    )


def _split(returned: object) -> tuple[Mapping[str, Any], tuple[str, ...] | None]:
    """Both parts by name, and the class names, if given."""
    if isinstance(returned, tuple) and len(returned) == 2:
        return dict(zip(_PARTS, returned, strict=True)), None
    if not isinstance(returned, Mapping):
        what = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else type(returned).__name__
        raise DataError(f"got {what}")
    if unknown := [key for key in returned if key not in (*_PARTS, "classes")]:
        raise DataError(
            f"got the key {unknown[0]!r}; allowed are train, test and classes (the validation split is a tenth of "
            "train)"
        )
    if missing := [part for part in _PARTS if part not in returned]:
        raise DataError(f"the key {missing[0]!r} is missing")
    return returned, _names(returned["classes"], "classes") if "classes" in returned else None


def _read(given: Any, name: str) -> _Part:
    if isinstance(given, Mapping) and set(given) == {"images", "labels"}:
        given = (given["images"], given["labels"])
    if isinstance(given, tuple) and len(given) == 2:
        images = array_images(given[0], f"{name} images")
        part = _Part(images=images, labels=_label_array(given[1], name))
    elif not isinstance(given, tuple | Mapping | str) and not is_array(given) and _has_items(given):
        images, labels = read_items(given, name)
        named = getattr(given, "classes", None)
        classes = (
            _names(list(map(str, named)), f"{name}.classes") if isinstance(named, list | tuple) else None
        )
        part = _Part(images=images, labels=_label_array(labels, name), classes=classes)
    else:
        shape = f" {given.shape}" if is_array(given) else ""
        raise DataError(f"{name}: got {type(given).__name__}{shape}")
    if len(part.images) != len(part.labels):
        raise DataError(f"{name}: {len(part.images)} images and {len(part.labels)} labels")
    return part


def _has_items(given: object) -> bool:
    return hasattr(given, "__len__") and hasattr(given, "__getitem__")


def _label_array(values: Any, name: str) -> Values:
    labels = as_numpy(values)
    texts = labels.dtype.kind == "U" or (
        labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.flat)
    )
    if labels.ndim != 1 or not (texts or labels.dtype.kind in "iu"):
        raise DataError(
            f"{name} labels: got {labels.dtype} {labels.shape}; allowed are integers or text (N,)"
        )
    return labels if texts else labels.astype(np.int64)


def _numbered(
    train: _Part, test: _Part, names: tuple[str, ...] | None
) -> tuple[Indices, Indices, tuple[str, ...], tuple[str, ...]]:
    """Labels of both parts counted from 0, the class names, and a note on named classes without training images."""
    for part, labels, least in (("train", train.labels, UNLABELLED), ("test", test.labels, 0)):
        most = len(names) - 1 if names else None
        if is_text(labels):
            continue
        bad = np.flatnonzero((labels < least) | ((labels > most) if most is not None else False))
        if bad.size:
            row = int(bad[0])
            allowed = f"{least} to {most}" if most is not None else f"whole numbers from {least}"
            raise DataError(f"{part} labels: label {labels[row]} in row {row}; allowed are {allowed}")
    values = class_values(train.labels, "train labels")
    found = tuple(map(str, values))
    train_labels = class_numbers(train.labels, values, "train labels", unlabelled=True)
    test_labels = class_numbers(test.labels, values, "test labels")
    if names is None or is_text(train.labels):
        return train_labels, test_labels, found, ()
    classes = tuple(names[int(number)] for number in found)
    left_out = [name for number, name in enumerate(names) if str(number) not in found]
    notes = (f"classes without training images, left out: {', '.join(left_out)}",) if left_out else ()
    return train_labels, test_labels, classes, notes


def _names(values: Any, where: str) -> tuple[str, ...]:
    names = tuple(values) if isinstance(values, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise DataError(f"{where}: got {values!r}; allowed is a list of different texts")
    return names


def _shape(part: _Part) -> str:
    return " x ".join(map(str, part.images.shape[1:]))


def _fingerprint(
    images: Mapping[str, Images], train_labels: Indices, test_labels: Indices, classes: tuple[str, ...]
) -> str:
    whole = hashlib.blake2b(repr((images["train"].shape, classes)).encode(), digest_size=16)
    for part, labels in (("train", train_labels), ("test", test_labels)):
        whole.update(np.ascontiguousarray(images[part]).data)
        whole.update(labels.astype("<i8").tobytes())
    return whole.hexdigest()
