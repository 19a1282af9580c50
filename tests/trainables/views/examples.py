"""Images to change, and single steps of the views on one of them, for comparison."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from trainables.views.colour import (
    BRIGHTNESS,
    CONTRAST,
    HUE,
    SATURATION,
    Jitter,
)
from trainables.views.crop import Boxes
from trainables.views.recipes import ViewRecipe

#: A recipe without a name that has every step. Solarisation is continuous at one half, so rounding decides no pixel.
WRITTEN_OUT = ViewRecipe(
    crop_scale=(0.2, 1.0),
    interpolation="bilinear",
    flip_probability=0.5,
    jitter_probability=0.8,
    brightness=0.4,
    contrast=0.4,
    saturation=0.2,
    hue=0.1,
    grey_probability=0.2,
    blur_probability=0.5,
    solarise_probability=0.3,
    solarise_threshold=0.5,
    noise=0.05,
    mean=(0.485, 0.456, 0.406),
    deviation=(0.229, 0.224, 0.225),
)

#: The same with only the steps that the fused kernel has.
FUSED = dataclasses.replace(WRITTEN_OUT, blur_probability=0.0, noise=0.0)

#: torchvision's name of each interpolation.
MODES = {"bicubic": InterpolationMode.BICUBIC, "bilinear": InterpolationMode.BILINEAR}


def some_images(count: int, channels: int, size: int) -> Tensor:
    """Smooth images with edges, uint8 (N, C, size, size): noise alone would not show a shifted grid."""
    generator = torch.Generator().manual_seed(size)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)
    noise = 0.1 * torch.rand(count, channels, size, size, generator=generator)
    return ((0.9 * smooth + noise) * 255).round().to(torch.uint8)


def concatenated(parts: Sequence[Any]) -> Any:
    """The parameters of several views of one recipe, in order; nested dataclasses of tensors or None."""
    if parts[0] is None:
        return None
    if isinstance(parts[0], Tensor):
        return torch.cat(list(parts))
    names = [spec.name for spec in dataclasses.fields(parts[0])]
    return type(parts[0])(**{name: concatenated([getattr(part, name) for part in parts]) for name in names})


def corner_and_extent(boxes: Boxes, row: int) -> tuple[int, int, int, int]:
    top, left = boxes.start[row].tolist()
    height, width = boxes.extent[row].tolist()
    return top, left, height, width


COUNT = 48


def to_planes(images: Tensor) -> Tensor:
    """(M, C, H, W) to (C, M, P), a copy."""
    return images.transpose(0, 1).flatten(2).clone()


def to_images(planes: Tensor, size: int = 9) -> Tensor:
    """And back again, for square images."""
    return planes.unflatten(2, (size, size)).transpose(0, 1)


def images(channels: int) -> Tensor:
    values = torch.rand(COUNT, channels, 9, 9, generator=torch.Generator().manual_seed(0))
    values[0] = 0.4  # without colour: hue is undefined
    values[1] = 0.0
    values[2] = 1.0
    return values.mul(255).round() / 255  # ties between channels, as real pixels have


def jitter(operations: int = 4) -> Jitter:
    uniform = torch.rand(COUNT, 8, generator=torch.Generator().manual_seed(1))
    amounts = torch.cat([0.3 + 1.4 * uniform[:, :3], uniform[:, 3:4] - 0.5], dim=1)
    return Jitter(amounts=amounts, order=uniform[:, 4 : 4 + operations].argsort(dim=1))


def jitter_one(image: Tensor, given: Jitter, row: int) -> Tensor:
    steps = {
        BRIGHTNESS: F.adjust_brightness,
        CONTRAST: F.adjust_contrast,
        SATURATION: F.adjust_saturation,
        HUE: F.adjust_hue,
    }
    for step in given.order[row].tolist():
        image = steps[step](image, float(given.amounts[row, step]))
    return image


def natural_images() -> Tensor:
    """All patches of scikit-learn's two photographs at a third of their size, uint8 (N, 3, 32, 32)."""
    from sklearn.datasets import load_sample_images

    photos = torch.from_numpy(np.stack(load_sample_images().images)).permute(0, 3, 1, 2)
    small = torch.nn.functional.avg_pool2d(photos.float(), 3).round().to(torch.uint8)
    patches = small.unfold(2, 32, 16).unfold(3, 32, 16)
    return patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 32, 32)
