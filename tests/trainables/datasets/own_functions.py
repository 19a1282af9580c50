"""Data sets of a user's own, right ones and others each with one fault, as functions of a data root."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np

from tests.trainables.datasets.examples import open_own
from trainables.datasets.source import Images, Indices, Source

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
LABELS = np.arange(30) % 3


def right(_data_root: Path | None) -> object:
    print("a message of the user's code")
    return (IMAGES[:20], LABELS[:20]), (IMAGES[20:], LABELS[20:])


def no_argument() -> object:
    return right(None)


def no_disk(_data_root: Path | None) -> object:
    raise OSError("no\nsuch disk")


def leaves(_data_root: Path | None) -> object:
    raise SystemExit(3)


def one_part(_data_root: Path | None) -> object:
    return IMAGES, LABELS


def four(_data_root: Path | None) -> object:
    return IMAGES[:20], LABELS[:20], IMAGES[20:], LABELS[20:]


def nothing(_data_root: Path | None) -> None:
    return None


NOT_CALLABLE = {"train": right}


def changed(**fields: object) -> Source:
    return dataclasses.replace(open_own(None), **fields)


def labels_beyond(_data_root: Path | None) -> Source:
    return changed(classes=("a", "b"), train_labels=np.array([0, 1, 2]))


def float_labels(_data_root: Path | None) -> Source:
    return changed(test_labels=np.array([0.0, 1.0]))


def empty_test(_data_root: Path | None) -> Source:
    return changed(test_labels=np.array([], dtype=np.int64))


def twice_named(_data_root: Path | None) -> Source:
    return changed(classes=("a", "a"))


def no_names(_data_root: Path | None) -> Source:
    return changed(classes=2)


def four_channels(_data_root: Path | None) -> Source:
    return changed(channels=4)


def no_size(_data_root: Path | None) -> Source:
    return changed(size=0)


def no_fingerprint(_data_root: Path | None) -> Source:
    return changed(fingerprint="")


def large_n_val(_data_root: Path | None) -> Source:
    return changed(n_val=40)


def list_labels(_data_root: Path | None) -> Source:
    return changed(train_labels=[0, 1] * 20, test_labels=(0, 1))


def decodes_floats(_data_root: Path | None) -> Source:
    return changed(decode=lambda _, rows: np.zeros((len(rows), 3, 4, 4)))


def decodes_a_list(_data_root: Path | None) -> Source:
    return changed(decode=lambda _, rows: [0] * len(rows))


def decode_raises(_data_root: Path | None) -> Source:
    return changed(decode=lambda part, rows: {"train": open_own(None).decode}[part](part, rows))


def decodes_at_random(_data_root: Path | None) -> Source:
    calls = itertools.count()

    def decode(_part: str, rows: Indices) -> Images:
        return np.full((len(rows), 3, 4, 4), next(calls), dtype=np.uint8)

    return changed(decode=decode)


class Stop(BaseException):
    """No `Exception`."""


def stops(_data_root: Path | None) -> object:
    raise Stop("no\nway")


def unseeded(_data_root: Path | None) -> object:
    images = np.random.randint(0, 256, (30, 4, 4), dtype=np.uint8)  # noqa: NPY002
    return (images[:20], LABELS[:20]), (images[20:], LABELS[20:])


def unseeded_items(_data_root: Path | None) -> object:
    (images, labels), test = unseeded(None)  # type: ignore[misc]
    return list(zip(images, labels, strict=True)), test


_calls = itertools.count()


def other_labels(_data_root: Path | None) -> Source:
    return changed(train_labels=np.roll(changed().train_labels, next(_calls)))


def other_images(_data_root: Path | None) -> Source:
    value = next(_calls) % 256
    return changed(decode=lambda part, rows: np.full((len(rows), 3, 4, 4), value, dtype=np.uint8))


def other_fingerprint(_data_root: Path | None) -> Source:
    return changed(fingerprint=str(next(_calls)))
