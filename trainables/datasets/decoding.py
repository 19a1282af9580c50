"""Decoding the images that a trial needs from an open data set into one array, with the disk cache."""

import hashlib
import json
import math
from collections.abc import Iterator

import numpy as np

from trainables.datasets.cache import Shape, cached_images, in_memory
from trainables.datasets.cache_root import cache_root
from trainables.datasets.progress import shown
from trainables.datasets.source import Images, Indices, Source

#: Increased when a change of the code decodes to other pixels. Cached arrays of older versions are then ignored.
DECODER_VERSION = 1

#: Decoded bytes per batch, so that data sets larger than memory can be decoded.
_BATCH_BYTES = 1 << 25

#: Rows of each part ("train" or "test"), in their order in the array.
Wanted = dict[str, Indices]


def decoded_images(source: Source, wanted: Wanted, title: str) -> Images:
    """The wanted images of all parts, concatenated in one contiguous uint8 array (N, C, H, W).

    For sources with `cached`, the array is stored on disk, one file for each choice of rows. Raises `DataError`
    for images that are damaged or have different shapes.
    """
    count = sum(len(rows) for rows in wanted.values())
    shape = (count, source.channels, source.size, source.size)

    def batches() -> Iterator[tuple[Indices, Images]]:
        decoded = _batches(source, wanted, shape[1:])
        return shown(decoded, count, f"decoding {title}", lambda batch: len(batch[0]))

    root = cache_root() if source.cached else None
    if root is None:
        return in_memory(shape, batches)
    return cached_images(root / "images" / f"{_key(source, wanted, shape)}.npy", shape, batches)


def _batches(source: Source, wanted: Wanted, image_shape: Shape) -> Iterator[tuple[Indices, Images]]:
    """Positions and images. The rows of a part are in ascending order, so each file is read once, front to back."""
    step, start = max(1, _BATCH_BYTES // math.prod(image_shape)), 0
    for part, rows in wanted.items():
        ascending = np.argsort(rows, kind="stable")
        for first in range(0, len(rows), step):
            places = ascending[first : first + step]
            yield start + places, source.decode(part, rows[places])
        start += len(rows)


def _key(source: Source, wanted: Wanted, shape: Shape) -> str:
    """Hash of everything that determines the array, including Pillow's version: it may change decoded pixels."""
    from PIL import __version__

    counts = {part: len(rows) for part, rows in wanted.items()}
    origin = [DECODER_VERSION, __version__, source.fingerprint, source.fitted, shape, counts]
    digest = hashlib.blake2b(json.dumps(origin).encode(), digest_size=16)
    for rows in wanted.values():
        digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
    return digest.hexdigest()
