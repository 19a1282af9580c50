"""Random resized crop with a separate box for every image, as two small matrix products per image; used by `Views`.

Resizing is linear and separable: rows and columns of the result are weighted sums of those of the box. The weights
are those of Pillow's antialiased bicubic or bilinear filter. A view therefore equals the result of a per-image
pipeline, except that Pillow rounds to whole grey levels between the two passes.
"""

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: Number of attempts to draw a box that fits, as in torchvision. If none fits, the box is the whole image.
ATTEMPTS = 10

#: Number of columns of uniform draws for `boxes_from`: area and shape of each attempt, then the corner.
DRAWS = 2 * ATTEMPTS + 2

#: Half of the width of each filter, in pixels of the larger of source and target.
_SUPPORT = {"bicubic": 2.0, "bilinear": 1.0}

#: If the weights of all boxes need at most this memory, they are computed once and looked up (8 MB for 32 pixels).
_TABLE_BYTES = 16e6


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Crop boxes of M images in whole pixels, int64: the first pixel (top, left) and the extent (height, width)."""

    start: Tensor  # (M, 2)
    extent: Tensor  # (M, 2)


def boxes_from(uniform: Tensor, size: int, scale: tuple[float, float], ratio: tuple[float, float]) -> Boxes:
    """Boxes of torchvision's `RandomResizedCrop` for square images, from uniform draws of shape (M, DRAWS).

    The area is uniform in `scale` times the area of the image. The logarithm of width over height is uniform between
    the logarithms of `ratio`. The box is the first of ten attempts that fits.
    """
    areas, shapes, corner = uniform.split([ATTEMPTS, ATTEMPTS, 2], dim=1)
    low, high = math.log(ratio[0]) / 2, math.log(ratio[1]) / 2
    side = areas.mul(scale[1] - scale[0]).add_(scale[0]).sqrt_().mul_(size)
    stretch = shapes.mul(high - low).add_(low).exp_()
    extents = torch.stack([side / stretch, side * stretch], dim=2).round_().clamp_(min=1)  # (M, ATTEMPTS, 2)
    extents = torch.nn.functional.pad(extents, (0, 0, 0, 1), value=size)  # a last attempt that always fits
    fits = (extents <= size).all(dim=2)
    first = fits.to(torch.uint8).argmax(dim=1)[:, None, None].expand(-1, 1, 2)
    extent = extents.gather(1, first)[:, 0]
    start = corner.mul(size + 1 - extent)  # rounds down below
    return Boxes(start=start.long(), extent=extent.long())


def crop_and_resize(
    images: Tensor,
    boxes: Boxes,
    flip: Tensor,
    output_size: int | None = None,
    interpolation: str = "bicubic",
) -> Tensor:
    """Crop float images (M, C, H, H) to their boxes, resize to `output_size` (None: H), and flip where `flip (M,)`.

    The result has the form of planes (C, M, output, output). It is clipped to [0, 1], as in Pillow, because the
    bicubic kernel overshoots.
    """
    count, channels, size, _ = images.shape
    output = output_size or size
    rows, columns = _weights(boxes, flip, size, output, interpolation)
    narrowed = torch.bmm(images.flatten(1, 2), columns.mT).view(count, channels, size, output)
    planes = images.new_empty(channels, count, output, output)
    # A single product for all channels would need one copy of the weights per channel.
    for channel, plane in enumerate(planes):
        torch.bmm(rows, narrowed[:, channel], out=plane)
    return planes.clamp_(0, 1)


def resample_weights(
    start: Tensor, extent: Tensor, flip: Tensor, size: int, output: int, interpolation: str = "bicubic"
) -> Tensor:
    """Weights (M, output, size) that resize pixels start .. start + extent - 1 of a line of `size` to `output`.

    Row i of an image's matrix holds the weights of the source pixels for target pixel i. The weights are Keys'
    bicubic kernel, or the triangle of the bilinear one, around the centre of the target pixel, widened by the
    shrinking factor (antialiasing), cut off at the box, and normalised. Where `flip (M,)` is true, the target is
    reversed.
    """
    support = _SUPPORT[interpolation]
    # Only a few weights of a row are not 0. They are computed densely and then scattered to their columns.
    taps = min(size, math.ceil(2 * support * max(1.0, size / output)))
    first, length = start.float()[:, None, None], extent.float()[:, None, None]
    targets = (torch.arange(output, device=start.device) + 0.5) / output
    targets = (targets - flip[:, None].float()).abs()  # u, or 1 - u
    centre = first + length * targets[:, :, None]
    widening = (length / output).clamp(min=1.0)
    leftmost = (centre - support * widening + 0.5).floor().clamp(0, size - taps)
    pixels = leftmost + torch.arange(taps, device=start.device)
    kernel = _bicubic if interpolation == "bicubic" else _bilinear
    weights = kernel((pixels + 0.5 - centre) / widening)
    weights *= (pixels >= first) & (pixels < first + length)
    weights /= weights.sum(dim=2, keepdim=True)
    return weights.new_zeros(len(start), output, size).scatter_(2, pixels.long(), weights)


def _weights(boxes: Boxes, flip: Tensor, size: int, output: int, interpolation: str) -> tuple[Tensor, Tensor]:
    """The weights (M, output, size) for the rows and for the columns."""
    if 8 * size**3 * output > _TABLE_BYTES:
        (top, left), (height, width) = boxes.start.unbind(1), boxes.extent.unbind(1)
        rows = resample_weights(top, height, torch.zeros_like(flip), size, output, interpolation)
        return rows, resample_weights(left, width, flip, size, output, interpolation)
    table = weights_table(size, output, flip.device, interpolation)
    row, column = (boxes.extent - 1).add_(boxes.start, alpha=size).unbind(1)
    return table.index_select(0, row), table.index_select(0, column.add(flip, alpha=size**2))


@functools.cache  # without a limit: a captured graph reads the table at its address
def weights_table(size: int, output: int, device: torch.device, interpolation: str = "bicubic") -> Tensor:
    """Weights of every box: row (flip * size + start) * size + extent - 1 of (2 * size**2, output, size).

    Rows for boxes that extend beyond the line have no meaning, and no code uses them.
    """
    boxes = torch.arange(2 * size**2, device=device)
    start, extent = boxes // size % size, boxes % size + 1
    return resample_weights(start, extent, boxes >= size**2, size, output, interpolation)


def _bilinear(x: Tensor) -> Tensor:
    """The triangle 1 - |x|, 0 from 1 on."""
    return (1 - x.abs()).clamp_(0, 1)


def _bicubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -1/2 (Pillow's, and torch's with antialiasing), without a branch.

    1.5 x^3 - 2.5 x^2 + 1 for x < 1 and -0.5 (x - 1) (x - 2)^2 for 1 <= x < 2, written in the distances to 1 and 2.
    """
    near = (1 - x.abs()).clamp_(0, 1)
    far = (2 - x.abs()).clamp_(0, 1)
    return near * (0.5 + near * (2 - 1.5 * near)) - 0.5 * far * far * (1 - far)
