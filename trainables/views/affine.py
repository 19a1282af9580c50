"""The approximate form of colour jitter and grey: one affine map of the colours an image.

With brightness b, contrast c, saturation s (0 for a grey view), hue shift t in turns, luma weights l, and x the
colours of one image with mean m, the view is, cut to [0, 1] once at the end,

    b c (s I + (1 - s) 1 l') H(t) x + b (1 - c) l' H(t) m,

where H(t) turns the colours by t about the grey axis. It differs from the faithful form in three ways. HSV keeps
the greatest and the least channel, H the mean of the three: most of the difference. Nothing is cut to [0, 1]
between the operations. And their order is fixed, which matters least: without the cuts all but hue commute, and
following each image's own order moves the mean deviation by a hundredth of it.

Deviation from the faithful form under the same parameters, in grey levels of 255, mean and 95th percentile over
views of 2,000 test images of CIFAR-10 (JPEG): 2.3 and 9.6 for the recipe `cifar`, 0.3 and 0.6 for it without hue,
3.4 and 14.7 for `imagenet`; of grey images 0.2 and 0.4, and 0.8 and 4.2. On patches of scikit-learn's two photographs
(the views' benchmark) 3.1 and 13.1, and 4.7 and 21.3. The jitter of `cifar` itself changes CIFAR-10 by 20 and 61.
"""

import math

import torch
from torch import Tensor

from trainables.views.colour import Jitter, grey


def recolour(planes: Tensor, jitter: Jitter, to_grey: Tensor) -> Tensor:
    """Jitter float planes (C, M, P) in [0, 1], C = 1 or 3, and make them grey where `to_grey (M,)` is true."""
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
    """The turn H (C, C, M) by `shift (M,)` turns from red through green; of one channel, the identity."""
    if channels == 1:
        return torch.ones_like(shift)[None, None]
    along = torch.cos(2 * math.pi * shift)
    across = torch.sin(2 * math.pi * shift) / math.sqrt(3)
    same, rest = (1 + 2 * along) / 3, (1 - along) / 3
    before, after = rest - across, rest + across
    rows = [same, before, after, after, same, before, before, after, same]
    return torch.stack(rows).view(3, 3, -1)
