"""Encoded images (PNG, JPEG, ...) to uint8 arrays, all of one size and one number of channels."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainables.datasets.source import DataError, Images

if TYPE_CHECKING:
    from PIL import Image

#: Channels by the mode in which Pillow opens an image of 8 bit or less.
_CHANNELS = {"1": 1, "L": 1, "LA": 1, "P": 3, "RGB": 3, "RGBA": 3, "CMYK": 3, "YCbCr": 3}

#: Mean bytes of an encoded image above which threads pay; decoding small ones is mostly the interpreter's work.
_LARGE = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Form:
    """What all images of a set have in common, or, with `fit`, what they are brought to.

    Fitting is the usual resize of the shorter side to `size` and centre crop, in one step and by Pillow's
    antialiased bicubic filter; smaller images are enlarged. `channels` come by conversion.
    """

    channels: int
    size: int
    fit: bool = False


def image_header(encoded: bytes | None, where: str) -> tuple[int, int, int]:
    """Channels, width and height of an encoded image, read from its header alone.

    Raises `DataError` for bytes that are no image, and for a mode other than grey or colour of 8 bit; `where`
    names file and row in it.
    """
    with _opened(encoded, where) as image:
        return _CHANNELS[image.mode], *image.size


def image_shape(encoded: bytes | None, where: str) -> tuple[int, int]:
    """Channels and side of a square image. Raises `DataError` as `image_header` does, and for other shapes."""
    with _opened(encoded, where) as image:
        return _square(image, where)


def decode_images(encoded: Iterable[tuple[str, bytes | None]], count: int, form: Form) -> Images:
    """`count` encoded images, each with a text naming it, as uint8 (N, C, size, size).

    A grey image in a colour set becomes colour. Raises `DataError` naming the first image that is broken, or,
    unless the form is fitted, of another size or colour in a grey set.
    """
    named = list(encoded)
    images = np.empty((count, form.channels, form.size, form.size), dtype=np.uint8)

    def decode(row: int) -> None:
        where, data = named[row]
        images[row] = _decode_one(data, where, form)

    # Pillow lets go of the interpreter while it decodes; results come back in order, and so do errors.
    threads = (
        len(os.sched_getaffinity(0)) if sum(len(data or b"") for _, data in named) > count * _LARGE else 1
    )
    with ThreadPoolExecutor(threads) as pool:
        list((pool.map if threads > 1 else map)(decode, range(count)))
    return images


def kind_of_image(channels: int) -> str:
    """The word for a number of channels."""
    return "colour" if channels == 3 else "grey"


@contextmanager
def _opened(encoded: bytes | None, where: str) -> Iterator["Image.Image"]:
    from PIL import Image

    data = encoded or b""
    try:
        image = Image.open(io.BytesIO(data))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{where}: not a readable image ({len(data)} bytes)") from error
    with image:
        if image.mode not in _CHANNELS:
            raise DataError(f"{where}: image of mode {image.mode}; allowed are {', '.join(_CHANNELS)}")
        yield image


def _square(image: "Image.Image", where: str) -> tuple[int, int]:
    width, height = image.size
    if width != height:
        raise DataError(
            f"{where}: image of {width}x{height} pixels; only square images are read unless data.size is given"
        )
    return _CHANNELS[image.mode], width


def _decode_one(data: bytes | None, where: str, form: Form) -> Images:
    with _opened(data, where) as image:
        if not form.fit:
            _check_form(*_square(image, where), where, form)
        pixels = _pixels(image, where, form)
    return pixels.reshape(form.size, form.size, form.channels).transpose(2, 0, 1)


def _check_form(channels: int, size: int, where: str, form: Form) -> None:
    if size != form.size or channels > form.channels:
        raise DataError(
            f"{where}: {kind_of_image(channels)} image of {size} pixels, but the set's first image is "
            f"{kind_of_image(form.channels)} of {form.size} pixels; give data.size to bring all to one form"
        )


def _pixels(opened: "Image.Image", where: str, form: Form) -> Images:
    from PIL import Image, ImageOps

    try:
        image = opened.convert("RGB" if form.channels == 3 else "L")
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{where}: the image is damaged ({error})") from error
    if form.fit and image.size != (form.size, form.size):
        image = ImageOps.fit(image, (form.size, form.size), Image.Resampling.BICUBIC)
    return np.asarray(image)
