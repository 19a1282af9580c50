"""Corrupted copies of a split, as the config's `corruptions` says: `built_in`, or `npy:FOLDER`.

Published files exist of test images alone. Under `npy:FOLDER` the validation split, which a study selects by, is
therefore corrupted by the built-in set at the same severity: its number ranks configurations, and is not to be
read against the test split's.
"""

from collections.abc import Iterator
from pathlib import Path

from trainables.config import ImagesTask
from trainables.datasets.datasets import open_source
from trainables.datasets.loaded import DatasetInfo, ImageData
from trainables.datasets.source import Images
from trainables.datasets.subset import choose_rows
from trainables.evaluation.corruptions.built_in import BUILT_IN, corrupt
from trainables.evaluation.corruptions.published import BUILT_IN_SET, published_copies, published_files


def check_corruptions(task: ImagesTask, info: DatasetInfo, data_root: Path | None) -> None:
    """Raises `ValueError` when `retrieval_corrupted` is asked for and the published files cannot be used.

    Reads headers of files alone: to be called before a trial trains.
    """
    published_files(task.probe, info, data_root)


def corrupted_copies(
    task: ImagesTask, data: ImageData, split: str, *, data_root: Path | None, device: str = "cpu"
) -> Iterator[Images]:
    """The images of the split "val" or "test" under one corruption after the other, uint8 `(N, C, H, W)`.

    Built-in corruptions are computed on `device`. Raises `ValueError` as `check_corruptions` does, and where
    published files follow another order of images than the data set.
    """
    images, probe = data.splits[split], task.probe
    if probe.corruptions == BUILT_IN_SET or split == "val":
        for name in BUILT_IN:
            yield corrupt(images.images, name, probe.severity, split, device)
    else:
        files = published_files(probe, data.info, data_root)
        rows = choose_rows(task.data, open_source(task.data.name, data_root, task.data.size)).test
        yield from published_copies(files, probe.severity, rows, images.labels)
