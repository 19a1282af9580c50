"""Corrupted copies of a split, chosen by the config's `corruptions`: `built_in` or `npy:FOLDER`.

Published files contain test images only. With `npy:FOLDER`, the validation split, which studies use for selection, is
therefore corrupted by the built-in set at the same severity. The validation accuracy can rank configurations, but it
must not be compared with the test accuracy.
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
    """Raises `ValueError` when the suite has a probe of corrupted images and the published files are not usable.

    Reads only the headers of the files. Call it before a trial trains.
    """
    published_files(task.probe, info, data_root)


def corrupted_copies(
    task: ImagesTask, data: ImageData, split: str, *, data_root: Path | None, device: str = "cpu"
) -> Iterator[Images]:
    """Yield the images of the split "val" or "test" for each corruption, uint8 `(N, C, H, W)`.

    Built-in corruptions are computed on `device`. Raises `ValueError` as `check_corruptions` does, and when the
    published files have their images in another order than the data set.
    """
    images, probe = data.splits[split], task.probe
    if probe.corruptions == BUILT_IN_SET or split == "val":
        for name in BUILT_IN:
            yield corrupt(images.images, name, probe.severity, split, device)
    else:
        files = published_files(probe, data.info, data_root)
        rows = choose_rows(task.data, open_source(task.data.name, data_root, task.data.size)).test
        yield from published_copies(files, probe.severity, rows, images.labels)
