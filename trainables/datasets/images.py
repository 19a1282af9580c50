"""Decoding of images (PNG, JPEG, ...) to uint8 arrays of one size and one number of channels.

The modules for image folders and Parquet files use it.
"""

import io
import math
import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainables.datasets.source import DataError, Images
from trainables.reading import IMAGE_BYTES

if TYPE_CHECKING:
    from PIL import Image

#: Channels by Pillow's image mode, for images of at most 8 bits per channel.
CHANNELS = {"1": 1, "L": 1, "LA": 1, "P": 3, "RGB": 3, "RGBA": 3, "CMYK": 3, "YCbCr": 3}

#: The most pixels of an image: the number above which Pillow warns. Such an image takes 256 MB as colour.
_MOST_PIXELS = 89_478_485

#: The largest side of a square image within this number.
LARGEST_SIDE = math.isqrt(_MOST_PIXELS)

#: Formats of Pillow that its own code decodes. Pillow runs another program for some of the others, such as EPS.
_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

#: Encoded bytes that are in memory at one time.
_CHUNK_BYTES = 1 << 28

#: Mean size in bytes of an encoded image above which threads save time. For small images, most of the work holds
#: the interpreter lock.
_LARGE = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Form:
    """The channels and side in pixels of all images of a set. With `fit`, images are converted to this form.

    Fitting resizes the shorter side to `size` and crops the centre, in one step, with Pillow's antialiased bicubic
    filter. Smaller images are enlarged. The number of channels is set by colour conversion.
    """

    channels: int
    size: int
    fit: bool = False


def image_header(encoded: bytes | None, where: str) -> tuple[int, int, int]:
    """Channels, width and height of an encoded image, read from its header only.

    Raises `DataError` for bytes that are not an image, and for modes other than 8-bit grey or colour. `where` names
    the file and row in the message.
    """
    with _opened(encoded, where) as image:
        return CHANNELS[image.mode], *image.size


def image_shape(encoded: bytes | None, where: str) -> tuple[int, int]:
    """Channels and side of a square image. Raises `DataError` as `image_header` does, and for other shapes."""
    with _opened(encoded, where) as image:
        return _square(image, where)


def decode_images(encoded: Iterable[tuple[str, bytes | None]], count: int, form: Form) -> Images:
    """Decode `count` encoded images, each given with a text that names it, to uint8 (N, C, size, size).

    A grey image in a colour set becomes colour. Raises `DataError` with the name of the first damaged image. Unless
    the form is fitted, also raises it for the first image of another size, and for a colour image in a grey set.
    """
    images = np.empty((count, form.channels, form.size, form.size), dtype=np.uint8)
    start = 0
    for chunk in _chunks(encoded):
        _decode_chunk(chunk, images[start : start + len(chunk)], form)
        start += len(chunk)
    return images


def _chunks(encoded: Iterable[tuple[str, bytes | None]]) -> Iterator[list[tuple[str, bytes | None]]]:
    """The encoded images in lists of at most `_CHUNK_BYTES`. A file may hold few bytes and name them many times."""
    chunk, size = [], 0
    for where, data in encoded:
        if data is not None and len(data) > IMAGE_BYTES:
            raise DataError(f"{where}: an image of {len(data):,} bytes; at most {IMAGE_BYTES:,} are read")
        chunk.append((where, data))
        size += len(data or b"")
        if size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _decode_chunk(named: list[tuple[str, bytes | None]], images: Images, form: Form) -> None:
    def decode(row: int) -> None:
        where, data = named[row]
        images[row] = _decode_one(data, where, form)

    # Pillow releases the interpreter lock while it decodes. Results arrive in order, and so do errors.
    large = sum(len(data or b"") for _, data in named) > len(named) * _LARGE
    threads = len(os.sched_getaffinity(0)) if large else 1
    with ThreadPoolExecutor(threads) as pool:
        list((pool.map if threads > 1 else map)(decode, range(len(named))))


def kind_of_image(channels: int) -> str:
    """The word for a number of channels."""
    return "colour" if channels == 3 else "grey"


@contextmanager
def _opened(encoded: bytes | None, where: str) -> Iterator["Image.Image"]:
    from PIL import Image

    data = encoded or b""
    # The bound below says the same in one line.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(where, "more") from error
    except MemoryError:
        raise
    except Exception as error:  # each format raises errors of its own
        raise DataError(f"{where}: not a readable image ({len(data)} bytes)") from error
    with image:
        if math.prod(image.size) > _MOST_PIXELS:
            raise _too_large(where, "{}x{}".format(*image.size))
        if image.mode not in CHANNELS:
            raise DataError(f"{where}: image of mode {image.mode}; allowed are {', '.join(CHANNELS)}")
        yield image


def _too_large(where: str, pixels: str) -> DataError:
    return DataError(f"{where}: an image of {pixels} pixels; at most {_MOST_PIXELS:,} pixels are decoded")


def _square(image: "Image.Image", where: str) -> tuple[int, int]:
    width, height = image.size
    if width != height:
        raise DataError(
            f"{where}: image of {width}x{height} pixels; only square images are read unless data.size is given"
        )
    return CHANNELS[image.mode], width


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
            f"{kind_of_image(form.channels)} of {form.size} pixels; give data.size to convert all images to one form"
        )


def _pixels(opened: "Image.Image", where: str, form: Form) -> Images:
    from PIL import Image, ImageOps

    try:
        image = opened.convert("RGB" if form.channels == 3 else "L")
    except MemoryError:
        raise
    except Exception as error:  # each format raises errors of its own
        raise DataError(f"{where}: the image is damaged ({error})") from error
    if form.fit and image.size != (form.size, form.size):
        image = ImageOps.fit(image, (form.size, form.size), Image.Resampling.BICUBIC)
    return np.asarray(image)
