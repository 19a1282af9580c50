"""The usual per-image views in the style of public SimCLR code: Pillow images through torchvision's `Compose`.

For comparison in benchmarks only. `RandomResizedCrop` is bicubic, as in Chen et al. (2020, arXiv 2002.05709).
"""

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from trainables.views.recipes import ViewRecipe


def pil_views(recipe: ViewRecipe, size: int) -> Callable[[Image.Image], Tensor]:
    """One random view `(C, size, size)` of one Pillow image: crop, flip, jitter, grey; no blur, no noise."""
    jitter = transforms.ColorJitter(recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue)
    compose: Callable[[Image.Image], Tensor] = transforms.Compose(
        [
            transforms.RandomResizedCrop(
                size, recipe.crop_scale, recipe.crop_ratio, InterpolationMode.BICUBIC
            ),
            transforms.RandomHorizontalFlip(recipe.flip_probability),
            transforms.RandomApply([jitter], p=recipe.jitter_probability),
            transforms.RandomGrayscale(recipe.grey_probability),
            transforms.ToTensor(),
        ]
    )
    return compose


def as_pil(images: Tensor) -> list[Image.Image]:
    """Pillow images of uint8 `(M, C, H, W)`, what a `Dataset` holds or decodes."""
    return [F.to_pil_image(image) for image in images]


def pil_batch(images: list[Image.Image], view: Callable[[Image.Image], Tensor]) -> Tensor:
    """The views `(M, C, size, size)` of a batch, as a `DataLoader` collates them in one process."""
    return torch.stack([view(image) for image in images])
