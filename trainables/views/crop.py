"""Random resized crop with its own box for every image, as two small matrix products an image.

Resizing is linear and separable: rows and columns of the result are weighted sums of those of the box. The
weights are those of Pillow's antialiased bicubic filter, so that a view equals what per-image pipelines give,
up to Pillow's rounding to whole grey levels between the two passes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: Attempts at a box that fits, as in torchvision; the whole image where none does.
ATTEMPTS = 10

#: Columns of uniform draws that `boxes_from` consumes: area and shape of each attempt, then the corner.
DRAWS = 2 * ATTEMPTS + 2

_BICUBIC_A = -0.5  # Pillow's parameter, and torch's with antialiasing
_BICUBIC_SUPPORT = 2.0


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Crop boxes of M images in whole pixels, each of shape (M,)."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def boxes_from(uniform: Tensor, size: int, scale: tuple[float, float], ratio: tuple[float, float]) -> Boxes:
    """Boxes of torchvision's `RandomResizedCrop` for square images, from uniform draws of shape (M, DRAWS).

    Area is uniform in `scale` times the image's, width over height uniform in the logarithm of `ratio`; the
    first of ten attempts that fits is taken.
    """
    draws = uniform.double()
    area = size**2 * (scale[0] + (scale[1] - scale[0]) * draws[:, :ATTEMPTS])
    low, high = math.log(ratio[0]), math.log(ratio[1])
    shape = torch.exp(low + (high - low) * draws[:, ATTEMPTS : 2 * ATTEMPTS])
    width, height = (area * shape).sqrt().round(), (area / shape).sqrt().round()
    fits = (width <= size) & (height <= size) & (width > 0) & (height > 0)
    first = fits.int().argmax(dim=1, keepdim=True)
    found = fits.any(dim=1)
    width = torch.where(found, width.gather(1, first)[:, 0], size)
    height = torch.where(found, height.gather(1, first)[:, 0], size)
    corner = draws[:, 2 * ATTEMPTS :]
    return Boxes(
        top=(corner[:, 0] * (size - height + 1)).floor(),
        left=(corner[:, 1] * (size - width + 1)).floor(),
        height=height,
        width=width,
    )


def resample_weights(start: Tensor, extent: Tensor, size: int) -> Tensor:
    """Weights (M, size, size) that resize pixels start .. start + extent - 1 of a line to `size` pixels.

    Row i of an image's matrix weighs the source pixels of target pixel i: Keys' bicubic kernel about its
    centre, widened by the shrinking factor (antialiasing), cut off at the box, normalised.
    """
    pixels = torch.arange(size, device=start.device, dtype=torch.float32)
    ratio = (extent.float() / size)[:, None, None]
    first = start.float()[:, None, None]
    centre = first + (pixels[:, None] + 0.5) * ratio
    weights = _bicubic((pixels + 0.5 - centre) / ratio.clamp(min=1.0))
    weights = weights * ((pixels >= first) & (pixels < first + extent.float()[:, None, None]))
    return weights / weights.sum(dim=2, keepdim=True)


def crop_and_resize(images: Tensor, boxes: Boxes, flip: Tensor) -> Tensor:
    """Crop float images (M, C, H, H) to their boxes, resize back to H, mirror where `flip (M,)` is true."""
    size = images.shape[-1]
    rows = resample_weights(boxes.top, boxes.height, size)
    columns = resample_weights(boxes.left, boxes.width, size)
    columns = torch.where(flip[:, None, None], columns.flip(1), columns)
    narrowed = images.flatten(1, 2) @ columns.transpose(1, 2)  # one product for all channels of an image
    resized = rows[:, None] @ narrowed.view_as(images)
    return resized.clamp_(0, 1)  # the bicubic kernel overshoots; Pillow clips as well


def _bicubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = ((_BICUBIC_A + 2) * x - (_BICUBIC_A + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _BICUBIC_A
    return torch.where(x < 1, near, torch.where(x < _BICUBIC_SUPPORT, far, 0.0))
