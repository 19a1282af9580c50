"""Colour jitter with a separate order of operations for every image, and grey, with torchvision's formulas.

Images are given as planes (C, M, P), channels first. Each channel of all M images is then one contiguous block with
P pixels per image, so elementwise operations are fast for every image size. Brightness, contrast and saturation
blend an image with a reference (black, its mean grey, its grey image). One pass therefore serves all images,
although the operation differs between them. Every image shifts its hue once: first come the blends before the hue
shift, then the hue shift of all images, then the blends after it. The code does not branch on values, does not
select images, and does not wait for a device.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)

LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601-2, the weights of torchvision and Pillow


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Jitter parameters of M images: `amounts (M, 4)`, and the `order (M, A)` of the operations.

    The columns of `amounts` are the blend factors of brightness, contrast and saturation (1 changes nothing) and the
    hue shift in turns (0 changes nothing). `order[i, k]` is the operation on image i at stage k. Each row is a
    permutation of the first A of the four operations; with A < 4 the other operations are omitted.
    """

    amounts: Tensor
    order: Tensor


def jitter_(planes: Tensor, jitter: Jitter) -> Tensor:
    """Jitter float planes (C, M, P) in [0, 1] in place, C = 1 or 3. For C = 1, saturation and hue have no effect."""
    blends = HUE if len(planes) == 3 else SATURATION
    order = jitter.order.mT
    change = (1 - jitter.amounts.mT.gather(0, order)).mul_(order < blends)
    if len(planes) == 1 or len(order) <= HUE:
        return _blend_(planes, change, order)
    after = (order == HUE).cumsum(dim=0)
    _blend_(planes, (change * (1 - after))[:-1], order[:-1])  # hue itself is one of the stages
    shift_hue_(planes, jitter.amounts[:, HUE])
    return _blend_(planes, (change * after)[1:], order[1:])


def grey(planes: Tensor) -> Tensor:
    """The grey images (M, P): a new tensor for planes (3, M, P), and the plane itself for (1, M, P)."""
    if len(planes) == 1:
        return planes[0]
    red, green, blue = planes.unbind()
    return red.mul(LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def grey_where_(planes: Tensor, chosen: Tensor) -> Tensor:
    """Make planes (C, M, P) grey in place where `chosen (M,)` is true."""
    return planes.lerp_(grey(planes), chosen[:, None].to(planes.dtype))  # exact at weights 0 and 1


def solarise_where(images: Tensor, chosen: Tensor, threshold: float) -> Tensor:
    """Invert the pixels from `threshold` on of images (M, C, H, W) in [0, 1] where `chosen (M,)` is true."""
    return torch.where(chosen[:, None, None, None] & (images >= threshold), 1 - images, images)


def shift_hue_(planes: Tensor, shift: Tensor) -> Tensor:
    """Shift the hue of planes (3, M, P) by `shift (M,)` turns in place. HSV saturation and value do not change.

    For a pixel with minimum m and chroma c, the hue h in sixths of a turn, from red to green, is
    sign(g - b) (1 + (g + b - r - m) / c), in [-3, 3]. The channel whose pure colour has hue h0 is
    m + c clamp(||h - h0| - 3| - 1, 0, 1).
    """
    red, green, blue = planes.unbind()
    minimum = planes.amin(dim=0)
    chroma = planes.amax(dim=0).sub_(minimum).clamp_(min=1e-12)  # for grey pixels the quotient is 0 / 1e-12
    hue = green.add(blue).sub_(red).sub_(minimum).div_(chroma).add_(1)
    hue.copysign_(green - blue).add_(6 * shift[:, None])
    hue.sub_(hue.div(6).round_(), alpha=6)
    for plane, pure in zip((red, green, blue), (0, 2, -2), strict=True):
        torch.sub(hue, pure, out=plane)
    planes.abs_().sub_(3).abs_().sub_(1).clamp_(0, 1)
    return torch.addcmul(minimum, planes, chroma, out=planes)


def _blend_(planes: Tensor, change: Tensor, order: Tensor) -> Tensor:
    """One blend for each row of `order (A, M)`: clamp((1 - change) planes + change reference)."""
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
        # Two fast passes: addcmul is slow if two of its arguments hold only one value per image.
        reference = greys.mul_(grey_share).add_(mean)
        torch.addcmul(reference, planes, kept, out=planes).clamp_(0, 1)
    return planes
