"""The registry of data sets by the name in study files, and functions to describe, load and download them.

A data set is described without decoding its images, and loaded once per process. Every data set has three fixed
splits that do not depend on a seed: `train`, `val` and `test`. The validation split is taken from the training
data: a tenth of it, unless the data set sets another size, or nothing with `validation = "none"`. The images of a
split are in class-balanced order, so a limit selects a prefix: `train_limit` of the training split, `test_limit` of
both the test and the validation split.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tarfile import TarError
from zipfile import BadZipFile

import numpy as np

from trainables.config import DataConfig
from trainables.datasets.class_labels import check_class_count
from trainables.datasets.decoding import decoded_images
from trainables.datasets.digits import open_digits
from trainables.datasets.folder import open_folder
from trainables.datasets.imagenet import download_tiny_imagenet, open_imagenet100, open_tiny_imagenet
from trainables.datasets.images import LARGEST_SIDE
from trainables.datasets.loaded import DatasetInfo, ImageData, Split
from trainables.datasets.own_data import open_own, refuse_changing
from trainables.datasets.parquet import open_parquet
from trainables.datasets.source import UNLABELLED, DataError, Source
from trainables.datasets.subset import choose_rows
from trainables.datasets.torchvision_sets import download_torchvision, open_torchvision
from trainables.suggestion import did_you_mean, shortened


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """How to open a data set: `open(argument, data_root, size)`; `argument` is the text after the name's colon."""

    form: str  # how a study file writes the name
    summary: str
    open: Callable[[str, Path | None, int | None], Source]
    fits: bool = False  # images are resized to `size` if the config sets it
    download: Callable[[Path], None] | None = None  # downloads the set into a data root


def _from_torchvision(name: str, summary: str) -> DatasetEntry:
    return DatasetEntry(
        form=name,
        summary=f"{summary}, in torchvision's files",
        open=lambda _, data_root, __: open_torchvision(name, data_root),
        download=lambda data_root: download_torchvision(name, data_root),
    )


#: Every data set by its name, including those that take an argument after a colon.
DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry(
        form="digits",
        summary="1,797 grey 8x8 digits of scikit-learn",
        open=lambda _, __, ___: open_digits(),
    ),
    "cifar10": _from_torchvision("cifar10", "CIFAR-10"),
    "cifar100": _from_torchvision("cifar100", "CIFAR-100"),
    "stl10": _from_torchvision("stl10", "STL-10 with its unlabelled images"),
    "imagenet100": DatasetEntry(
        form="imagenet100",
        summary="ImageNet-100 at 224 pixels or at data.size, folder imagenet100 with train and val",
        open=lambda _, data_root, size: open_imagenet100(data_root, size),
        fits=True,
    ),
    "tiny_imagenet": DatasetEntry(
        form="tiny_imagenet",
        summary="Tiny ImageNet, 200 classes at 64 pixels, folder tiny-imagenet-200 as published",
        open=lambda _, data_root, size: open_tiny_imagenet(data_root, size),
        fits=True,
        download=download_tiny_imagenet,
    ),
    "parquet": DatasetEntry(
        form="parquet:PATH",
        summary="folder with train.parquet and test.parquet, or with the shards that model hubs publish",
        open=open_parquet,
        fits=True,
    ),
    "folder": DatasetEntry(
        form="folder:PATH",
        summary="folder with train/CLASS and test/CLASS or val/CLASS",
        open=open_folder,
        fits=True,
    ),
}


def describe_dataset(config: DataConfig, data_root: Path | None) -> DatasetInfo:
    """The description of the data that `load_dataset` returns, without decoding an image.

    Raises `DataError` for an unknown name, for absent or damaged data, and for limits larger than the data set.
    """
    return _describe(config, open_source(config.name, data_root, config.size))


def load_dataset(config: DataConfig, data_root: Path | None) -> ImageData:
    """The decoded splits of `config`. Only the needed rows are decoded, once per machine.

    Decoded images are stored in the cache directory (see `cache_root`). Digits, and user-defined data sets unless
    they set `cached`, are held in memory only. Relative names are resolved under `data_root`; with None, only
    bundled sets and absolute paths work. Raises `DataError` as `describe_dataset` does, and for images that are
    damaged or have different shapes.
    """
    return _load(config, open_source(config.name, data_root, config.size))


def try_dataset(config: DataConfig, data_root: Path | None) -> None:
    """Read one image of each split of a user's own data set, twice, and call its function a second time.

    Other data sets are not read. Raises `DataError` when an image cannot be read, has another form than stated, or
    differs at the second read, and when the second call returns other data.
    """
    if config.name.partition(":")[0] in DATASETS:
        return
    source = open_source(config.name, data_root, config.size)
    subset = choose_rows(config, source)
    splits = (("training", "train", subset.pretraining), ("validation", "train", subset.val))
    for split, part, rows in (*splits, ("test", "test", subset.test)):
        if len(rows) and not np.array_equal(source.decode(part, rows[:1]), source.decode(part, rows[:1])):
            raise DataError(
                f"data: {config.name}: two reads of row {rows[0]} of the {split} split give different images; leave "
                "random transforms out, since the study makes the views"
            )
    tried = (("train", subset.pretraining[:1]), ("train", subset.val[:1]), ("test", subset.test[:1]))
    refuse_changing(source, config.name, data_root, [(part, rows) for part, rows in tried if len(rows)])


def download_dataset(name: str, data_root: Path) -> None:
    """Download a published data set into the data root, if it is not there yet.

    Raises `DataError` for a name without a download, and for a download that fails.
    """
    entry = DATASETS.get(name)
    if entry is None or entry.download is None:
        allowed = ", ".join(known for known, entry in DATASETS.items() if entry.download)
        raise DataError(f"download: got {shortened(name)}; allowed are {allowed}")
    try:
        entry.download(data_root)
    except (OSError, EOFError, RuntimeError, BadZipFile, TarError) as error:
        raise DataError(f"download of {name!r} into {data_root} failed: {error}") from error


def open_source(name: str, data_root: Path | None, size: int | None = None) -> Source:
    """Open a data set by its name in study files, or a user's own data set by import path.

    A function such as `my_package.my_module:open_mine` is called once per process, with the data root (see
    `open_own`). Encoded images are resized to a side of `size` pixels. Raises `DataError`.
    """
    key, colon, argument = name.partition(":")
    entry = DATASETS.get(key)
    if entry and ((":" in entry.form) != bool(colon) or (colon and not argument)):
        raise _unknown(name)
    if size is not None and not (entry and entry.fits and size > 0):
        fitting = ", ".join(entry.form for entry in DATASETS.values() if entry.fits)
        raise DataError(f"data.size: got {size} for {name!r}; allowed are sizes above 0 for {fitting}")
    if size is not None and size > LARGEST_SIDE:
        raise DataError(f"data.size: got {size}, must be at most {LARGEST_SIDE}")
    source = entry.open(argument, data_root, size) if entry else _open_own(name, data_root)
    labelled = np.unique(source.train_labels[source.train_labels != UNLABELLED]).size
    check_class_count(min(len(source.classes), labelled), f"data {name!r}")
    return source


def is_own_name(name: str) -> bool:
    """Whether a name is the import path of a user's own data set, and not such as `folder:PATH`."""
    key, colon, _ = name.partition(":")
    return bool(colon) and key not in DATASETS


def _open_own(name: str, data_root: Path | None) -> Source:
    if ":" not in name:
        raise _unknown(name)
    try:
        return open_own(name, data_root)
    except DataError:
        raise
    except ValueError as error:  # the import fails
        raise _unknown(name, str(error)) from error


def _unknown(name: str, fault: str = "") -> DataError:
    forms = ", ".join(entry.form for entry in DATASETS.values())
    said = fault or f"data.name: got {shortened(name)}"
    return DataError(
        f"{said}{did_you_mean(name, DATASETS)}; allowed are {forms} and import paths "
        "my_package.my_module:open_mine"
    )


@functools.lru_cache(maxsize=2)
def _load(config: DataConfig, source: Source) -> ImageData:
    subset = choose_rows(config, source)
    wanted = {"train": np.concatenate([subset.pretraining, subset.val]), "test": subset.test}
    images = decoded_images(source, wanted, config.name)
    pretraining, val, test = np.split(images, np.cumsum([len(subset.pretraining), len(subset.val)]))
    return ImageData(
        info=_describe(config, source),
        images=images,
        pretraining=pretraining,
        train=Split(images=pretraining[: subset.n_train], labels=subset.train_labels),
        val=Split(images=val, labels=subset.val_labels),
        test=Split(images=test, labels=subset.test_labels),
    )


def _describe(config: DataConfig, source: Source) -> DatasetInfo:
    subset = choose_rows(config, source)
    return DatasetInfo(
        name=config.name,
        n_train=subset.n_train,
        n_unlabelled=len(subset.pretraining) - subset.n_train,
        n_val=len(subset.val),
        n_test=len(subset.test),
        channels=source.channels,
        size=source.size,
        classes=subset.classes,
        fingerprint=source.fingerprint,
        views=source.views,
        found=source.found,
        notes=source.notes,
        smallest_class=int(np.bincount(subset.train_labels, minlength=len(subset.classes)).min()),
    )
