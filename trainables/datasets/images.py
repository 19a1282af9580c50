"""Encoded images (PNG, JPEG, ...) to uint8 arrays, all of one size and one number of channels."""

import io
from collections.abc import Iterable

import numpy as np

from trainables.datasets.source import DataError, Images

#: Channels by the mode in which Pillow opens an image of 8 bit or less.
_CHANNELS = {"1": 1, "L": 1, "LA": 1, "P": 3, "RGB": 3, "RGBA": 3, "CMYK": 3, "YCbCr": 3}


def image_shape(encoded: bytes | None, where: str) -> tuple[int, int]:
    """Channels and side of an encoded image, read from its header alone.

    Raises `DataError` for bytes that are no image, a mode other than grey or colour of 8 bit, or an image
    that is not square; `where` names file and row in it.
    """
    from PIL import Image

    data = encoded or b""
    try:
        with Image.open(io.BytesIO(data)) as image:
            mode, (width, height) = image.mode, image.size
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{where}: not a readable image ({len(data)} bytes)") from error
    if mode not in _CHANNELS:
        raise DataError(f"{where}: image of mode {mode}; allowed are {', '.join(_CHANNELS)}")
    if width != height:
        raise DataError(f"{where}: image of {width}x{height} pixels; only square images are read")
    return _CHANNELS[mode], width


def decode_images(
    encoded: Iterable[tuple[str, bytes | None]], count: int, channels: int, size: int
) -> Images:
    """`count` encoded images, each with a text naming it, as uint8 (N, C, size, size).

    A grey image in a colour set becomes colour. Raises `DataError` naming the first image that is broken, of
    another size, or colour in a grey set.
    """
    images = np.empty((count, channels, size, size), dtype=np.uint8)
    for target, (where, data) in zip(images, encoded, strict=True):
        own_channels, own_size = image_shape(data, where)
        if own_size != size or own_channels > channels:
            raise DataError(
                f"{where}: {_kind(own_channels)} image of {own_size} pixels, "
                f"but the set's first image is {_kind(channels)} of {size} pixels"
            )
        pixels = _pixels(data or b"", "RGB" if channels == 3 else "L", where)
        target[:] = pixels.reshape(size, size, channels).transpose(2, 0, 1)
    return images


def _pixels(data: bytes, mode: str, where: str) -> Images:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert(mode))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{where}: the image is damaged ({error})") from error


def _kind(channels: int) -> str:
    return "colour" if channels == 3 else "grey"
