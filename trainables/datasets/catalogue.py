"""Data sets by name: what a study file may ask for, described without decoding, loaded once a process.

Every set comes in three fixed splits that no seed moves: `train`, `val` (taken off the training data, a
tenth of it unless the set says otherwise) and `test`. The images of a split stand in class-balanced order, so
that a limit is a prefix: `train_limit` one of the training split, `test_limit` of test and validation alike.
"""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.config import DataConfig
from trainables.datasets.digits import open_digits
from trainables.datasets.folder import open_folder
from trainables.datasets.parquet import open_parquet
from trainables.datasets.source import UNLABELLED, DataError, Images, Indices, Source
from trainables.datasets.splits import balanced_order, split_validation
from trainables.datasets.torchvision_sets import download_torchvision, open_torchvision


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """How a name is opened: `open(argument, data_root)`, where forms take what follows the colon."""

    form: str  # what a study file writes
    summary: str
    open: Callable[[str, Path | None], Source]
    download: Callable[[Path], None] | None = None  # into a data root


def _from_torchvision(name: str, summary: str) -> DatasetEntry:
    return DatasetEntry(
        form=name,
        summary=f"{summary}, in torchvision's files",
        open=lambda _, data_root: open_torchvision(name, data_root),
        download=lambda data_root: download_torchvision(name, data_root),
    )


#: Every data set, and every form that takes an argument after a colon.
DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry(form="digits", summary="1,797 grey 8x8 digits of scikit-learn", open=open_digits),
    "cifar10": _from_torchvision("cifar10", "CIFAR-10"),
    "cifar100": _from_torchvision("cifar100", "CIFAR-100"),
    "stl10": _from_torchvision("stl10", "STL-10 with its unlabelled images"),
    "parquet": DatasetEntry(
        form="parquet:PATH", summary="folder with train.parquet and test.parquet", open=open_parquet
    ),
    "folder": DatasetEntry(
        form="folder:PATH", summary="folder with train/CLASS and test/CLASS", open=open_folder
    ),
}


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """A data set as a config uses it: counts after limits, shape, classes and identity."""

    name: str
    n_train: int  # with labels
    n_unlabelled: int  # seen by pre-training alone
    n_val: int
    n_test: int
    channels: int
    size: int
    classes: tuple[str, ...]
    fingerprint: str
    views: str  # name of the recipe that suits the set by default
    smallest_class: (
        int  # labelled training images of the rarest class: the most that a few-label probe can ask
    )

    @property
    def n_pretraining(self) -> int:
        """Images that contrastive training sees."""
        return self.n_train + self.n_unlabelled


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images as uint8 (N, C, H, W) and labels as int64 (N,), counted from 0.

    The arrays are shared by all trials of a process and must not be changed.
    """

    images: Images
    labels: Indices


@dataclass(frozen=True, kw_only=True)
class ImageData:
    """The three splits of a data set, decoded.

    `pretraining` holds what contrastive training may see: the images of `train`, then those without a label.
    """

    info: DatasetInfo
    pretraining: Images
    train: Split
    val: Split
    test: Split

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


def describe_dataset(config: DataConfig, data_root: Path | None) -> DatasetInfo:
    """What `load_dataset` would give, without decoding an image.

    Raises `DataError` for an unknown name, data that is absent or damaged, and limits beyond the set.
    """
    return _describe(config, open_source(config.name, data_root))


def load_dataset(config: DataConfig, data_root: Path | None) -> ImageData:
    """The decoded splits of `config`; only the rows that are needed are decoded, once a process.

    `data_root` is where relative names are looked up; None leaves bundled sets and absolute paths. Raises
    `DataError` as `describe_dataset` does, and for images that are broken or of mixed shapes.
    """
    return _load(config, open_source(config.name, data_root))


def download_dataset(name: str, data_root: Path) -> None:
    """Fetch a published set into the data root. Raises `DataError` for a name that has no download."""
    entry = DATASETS.get(name)
    if entry is None or entry.download is None:
        allowed = ", ".join(known for known, entry in DATASETS.items() if entry.download)
        raise DataError(f"download: got {name!r}; allowed are {allowed}")
    entry.download(data_root)


def open_source(name: str, data_root: Path | None) -> Source:
    """Open a data set by the name that study files use, or a user's own by import path.

    `my_package.my_module:open_mine` is called once a process, with the data root, and returns a `Source`.
    Raises `DataError`.
    """
    key, colon, argument = name.partition(":")
    entry = DATASETS.get(key)
    if entry is None:
        source = _open_own(name, data_root)
    elif (":" in entry.form) != bool(colon) or (colon and not argument):
        raise _unknown(name)
    else:
        source = entry.open(argument, data_root)
    if len(source.classes) < 2:
        raise DataError(f"data {name!r}: {len(source.classes)} class; at least two are needed")
    return source


@functools.lru_cache(maxsize=4)
def _open_own(name: str, data_root: Path | None) -> Source:
    module, _, attribute = name.partition(":")
    try:
        opener: Callable[[Path | None], Source] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise _unknown(name) from error
    return opener(data_root)


def _unknown(name: str) -> DataError:
    forms = ", ".join(entry.form for entry in DATASETS.values())
    return DataError(
        f"data: got {name!r}; allowed are {forms} and import paths my_package.my_module:open_mine"
    )


@functools.lru_cache(maxsize=2)
def _load(config: DataConfig, source: Source) -> ImageData:
    rows, labels = _rows(config, source), source.train_labels
    pretraining = source.decode("train", rows.pretraining)
    train = rows.pretraining[: rows.n_train]
    return ImageData(
        info=_describe(config, source),
        pretraining=pretraining,
        train=Split(images=pretraining[: rows.n_train], labels=labels[train]),
        val=Split(images=source.decode("train", rows.val), labels=labels[rows.val]),
        test=Split(images=source.decode("test", rows.test), labels=source.test_labels[rows.test]),
    )


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Rows of each split after the limits: `pretraining` has its `n_train` labelled rows first."""

    pretraining: Indices
    n_train: int
    val: Indices
    test: Indices


@functools.lru_cache(maxsize=16)
def _rows(config: DataConfig, source: Source) -> _Rows:
    train, val = split_validation(source.train_labels, source.n_val)
    train = _prefix(train, "train_limit", config.train_limit, config.name)
    unlabelled = source.train_labels[train] == UNLABELLED
    test = _prefix(balanced_order(source.test_labels), "test_limit", config.test_limit, config.name)
    for split, labelled in (("training", train[~unlabelled]), ("validation", val), ("test", test)):
        if not len(labelled):
            raise DataError(f"data {config.name!r}: the {split} split has no labelled images")
    return _Rows(
        pretraining=np.concatenate([train[~unlabelled], train[unlabelled]]),
        n_train=int((~unlabelled).sum()),
        val=val[: config.test_limit],
        test=test,
    )


def _prefix(rows: Indices, field: str, limit: int | None, name: str) -> Indices:
    if limit is not None and not 1 <= limit <= len(rows):
        raise DataError(f"{field}: got {limit}; data {name!r} allows 1 to {len(rows)}")
    return rows[:limit]


def _describe(config: DataConfig, source: Source) -> DatasetInfo:
    rows = _rows(config, source)
    labels = source.train_labels[rows.pretraining[: rows.n_train]]
    return DatasetInfo(
        name=config.name,
        n_train=rows.n_train,
        n_unlabelled=len(rows.pretraining) - rows.n_train,
        n_val=len(rows.val),
        n_test=len(rows.test),
        channels=source.channels,
        size=source.size,
        classes=source.classes,
        fingerprint=source.fingerprint,
        views=source.views,
        smallest_class=int(np.bincount(labels, minlength=len(source.classes)).min()),
    )
