"""Colour jitter in an order of its own for every image, and grey, with torchvision's formulas.

Images come as planes (C, M, P): channels first, so that each channel of all M images is one contiguous block of
P pixels an image, which elementwise operations pass at full speed whatever the size of an image. Brightness,
contrast and saturation blend an image with a reference (black, its mean grey, its grey image), so one pass serves
all images whichever of the three is due. Every image turns its hue once: the blends due before that are done
first, then the hue of all images, then the blends due after it. Nothing here branches on a value, picks images
out or waits for a device.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)

LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601-2, as torchvision and Pillow weigh


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Jitter of M images: blend factors and hue shift `amounts (M, 4)`, and the order (M, A) of the operations.

    The columns of `amounts` are brightness, contrast, saturation (1 changes nothing) and hue in turns (0 changes
    nothing). `order[i, k]` is what happens to image i at stage k, a permutation of the first A of the four; A < 4
    leaves out the rest.
    """

    amounts: Tensor
    order: Tensor


def jitter_(planes: Tensor, jitter: Jitter) -> Tensor:
    """Jitter float planes (C, M, P) in [0, 1] in place, C = 1 or 3; saturation and hue leave grey images alone."""
    blends = HUE if len(planes) == 3 else SATURATION
    order = jitter.order.mT
    change = (1 - jitter.amounts.mT.gather(0, order)).mul_(order < blends)
    if len(planes) == 1 or len(order) <= HUE:
        return _blend_(planes, change, order)
    after = (order == HUE).cumsum(dim=0)
    _blend_(planes, (change * (1 - after))[:-1], order[:-1])  # hue itself takes one of the stages
    shift_hue_(planes, jitter.amounts[:, HUE])
    return _blend_(planes, (change * after)[1:], order[1:])


def grey(planes: Tensor) -> Tensor:
    """The grey images (M, P) of planes (3, M, P), newly made; the plane itself of (1, M, P)."""
    if len(planes) == 1:
        return planes[0]
    red, green, blue = planes.unbind()
    return red.mul(LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def grey_where_(planes: Tensor, chosen: Tensor) -> Tensor:
    """Planes (C, M, P) made grey in place where `chosen (M,)` is true."""
    return planes.lerp_(grey(planes), chosen[:, None].to(planes.dtype))  # exact at weights 0 and 1


def shift_hue_(planes: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue of planes (3, M, P) by `shift (M,)` turns in place, keeping HSV saturation and value.

    With minimum m and chroma c of a pixel, its hue in sixths of a turn, from red through green, is
    sign(g - b) (1 + (g + b - r - m) / c), in [-3, 3], and the channel whose pure colour lies at hue h0 is
    m + c clamp(||h - h0| - 3| - 1, 0, 1).
    """
    red, green, blue = planes.unbind()
    minimum = planes.amin(dim=0)
    chroma = planes.amax(dim=0).sub_(minimum).clamp_(min=1e-12)  # without colour the quotient is 0 / 1e-12
    hue = green.add(blue).sub_(red).sub_(minimum).div_(chroma).add_(1)
    hue.copysign_(green - blue).add_(6 * shift[:, None])
    hue.sub_(hue.div(6).round_(), alpha=6)
    for plane, pure in zip((red, green, blue), (0, 2, -2), strict=True):
        torch.sub(hue, pure, out=plane)
    planes.abs_().sub_(3).abs_().sub_(1).clamp_(0, 1)
    return torch.addcmul(minimum, planes, chroma, out=planes)


def _blend_(planes: Tensor, change: Tensor, order: Tensor) -> Tensor:
    """One blend a row of `order (A, M)`: clamp((1 - change) planes + change reference)."""
    keep = (1 - change)[..., None]
    to_mean = (change * (order == CONTRAST)).div_(planes.shape[2])[..., None]
    if len(planes) == 1:
        for kept, share in zip(keep, to_mean, strict=True):
            mean = planes[0].sum(dim=1, keepdim=True).mul_(share)
            planes.mul_(kept).add_(mean).clamp_(0, 1)
        return planes
    to_grey = (change * (order == SATURATION))[..., None]
    for kept, share, grey_share in zip(keep, to_mean, to_grey, strict=True):
        greys = grey(planes)
        mean = greys.sum(dim=1, keepdim=True).mul_(share)
        # In two passes, which are fast; addcmul is slow where two of its arguments are one value an image.
        reference = greys.mul_(grey_share).add_(mean)
        torch.addcmul(reference, planes, kept, out=planes).clamp_(0, 1)
    return planes
