"""The built-in corruptions, for data sets without published corrupted files: eight kinds with five severities.

They follow Hendrycks and Dietterich (2019, arXiv 1903.12261), who publish corrupted copies of CIFAR and ImageNet.
The kinds are from their families of noise, blur, weather and digital faults, and the severities have about their
strength. The images differ from the published files, so accuracies on the two must not be compared. Lengths are
fractions of the image's side, so images of 8 to 224 pixels, grey or colour, are corrupted equally. The random draws
depend only on the kind and the split. A higher severity is therefore the same corruption with more strength.
"""

import io
import math
import zlib
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from trainables.datasets.source import Images

#: Seed entropy of the random draws, the same for every trial of every study.
_ENTROPY = 190312261

#: Number of pixel values in a block of images that is corrupted in one call.
_BLOCK = 2**23

#: `corrupt(images, strength, generator)` on float32 (N, C, H, W) in [0, 1]. The caller clips the result to [0, 1].
Corrupt = Callable[[Tensor, float, torch.Generator], Tensor]


def corrupt(images: Images, name: str, severity: int, split: str, device: str = "cpu") -> Images:
    """Copies of images, uint8 `(N, C, H, W)` with C = 1 or 3, under one corruption at a severity from 1 to 5.

    Computes on `device`, with random draws from the CPU. Raises `ValueError` for an unknown name or severity.
    """
    if name not in BUILT_IN:
        raise ValueError(f"corruption: got {name!r}; allowed are {', '.join(BUILT_IN)}")
    if severity not in range(1, 6):
        raise ValueError(f"severity: got {severity}; allowed are 1 to 5")
    function, strengths = BUILT_IN[name]
    generator = _draws(name, split)
    copies = np.empty_like(images)
    rows = max(1, _BLOCK // images[0].size)
    for start in range(0, len(images), rows):
        block = torch.from_numpy(images[start : start + rows].astype(np.float32)).to(device) / 255
        changed = function(block, strengths[severity - 1], generator)
        copies[start : start + rows] = changed.mul(255).round_().clamp_(0, 255).to("cpu", torch.uint8).numpy()
    return copies


def _draws(name: str, split: str) -> torch.Generator:
    key = (zlib.crc32(name.encode()), zlib.crc32(split.encode()))
    state = np.random.SeedSequence(_ENTROPY, spawn_key=key).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) & 0x7FFF_FFFF_FFFF_FFFF)  # torch takes signed 64 bits


def _gaussian_noise(images: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    return images + deviation * torch.randn(images.shape, generator=generator).to(images.device)


def _impulse_noise(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Set a share of all values to 0 or 1."""
    drawn = torch.rand(images.shape, generator=generator).to(images.device)
    return images.masked_fill(drawn < share, 0.0).masked_fill(drawn < share / 2, 1.0)


def _gaussian_blur(images: Tensor, share: float, _generator: torch.Generator) -> Tensor:
    from torchvision.transforms.v2 import functional as transforms

    side = images.shape[-1]
    sigma = 0.25 + share * side
    reach = min(math.ceil(3 * sigma), side - 1)  # the border is mirrored only once
    # The blur is two matrix products. Row i of the matrix is the blurred i-th unit pixel of a line.
    pixels = torch.eye(side, device=images.device)[None]
    matrix = transforms.gaussian_blur(pixels, [2 * reach + 1, 1], [sigma, sigma])[0]
    return matrix.mT @ images @ matrix


def _brightness(images: Tensor, shift: float, _generator: torch.Generator) -> Tensor:
    return images + shift


def _contrast(images: Tensor, factor: float, _generator: torch.Generator) -> Tensor:
    from torchvision.transforms.v2 import functional as transforms

    return transforms.adjust_contrast(images, factor)


def _elastic(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Displace every point by a smooth field: normal draws on a 4 x 4 grid with bicubic interpolation."""
    coarse = torch.randn(len(images), 2, 4, 4, generator=generator).to(images.device)
    field = F.interpolate(coarse, size=images.shape[-2:], mode="bicubic", align_corners=True)
    still = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
    grid = F.affine_grid(still, list(images.shape), align_corners=False)
    moved = grid + 2 * share * field.movedim(1, 3)  # the grid's unit is half a side
    return F.grid_sample(images, moved, padding_mode="reflection", align_corners=False)


def _pixelate(images: Tensor, share: float, _generator: torch.Generator) -> Tensor:
    """Blend with a mosaic of squares. Their side is 1/32 of the image's side, and at least 2 pixels."""
    square = max(2, round(images.shape[-1] / 32))
    small = F.avg_pool2d(images, square, ceil_mode=True)
    mosaic = small.repeat_interleave(square, dim=2).repeat_interleave(square, dim=3)
    height, width = images.shape[-2:]
    return torch.lerp(images, mosaic[:, :, :height, :width], share)


def _jpeg(images: Tensor, quality: float, _generator: torch.Generator) -> Tensor:
    """Encode and decode each image with Pillow: torchvision has announced the removal of its batched codec."""
    encoded = images.mul(255).round().movedim(1, 3).to("cpu", torch.uint8).numpy()
    decoded = np.stack([_decoded_jpeg(image, int(quality)) for image in encoded])
    return torch.from_numpy(decoded).movedim(3, 1).to(images.device) / 255


def _decoded_jpeg(image: Images, quality: int) -> Images:
    """An image `(H, W, C)`, encoded as JPEG and decoded."""
    file = io.BytesIO()
    Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(image.shape)


#: Every corruption with its strength at severities 1 to 5.
BUILT_IN: dict[str, tuple[Corrupt, tuple[float, float, float, float, float]]] = {
    "gaussian_noise": (_gaussian_noise, (0.04, 0.06, 0.08, 0.10, 0.14)),  # deviation, in units of the range
    "impulse_noise": (_impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.08)),  # share of the values
    "gaussian_blur": (_gaussian_blur, (0.005, 0.01, 0.015, 0.02, 0.03)),  # sigma over side, plus 1/4 pixel
    "brightness": (_brightness, (0.05, 0.10, 0.15, 0.20, 0.30)),  # in units of the range
    "contrast": (_contrast, (0.75, 0.60, 0.45, 0.30, 0.15)),  # remaining share of the contrast
    "elastic": (_elastic, (0.01, 0.02, 0.03, 0.04, 0.06)),  # standard deviation of the displacement over side
    "pixelate": (_pixelate, (0.2, 0.4, 0.6, 0.8, 1.0)),  # weight of the mosaic
    "jpeg": (_jpeg, (80, 60, 40, 25, 10)),  # JPEG quality
}
