"""A user's own images as uint8 arrays (N, C, H, W): from arrays of many images, and from data sets of items.

Accepted are squares, grey or colour, as uint8 from 0 to 255 or as floats from 0 to 1: arrays and tensors of shape
(H, W), (H, W, C) or (C, H, W) with C = 1 or 3, after (N,) for many images, and Pillow's images of up to 8 bits a
channel.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.datasets.images import CHANNELS
from trainables.datasets.progress import shown
from trainables.datasets.source import DataError, Images

#: Items that are read twice. A random transform gives other images the second time.
_READ_TWICE = 16


def is_array(value: object) -> bool:
    """Whether a value is a numpy array or a torch tensor."""
    return isinstance(value, np.ndarray) or _is_tensor(value)


def array_images(given: Any, where: str) -> Images:
    """Many images in one array or tensor. Raises `DataError` for another form, and for an ambiguous one."""
    if not is_array(given):
        raise DataError(f"{where}: got {type(given).__name__}; allowed are numpy arrays and tensors")
    pixels = as_numpy(given)
    if not len(pixels):
        raise DataError(f"{where}: no images")
    return _channels_first(_bytes(pixels, where), where)


def read_items(given: Any, where: str) -> tuple[Images, list[Any]]:
    """All images and labels of a data set whose items are `(image, label)`; it is read once, from front to back.

    Raises `DataError` for an empty set, for an item of another form or shape than the first one, and for items that
    are different at the second read.
    """
    count = len(given)
    if not count:
        raise DataError(f"{where}: no images")
    images, labels = None, []
    for row, (image, label) in enumerate(shown(_items(given, where), count, f"reading {where}", lambda _: 1)):
        if images is None:
            images = np.empty((count, *image.shape), dtype=np.uint8)
        if image.shape != images.shape[1:]:
            raise DataError(
                f"{where}[{row}]: image of shape {image.shape}, but {where}[0] has {images.shape[1:]}; bring all "
                "images to one shape"
            )
        images[row] = image
        labels.append(label)
    assert images is not None
    for row in range(min(count, _READ_TWICE)):
        if not np.array_equal(images[row], _item(given, where, row)[0]):
            raise DataError(
                f"{where}[{row}]: two reads give different images; leave random transforms out, since the study "
                "makes the views"
            )
    return _channels_first(images, f"{where} images"), labels


def _items(given: Any, where: str) -> Iterator[tuple[Images, Any]]:
    for row in range(len(given)):
        yield _item(given, where, row)


def _item(given: Any, where: str, row: int) -> tuple[Images, Any]:
    item = given[row]
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise DataError(f"{where}[{row}]: got {type(item).__name__}; allowed is (image, label)")
    image, label = item
    if not is_array(image):
        image = _pillow_pixels(image, f"{where}[{row}]")
    if is_array(label):
        label = as_numpy(label)[()]  # an array without dimensions becomes a number
    if isinstance(label, bool | np.ndarray) or not isinstance(label, int | np.integer | str):
        raise DataError(
            f"{where}[{row}]: label of type {type(label).__name__}; allowed are whole numbers and text"
        )
    return _bytes(as_numpy(image), f"{where}[{row}]"), label


def _pillow_pixels(image: object, where: str) -> npt.NDArray[np.uint8]:
    from PIL import Image

    if not isinstance(image, Image.Image):
        raise DataError(
            f"{where}: image of type {type(image).__name__}; allowed are Pillow's images, numpy arrays and tensors"
        )
    if image.mode not in CHANNELS:
        raise DataError(f"{where}: image of mode {image.mode}; allowed are {', '.join(CHANNELS)}")
    return np.asarray(image.convert("L" if CHANNELS[image.mode] == 1 else "RGB"))


def _is_tensor(value: object) -> bool:
    return hasattr(value, "detach") and hasattr(value, "numpy")  # without an import of torch


def as_numpy(value: Any) -> npt.NDArray[Any]:
    """A list, array or tensor as a numpy array."""
    return np.asarray(value.detach().cpu().numpy() if _is_tensor(value) else value)


def _bytes(pixels: npt.NDArray[Any], where: str) -> Images:
    """Pixels as uint8. Floats from 0 to 1 become the nearest of 0 to 255."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f":
        raise DataError(f"{where}: pixels are {pixels.dtype}; allowed are uint8, and floats from 0 to 1")
    low, high = (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 0.0)
    if not (low >= 0 and high <= 1):  # also if one is not a number
        raise DataError(
            f"{where}: float pixels from {low:g} to {high:g}; allowed are floats from 0 to 1 without normalisation, "
            "and uint8"
        )
    return np.rint(pixels.astype(np.float32) * 255).astype(np.uint8)


def _channels_first(images: Images, where: str) -> Images:
    """Images (N, H, W), (N, H, W, C) or (N, C, H, W) as (N, C, H, W), contiguous."""
    shape = images.shape
    if len(shape) == 3 and shape[1] == shape[2]:
        return np.ascontiguousarray(images[:, None])
    first = len(shape) == 4 and shape[1] in (1, 3) and shape[2] == shape[3]
    last = len(shape) == 4 and shape[3] in (1, 3) and shape[1] == shape[2]
    if first and last:
        raise DataError(
            f"{where}: shape {shape} is (N, C, H, W) or (N, H, W, C); give a Source, which says which"
        )
    if not first and not last:
        raise DataError(
            f"{where}: shape {shape}; allowed are (N, H, W), (N, H, W, C) and (N, C, H, W) with H = W and C = 1 or 3"
        )
    return np.ascontiguousarray(images if first else images.transpose(0, 3, 1, 2))
