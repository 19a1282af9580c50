"""Augmentation recipes by name. Importing this module does not import torch, so a plan can check a name quickly."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.suggestion import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ViewRecipe:
    """The settings of an augmentation. Its steps run in the order of the fields; the default values change nothing.

    Jitter strengths are defined as in torchvision: a factor is uniform in [1 - strength, 1 + strength], and a hue
    shift is uniform in [-hue, hue] turns of the colour circle. Each image has separate draws and a separate order of
    the four jitters.
    """

    crop_scale: tuple[float, float] = (1.0, 1.0)  # fraction of the image's area
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)  # width over height, uniform in the logarithm
    flip_probability: float = 0.0
    jitter_probability: float = 0.0  # for all four jitters together
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0  # colour images only, like hue and grey
    hue: float = 0.0
    grey_probability: float = 0.0
    blur_probability: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # pixels
    noise: float = 0.0  # standard deviation of Gaussian noise, in units of the pixel range


#: Forms of the colour operations: equal to torchvision's operations, or one affine map of the colours per image.
FORMS = ("faithful", "approximate")

#: Recipes by their name in study files.
VIEWS: dict[str, ViewRecipe] = {
    # Small handwritten digits. No flip, because a mirrored digit is a different character.
    "digits": ViewRecipe(
        crop_scale=(0.6, 1.0), jitter_probability=0.8, brightness=0.4, contrast=0.4, noise=0.1
    ),
    # SimCLR on CIFAR-10 (Chen et al. 2020, arXiv 2002.05709, appendices A and B.9): colour jitter of strength
    # 0.5, no blur; no normalisation by mean and deviation, as in simclr-pytorch.
    "cifar": ViewRecipe(
        crop_scale=(0.08, 1.0),
        flip_probability=0.5,
        jitter_probability=0.8,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        grey_probability=0.2,
    ),
    # SimCLR on ImageNet (the same paper, appendix A): colour jitter of strength 1, blur on half of the views.
    "imagenet": ViewRecipe(
        crop_scale=(0.08, 1.0),
        flip_probability=0.5,
        jitter_probability=0.8,
        brightness=0.8,
        contrast=0.8,
        saturation=0.8,
        hue=0.2,
        grey_probability=0.2,
        blur_probability=0.5,
    ),
}


def check_views_name(name: str) -> str:
    """Return the name if a recipe has it. Otherwise raise `ValueError` with a list of the recipes."""
    if name not in VIEWS:
        raise ValueError(
            f"data.views: got {name!r}{did_you_mean(name, VIEWS)}; allowed are {', '.join(VIEWS)}"
        )
    return name


def plain(images: "Tensor") -> "Tensor":
    """Images for evaluation: convert uint8 (N, C, H, W) to float32 in [0, 1], without augmentation."""
    return images.float().div_(255)
