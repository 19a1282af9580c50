"""The approximate form of colour jitter and grey: one affine map of the colours per image. `Views` uses it.

Let b be brightness, c contrast, s saturation (0 for a grey view), t the hue shift in turns, l the luma weights, and x
the colours of one image with mean m. The view is

    b c (s I + (1 - s) 1 l') H(t) x + b (1 - c) l' H(t) m,

clipped to [0, 1] once at the end. H(t) rotates the colours by t about the grey axis. This form differs from the
faithful form in three ways. First, a hue shift in HSV keeps the largest and the smallest channel, but H keeps the
mean of the three channels; this causes most of the difference. Second, values are not clipped to [0, 1] between the
operations. Third, the order of the operations is fixed. This matters least: without clipping, all operations except
hue commute, and each image's own order would change the mean deviation by only a hundredth of its value.

Deviation from the faithful form with the same parameters, in grey levels of 255, as mean and 95th percentile over
views of 2,000 test images of CIFAR-10 (JPEG): 2.3 and 9.6 for the recipe `cifar`, 0.3 and 0.6 for `cifar` without
hue, 3.4 and 14.7 for `imagenet`. For grey images: 0.2 and 0.4 (`cifar`), and 0.8 and 4.2 (`imagenet`). On patches
of scikit-learn's two photographs (the views' benchmark): 3.1 and 13.1, and 4.7 and 21.3. For comparison, the jitter
of `cifar` itself changes CIFAR-10 by 20 and 61.
"""

import math

import torch
from torch import Tensor

from trainables.views.colour import Jitter, grey


def recolour(planes: Tensor, jitter: Jitter, to_grey: Tensor) -> Tensor:
    """Jitter float planes (C, M, P) in [0, 1], C = 1 or 3, and make images grey where `to_grey (M,)` is true."""
    brightness, contrast, saturation, hue = jitter.amounts.unbind(dim=1)
    turn = _turn(hue, len(planes))
    luma = grey(turn)  # l' H(t), (C, M)
    matrix = torch.lerp(luma, turn, saturation * ~to_grey).mul_(brightness * contrast)
    offset = (luma * planes.mean(dim=2)).sum(dim=0).mul_(brightness * (1 - contrast))
    mixed = matrix[:, 0, :, None] * planes[0]
    for source in range(1, len(planes)):
        mixed.addcmul_(matrix[:, source, :, None], planes[source])
    return mixed.add_(offset[:, None]).clamp_(0, 1)


def _turn(shift: Tensor, channels: int) -> Tensor:
    """The rotation H (C, C, M) by `shift (M,)` turns, from red to green; the identity for one channel."""
    if channels == 1:
        return torch.ones_like(shift)[None, None]
    along = torch.cos(2 * math.pi * shift)
    across = torch.sin(2 * math.pi * shift) / math.sqrt(3)
    same, rest = (1 + 2 * along) / 3, (1 - along) / 3
    before, after = rest - across, rest + across
    rows = [same, before, after, after, same, before, before, after, same]
    return torch.stack(rows).view(3, 3, -1)
